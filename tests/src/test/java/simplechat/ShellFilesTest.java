package simplechat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;
import simplechat.support.ShellFiles;

/** Completion and manual know the options that there are. */
class ShellFilesTest {
  private static final boolean REGENERATE = Boolean.getBoolean("chat.regenerate");

  @Test
  void theFilesAreWhatTheProgramsMakeOfThem() throws Exception {
    for (Map.Entry<String, String> file : new ShellFiles().all().entrySet()) {
      Path path = Sources.root().resolve(file.getKey());
      if (REGENERATE) {
        Files.createDirectories(path.getParent());
        Files.writeString(path, file.getValue());
      }
      assertThat(Files.readString(path))
          .as("%s: -Dtest=ShellFilesTest -Dchat.regenerate=true makes it anew", file.getKey())
          .isEqualTo(file.getValue());
    }
  }

  /** Their lines are broken by hand, and would be broken again where eighty columns end. */
  @Test
  void theLastWordsOfTheHelpFitATerminal() throws Exception {
    for (CommandLine program : new ShellFiles().programs()) {
      assertThat(program.getCommandSpec().usageMessage().footer())
          .as(program.getCommandName())
          .allMatch(line -> line.length() < 80);
    }
  }

  @Test
  void bashCompletesProgramsAndTheirOptions() throws Exception {
    assertThat(completed("chat", "s")).contains("server", "send");
    assertThat(completed("chat", "client", "--js").strip()).isEqualTo("--json");
    assertThat(completed("chat", "send", "--")).contains("--username").doesNotContain("--json");
    assertThat(completed("chat", "server", "--transport", "''").strip())
        .isEqualTo("auto epoll io_uring kqueue nio");
    assertThat(completed("chat", "server", "--log-format", "''").strip()).isEqualTo("text json");
    assertThat(completed("chat", "bench", "--preset", "''").strip()).isEqualTo("volano");
  }

  @Test
  void zshUnderstandsItsFile() throws Exception {
    assumeTrue(isInstalled("zsh"), "zsh is not installed");
    assertThat(run("zsh", "-n", "completion/_chat")).isEmpty();
  }

  @Test
  void theManualIsSetWithoutAComplaint() throws Exception {
    assumeTrue(isInstalled("groff"), "groff is not installed");
    String page = run("groff", "-man", "-ww", "-Tascii", "-P-c", "-P-b", "-P-u", "docs/chat.1");
    assertThat(page)
        .contains("CHAT CLIENT", "--log FILE", "Exit codes: 0")
        .doesNotContain("warning", "error:", "${");
  }

  /** Outside of a completion bash complains that it is none, and completes all the same. */
  private static String completed(String... words) throws Exception {
    String script =
        "source completion/chat.bash; COMP_WORDS=("
            + String.join(" ", words)
            + "); COMP_CWORD="
            + (words.length - 1)
            + "; _complete_chat 2>/dev/null; echo \"${COMPREPLY[@]}\"";
    return run("bash", "-c", script);
  }

  private static String run(String... command) throws Exception {
    Process process =
        new ProcessBuilder(command)
            .directory(Sources.root().toFile())
            .redirectErrorStream(true)
            .start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor(10, TimeUnit.SECONDS)).isTrue();
    return output;
  }

  private static boolean isInstalled(String program) {
    return java.util.stream.Stream.of(System.getenv("PATH").split(File.pathSeparator, -1))
        .anyMatch(directory -> Files.isExecutable(Path.of(directory, program)));
  }
}
