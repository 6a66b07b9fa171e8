package simplechat.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;
import simplechat.protocol.RoomKey;

/** K6 and K7, before a connection is made. */
class AdmissionTest {
  @TempDir private Path dir;

  @ParameterizedTest
  @ValueSource(strings = {"s3cret", "s3cret\n", "s3cret\r\n"})
  void aFileHoldsTheKeyAndALineEnd(String content) throws Exception {
    Admission admission = admission("127.0.0.1", "--key-file", "" + file(content));
    assertThat(admission.key()).isEqualTo(new RoomKey("s3cret".getBytes(StandardCharsets.UTF_8)));
    assertThat("" + admission).doesNotContain("s3cret");
  }

  @ParameterizedTest
  @ValueSource(strings = {"127.0.0.1", "127.8.8.8", "::1", "localhost", "0:0:0:0:0:0:0:1"})
  void theKeyMayGoToThisMachine(String host) throws Exception {
    assertThat(admission(host, "--key-file", "" + file("s3cret")).key()).isNotNull();
  }

  @ParameterizedTest
  @ValueSource(strings = {"10.0.0.1", "fe80::1", "localhost.example.org", "chat.example.org"})
  void theKeyDoesNotGoReadablyToAnother(String host) throws Exception {
    String file = file("s3cret").toString();
    assertThatThrownBy(() -> admission(host, "--key-file", file))
        .isInstanceOf(ParameterException.class)
        .hasMessageContaining("readable on the way to " + host);
    assertThat(admission(host, "--key-file", file, "--insecure").key()).isNotNull();
    assertThat(admission(host).key()).isNull();
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "\n", "\r\n"})
  void anEmptyKeyIsNone(String content) throws Exception {
    String file = file(content).toString();
    assertThatThrownBy(() -> admission("127.0.0.1", "--key-file", file))
        .isInstanceOf(ParameterException.class)
        .hasMessageContaining("--key-file: a room key has 1 to 255 bytes");
  }

  @Test
  void aLongKeyIsRefusedAndTheLongestIsNot() throws Exception {
    assertThat(admission("::1", "--key-file", "" + file("x".repeat(255) + "\r\n")).key())
        .isNotNull();
    String file = file("x".repeat(256)).toString();
    assertThatThrownBy(() -> admission("127.0.0.1", "--key-file", file))
        .isInstanceOf(ParameterException.class)
        .hasMessage("--key-file: a room key has 1 to 255 bytes, not 256");
  }

  /** Of a file that is no key nobody reads all, so nobody says how long it is. */
  @Test
  void aFileThatIsMuchLongerThanAKeyIsSaidToHaveMore() throws Exception {
    String file = file("x".repeat(21_596)).toString();
    assertThatThrownBy(() -> admission("127.0.0.1", "--key-file", file))
        .isInstanceOf(ParameterException.class)
        .hasMessage("--key-file: a room key has 1 to 255 bytes, and " + file + " has more");
  }

  @Test
  void aFileThatCannotBeReadIsNamedWithTheReason() {
    String file = dir.resolve("gone").toString();
    assertThatThrownBy(() -> admission("127.0.0.1", "--key-file", file))
        .isInstanceOf(UnreadableException.class)
        .hasMessage("cannot read " + file + ": no such file");
    assertThatThrownBy(() -> admission("127.0.0.1", "--key-file", file("x") + "/key"))
        .isInstanceOf(UnreadableException.class)
        .hasMessage("cannot read " + dir.resolve("key") + "/key: Not a directory");
  }

  private Path file(String content) throws Exception {
    return Files.writeString(dir.resolve("key"), content);
  }

  private static Admission admission(String host, String... args) throws Exception {
    AdmissionOptions options = new AdmissionOptions();
    new CommandLine(
            CommandLine.Model.CommandSpec.create()
                .addMixin("it", CommandLine.Model.CommandSpec.forAnnotatedObject(options)))
        .parseArgs(args);
    return options.admission(host);
  }
}
