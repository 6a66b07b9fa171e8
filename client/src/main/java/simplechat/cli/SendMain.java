package simplechat.cli;

import static simplechat.cli.Program.wrong;

import java.io.BufferedInputStream;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;
import simplechat.protocol.Limits;

/** {@code chat send}: one message, and an exit code that tells whether the room has it. */
@Command(
    name = "chat send",
    description = "Says one message, and ends when the room has it.",
    mixinStandardHelpOptions = true,
    versionProvider = Program.Version.class,
    sortOptions = false,
    footer = {
      "",
      "CHAT_HOST, CHAT_PORT, CHAT_USERNAME, CHAT_TLS=true, CHAT_TLS_CA,",
      "CHAT_KEY_FILE and CHAT_RETRY=true stand in for options that are not given. It",
      "prints nothing but errors. Exit codes: 0 the room has it, 1 it may not have it,",
      "2 usage, 3 refused at the door."
    })
public final class SendMain {
  @Mixin private final DoorOptions door = new DoorOptions();

  @Parameters(
      arity = "0..*",
      paramLabel = "TEXT",
      description = "the message, words apart by a space; without any, all of the standard input")
  private final List<String> words = new ArrayList<>();

  private SendMain() {}

  public static void main(String[] args) {
    SendMain options = new SendMain();
    System.exit(Program.run(options, args, options::run));
  }

  private int run(Interrupts interrupts) throws IOException, InterruptedException {
    String name = door.username(System.getProperty("user.name", ""));
    if (name == null) {
      throw wrong("a name is needed: --username NAME or CHAT_USERNAME");
    }
    Settings settings =
        new Settings(
            door.host(),
            door.port(),
            door.admission(),
            name,
            0,
            false,
            true,
            door.retry(),
            false,
            false);
    // Nothing has been done yet, and no interrupt ends a read of the standard input.
    interrupts.begin(() -> Runtime.getRuntime().halt(interrupts.exitCode()));
    String text = words.isEmpty() ? read(standardInput()) : String.join(" ", words);
    if (text.isBlank()) {
      throw wrong("there is nothing to send");
    }
    Transcript transcript = new Transcript(Clock.system(ZoneId.systemDefault()));
    Screen complaints = PlainScreen.ofProcess(Screen.Kind.RECORD);
    return new Visit(settings, transcript, new OneMessage(text), complaints, interrupts).run();
  }

  /** Buffered, because a bare stream of a file asks for its size, which a pipe does not have. */
  private static InputStream standardInput() {
    return new BufferedInputStream(new FileInputStream(FileDescriptor.in));
  }

  /** All of a stream, without its last line end; no server takes more than is read. */
  private static String read(InputStream in) throws IOException {
    int most = Limits.TEXT_MAX_BYTES + 2;
    byte[] bytes = in.readNBytes(most);
    if (bytes.length == most && in.read() >= 0) {
      throw wrong("the text is longer than " + Limits.TEXT_MAX_BYTES + " bytes");
    }
    String text;
    try {
      text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException e) {
      throw wrong("the text is not valid UTF-8");
    }
    String unix = text.replace("\r\n", "\n");
    return unix.endsWith("\n") ? unix.substring(0, unix.length() - 1) : unix;
  }

  /** An input that says this, and leaves. */
  private record OneMessage(String text) implements Input {
    @Override
    public boolean interactive() {
      return false;
    }

    @Override
    public @Nullable String ask(String question) {
      return null;
    }

    @Override
    public void start(Conversation conversation) {
      conversation.execute(new simplechat.cli.Command.Send(text));
      conversation.endOfInput();
    }

    @Override
    public void stop() {}
  }
}
