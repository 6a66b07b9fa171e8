package simplechat.cli;

import java.io.Console;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.ZoneId;
import java.util.logging.LogManager;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import simplechat.client.JoinRequest;

/** {@code chat client}: reads the command line, opens the terminal, and gives back an exit code. */
@Command(
    name = "chat client",
    description = "Joins a chat from this terminal, or from a script through a pipe.",
    mixinStandardHelpOptions = true,
    versionProvider = ClientMain.Version.class,
    sortOptions = false,
    footer = {
      "",
      "In the chat: send <message>, who, leave (or Ctrl-D), help.",
      "CHAT_HOST, CHAT_PORT, CHAT_USERNAME and CHAT_RETRY=true stand in for options that are not",
      "given.",
      "Exit codes: 0 left in order and everything confirmed, 1 error or something not confirmed,",
      "2 usage, 3 refused at the door."
    })
public final class ClientMain {
  private static final String DEFAULT_HOST = "127.0.0.1";
  private static final String DEFAULT_PORT = "8080";

  @Option(
      names = "--host",
      paramLabel = "HOST",
      description = "name or address of the server (" + DEFAULT_HOST + ")")
  private @Nullable String host;

  @Option(
      names = {"-p", "--port"},
      paramLabel = "PORT",
      description = "its port (" + DEFAULT_PORT + ")")
  private @Nullable String port;

  @Option(
      names = {"-u", "--username"},
      paramLabel = "NAME",
      description = "your name in the chat (asked for at a terminal)")
  private @Nullable String username;

  @Option(
      names = "--history",
      paramLabel = "N",
      description = "past messages to show first (10 at a terminal, otherwise 0)")
  private @Nullable String history;

  @Option(names = "--retry", description = "go on trying until the server lets you in")
  private boolean retry;

  @Option(names = "--no-bell", description = "do not ring when somebody says your name")
  private boolean noBell;

  @Option(names = "--quiet", description = "do not show who comes and goes")
  private boolean quiet;

  private ClientMain() {}

  public static void main(String[] args) {
    // Nothing that a library has to say about itself may reach the screen of a conversation.
    LogManager.getLogManager().reset();
    System.setProperty("io.netty.leakDetection.level", "disabled");
    System.setProperty("io.netty.noUnsafe", "true");
    int code;
    try {
      code = run(args);
    } catch (IOException | RuntimeException e) {
      complain("internal error: " + e);
      code = ExitCode.ERROR;
    }
    System.exit(code);
  }

  private static int run(String[] args) throws IOException {
    ClientMain options = new ClientMain();
    CommandLine commandLine = new CommandLine(options);
    Settings settings;
    boolean atTerminal = atTerminal();
    try {
      commandLine.parseArgs(args);
      if (commandLine.isUsageHelpRequested() || commandLine.isVersionHelpRequested()) {
        return printHelp(commandLine);
      }
      settings = options.settings(atTerminal);
    } catch (ParameterException e) {
      complain(String.valueOf(e.getMessage()));
      complain("try: chat client --help");
      return ExitCode.USAGE;
    }
    Thread main = Thread.currentThread();
    Interrupts interrupts = new Interrupts(main::interrupt);
    try {
      return atTerminal ? runAtTerminal(settings, interrupts) : runInPipe(settings, interrupts);
    } catch (InterruptedException e) {
      return interrupts.exitCode();
    }
  }

  private static int runAtTerminal(Settings settings, Interrupts interrupts)
      throws IOException, InterruptedException {
    boolean plain = isSet("NO_COLOR") || "dumb".equals(System.getenv("TERM"));
    try (TerminalScreen screen = TerminalScreen.open(plain)) {
      interrupts.atOnce(screen::restore);
      return new Visit(settings, transcript(), new PromptInput(screen), screen, interrupts).run();
    }
  }

  /** The raw streams: those of System would encode by the locale, and hide a closed pipe. */
  private static int runInPipe(Settings settings, Interrupts interrupts)
      throws InterruptedException {
    PlainScreen screen =
        new PlainScreen(
            new FileOutputStream(FileDescriptor.out), new FileOutputStream(FileDescriptor.err));
    Input input = new PipeInput(new FileInputStream(FileDescriptor.in));
    return new Visit(settings, transcript(), input, screen, interrupts).run();
  }

  private static Transcript transcript() {
    return new Transcript(Clock.system(ZoneId.systemDefault()));
  }

  private Settings settings(boolean atTerminal) {
    String name = orElse(username, "CHAT_USERNAME", "");
    if (name.isEmpty() && !atTerminal) {
      throw wrong("a name is needed: --username NAME or CHAT_USERNAME");
    }
    String fault = name.isEmpty() ? null : NameOffer.fault(name);
    if (fault != null) {
      String where = username == null ? "CHAT_USERNAME: " : "";
      throw wrong(where + "'" + name + "' cannot be a name: " + fault);
    }
    String server = orElse(host, "CHAT_HOST", DEFAULT_HOST);
    if (server.startsWith("[") && server.endsWith("]")) {
      server = server.substring(1, server.length() - 1);
    }
    if (server.isBlank()) {
      throw wrong((host == null ? "CHAT_HOST" : "--host") + " is empty");
    }
    int past = number("--history", history == null ? "0" : history, 0, JoinRequest.HISTORY_MAX);
    return new Settings(
        server,
        number(
            port == null ? "CHAT_PORT" : "--port",
            orElse(port, "CHAT_PORT", DEFAULT_PORT),
            1,
            65_535),
        name.isEmpty() ? null : name,
        history == null ? null : past,
        !noBell,
        quiet,
        retry || isTrue("CHAT_RETRY"));
  }

  private static String orElse(@Nullable String given, String variable, String otherwise) {
    if (given != null) {
      return given;
    }
    return isSet(variable) ? System.getenv(variable) : otherwise;
  }

  private static boolean isSet(String variable) {
    String value = System.getenv(variable);
    return value != null && !value.isEmpty();
  }

  private static boolean isTrue(String variable) {
    String value = orElse(null, variable, "false");
    if (!value.equals("true") && !value.equals("false")) {
      throw wrong(variable + " is true or false, not '" + value + "'");
    }
    return value.equals("true");
  }

  private static int number(String what, String given, int min, int max) {
    try {
      int number = Integer.parseInt(given);
      if (number >= min && number <= max) {
        return number;
      }
    } catch (NumberFormatException e) {
      // Said below.
    }
    throw wrong(what + " is a number from " + min + " to " + max + ", not '" + given + "'");
  }

  private static ParameterException wrong(String message) {
    return new ParameterException(new CommandLine(new ClientMain()), message);
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

  private static int printHelp(CommandLine commandLine) {
    PrintWriter out =
        new PrintWriter(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8);
    if (commandLine.isUsageHelpRequested()) {
      commandLine.usage(out, CommandLine.Help.Ansi.OFF);
    } else {
      commandLine.printVersionHelp(out, CommandLine.Help.Ansi.OFF);
    }
    return ExitCode.OK;
  }

  private static void complain(String message) {
    PrintWriter err =
        new PrintWriter(new FileOutputStream(FileDescriptor.err), true, StandardCharsets.UTF_8);
    err.println(Line.of(message).plain());
  }

  /** The version of the jar, which knows it from the build. */
  static final class Version implements CommandLine.IVersionProvider {
    @Override
    public String[] getVersion() {
      String version = ClientMain.class.getPackage().getImplementationVersion();
      return new String[] {"Simple Chat " + (version == null ? "(not packaged)" : version)};
    }
  }
}
