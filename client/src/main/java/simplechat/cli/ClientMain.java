package simplechat.cli;

import static simplechat.cli.Program.wrong;

import java.io.Console;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.ZoneId;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import simplechat.client.JoinRequest;

/** {@code chat client}: reads the command line, opens the terminal, and gives back an exit code. */
@Command(
    name = "chat client",
    description = "Joins a chat from this terminal, or from a script through a pipe.",
    mixinStandardHelpOptions = true,
    versionProvider = Program.Version.class,
    sortOptions = false,
    footer = {
      "",
      "In the chat: send <message>, who, leave (or Ctrl-D), help.",
      "CHAT_HOST, CHAT_PORT, CHAT_USERNAME, CHAT_TLS=true, CHAT_TLS_CA,",
      "CHAT_KEY_FILE and CHAT_RETRY=true stand in for options that are not given.",
      "Exit codes: 0 left in order and everything confirmed, 1 error or something",
      "not confirmed, 2 usage, 3 refused at the door."
    })
public final class ClientMain {
  @Mixin private final DoorOptions door = new DoorOptions();

  @Option(
      names = "--history",
      paramLabel = "N",
      description = "past messages to show first (10 at a terminal, otherwise 0)")
  private @Nullable String history;

  @Option(names = "--no-bell", description = "do not ring when somebody says your name")
  private boolean noBell;

  @Option(names = "--quiet", description = "do not show who comes and goes")
  private boolean quiet;

  @Option(names = "--json", description = "print one JSON object a line, for programs to read")
  private boolean json;

  @Option(
      names = "--log",
      paramLabel = "FILE",
      description = "append what happens in the room, with its positions")
  private @Nullable Path log;

  private ClientMain() {}

  public static void main(String[] args) {
    ClientMain options = new ClientMain();
    System.exit(Program.run(options, args, options::run));
  }

  private int run(Interrupts interrupts) throws IOException, InterruptedException {
    boolean prompting = !json && atTerminal();
    Settings settings = settings(prompting);
    try (TranscriptFile file = log == null ? null : TranscriptFile.open(log)) {
      return prompting
          ? runAtTerminal(settings, file, interrupts)
          : runInPipe(settings, file, interrupts);
    } catch (TranscriptFile.UnusableException e) {
      Program.complain(String.valueOf(e.getMessage()));
      return ExitCode.ERROR;
    }
  }

  private static int runAtTerminal(
      Settings settings, @Nullable TranscriptFile file, Interrupts interrupts)
      throws IOException, InterruptedException {
    boolean plain = DoorOptions.isSet("NO_COLOR") || "dumb".equals(System.getenv("TERM"));
    TerminalScreen terminal = TerminalScreen.open(plain);
    interrupts.atOnce(terminal::restore);
    Screen screen = file == null ? terminal : file.beside(terminal);
    int exitCode = ExitCode.ERROR;
    try {
      exitCode =
          new Visit(settings, transcript(), new PromptInput(terminal), screen, interrupts).run();
    } finally {
      if (!terminal.restore()) {
        // An exit in order would wait for the terminal, too.
        Runtime.getRuntime().halt(exitCode);
      }
    }
    return exitCode;
  }

  private static int runInPipe(
      Settings settings, @Nullable TranscriptFile file, Interrupts interrupts)
      throws InterruptedException {
    Screen plain = PlainScreen.ofProcess(settings.json() ? Screen.Kind.RECORD : Screen.Kind.TALK);
    Screen screen = file == null ? plain : file.beside(plain);
    Input input = new PipeInput(new FileInputStream(FileDescriptor.in));
    return new Visit(settings, transcript(), input, screen, interrupts).run();
  }

  private static Transcript transcript() {
    return new Transcript(Clock.system(ZoneId.systemDefault()));
  }

  private Settings settings(boolean prompting) throws UnreadableException {
    String name = door.username("");
    if (name == null && !prompting) {
      throw wrong("a name is needed: --username NAME or CHAT_USERNAME");
    }
    return new Settings(
        door.host(),
        door.port(),
        door.admission(),
        name,
        history == null
            ? null
            : DoorOptions.number("--history", history, 0, JoinRequest.HISTORY_MAX),
        !noBell,
        quiet,
        door.retry(),
        json,
        log != null);
  }

  /** Since JDK 22 there may be a console without a terminal, and a method that tells. */
  @SuppressWarnings("SystemConsoleNull") // which is what is looked at here
  private static boolean atTerminal() {
    Console console = System.console();
    if (console == null) {
      return false;
    }
    try {
      return (boolean) Console.class.getMethod("isTerminal").invoke(console);
    } catch (ReflectiveOperationException e) {
      return true;
    }
  }
}
