package simplechat;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import simplechat.protocol.ServerMessage.Joined;
import simplechat.protocol.ServerMessage.Left;
import simplechat.protocol.ServerMessage.Msg;
import simplechat.support.RawPeer;
import simplechat.support.RunningServer;

/** {@code ./chat}, in a checkout that is built and whose path has a blank. */
class LauncherIT {
  private static final Path ROOT = Sources.root();
  private static final String JAVA_HOME = System.getProperty("java.home");

  /** What the launcher calls, but for Java and Maven. */
  private static final List<String> TOOLS =
      List.of(
          "basename",
          "cat",
          "cksum",
          "dirname",
          "find",
          "flock",
          "head",
          "locale",
          "mkdir",
          "readlink",
          "rm",
          "sed",
          "sh",
          "touch");

  @TempDir private Path dir;
  private Path checkout;
  private Path link;

  private record Ended(int status, String out, String err) {}

  @BeforeEach
  void checkOut() throws IOException {
    checkout = Files.createDirectories(dir.resolve("a check out"));
    for (String file : List.of("chat", "pom.xml")) {
      Files.copy(ROOT.resolve(file), checkout.resolve(file), StandardCopyOption.COPY_ATTRIBUTES);
    }
    for (String module : List.of("server", "client")) {
      Path target = Files.createDirectories(checkout.resolve(module + "/target"));
      String jar = "chat-" + module + ".jar";
      Files.copy(ROOT.resolve(module + "/target/" + jar), target.resolve(jar));
    }
    link = Files.createSymbolicLink(dir.resolve("link"), Path.of("a check out/chat"));
  }

  @Test
  void itRunsFromAnyDirectoryThroughALinkAndHandsOnTheExitCode() throws Exception {
    Ended version = run(Map.of("JAVA_HOME", JAVA_HOME), "client", "--version");
    assertThat(version.status()).as(version.err()).isZero();
    assertThat(version.out()).startsWith("Simple Chat ");
    Ended wrong = run(Map.of("JAVA_HOME", JAVA_HOME), "server", "--port", "abc");
    assertThat(wrong.status()).isEqualTo(2);
    assertThat(wrong.err()).startsWith("chat server: ").hasLineCount(2);
    Ended unknown = run(Map.of(), "serve");
    assertThat(unknown.status()).isEqualTo(2);
    assertThat(unknown.err()).isEqualTo("chat: unknown command 'serve', see chat --help\n");
  }

  /** Also where the locale that is asked for is not installed, and the JVM falls back to ASCII. */
  @Test
  void argumentsAreUtf8InEveryLocale() throws Exception {
    try (RunningServer server = RunningServer.start()) {
      RawPeer bob = server.join("bob");
      for (String locale : List.of("xx_YY.UTF-8", "POSIX")) {
        String send =
            "exec \"$0\" send --port %d -u ann \"$(printf 'Gr\\303\\274\\303\\237e')\""
                .formatted(server.address().getPort());
        Ended sent =
            end(
                start(
                    Map.of("JAVA_HOME", JAVA_HOME, "LC_ALL", locale),
                    List.of("sh", "-c", send, "" + link)));
        assertThat(sent.status()).as(sent.err()).isZero();
        assertThat(bob.await(Msg.class).text()).isEqualTo("Grüße");
      }
    }
  }

  /**
   * As some that start programs in the background leave it: the JVM would read its own jar there.
   */
  @Test
  void aClosedStdinIsOneThatHasEnded() throws Exception {
    try (RunningServer server = RunningServer.start()) {
      RawPeer bob = server.join("bob");
      String join = "exec \"$0\" client --port " + server.address().getPort() + " -u ann <&-";
      Ended ended =
          end(start(Map.of("JAVA_HOME", JAVA_HOME), List.of("sh", "-c", join, "" + link)));
      assertThat(ended.status()).as(ended.err()).isZero();
      assertThat(ended.err()).isEmpty();
      bob.expect(Joined.class);
      bob.expect(Left.class);
    }
    Ended complaint =
        end(start(Map.of(), List.of("sh", "-c", "exec \"$0\" serve 2>&-", "" + link)));
    assertThat(complaint.status()).isEqualTo(2);
  }

  @Test
  void withoutMavenItSaysWhatIsMissing() throws Exception {
    Files.delete(checkout.resolve("client/target/chat-client.jar"));
    Ended ended = run(Map.of("JAVA_HOME", JAVA_HOME, "PATH", "" + bin()), "client");
    assertThat(ended.status()).isEqualTo(1);
    assertThat(ended.err()).hasLineCount(1).contains("Maven");
    // What is built already can be used without.
    Ended server = run(Map.of("JAVA_HOME", JAVA_HOME, "PATH", "" + bin()), "server", "--version");
    assertThat(server.status()).as(server.err()).isZero();
  }

  /** As those who keep several versions have it. */
  @Test
  void aScriptThatFindsJavaIsAskedWhichOne() throws Exception {
    Path bin = bin();
    script(bin.resolve("java"), "exec '%s/bin/java' \"$@\"".formatted(JAVA_HOME));
    Ended ended =
        run(
            Map.of("PATH", "" + bin, "JAVA_OPTS", "-XshowSettings:properties"),
            "client",
            "--version");
    assertThat(ended.status()).as(ended.err()).isZero();
    assertThat(ended.out() + ended.err()).contains("java.home = " + JAVA_HOME + "\n");
  }

  @Test
  void aJavaHomeWithoutAJavaIsNamedAndDoesNoHarm() throws Exception {
    Path bin = bin();
    script(bin.resolve("java"), "exec '%s/bin/java' \"$@\"".formatted(JAVA_HOME));
    Ended ended = run(Map.of("PATH", "" + bin, "JAVA_HOME", "/nowhere"), "client", "--version");
    assertThat(ended.status()).isZero();
    assertThat(ended.err())
        .isEqualTo("chat: JAVA_HOME has no Java 17 or later, so another is looked for: /nowhere\n");
  }

  private Path bin() throws IOException {
    Path bin = Files.createDirectories(dir.resolve("shims"));
    for (String tool : TOOLS) {
      for (Path place : List.of(Path.of("/usr/bin"), Path.of("/bin"))) {
        if (Files.exists(place.resolve(tool))) {
          script(bin.resolve(tool), "exec %s \"$@\"".formatted(place.resolve(tool)));
        }
      }
    }
    return bin;
  }

  private static void script(Path file, String line) throws IOException {
    Files.writeString(file, "#!/bin/sh\n" + line + "\n");
    assertThat(file.toFile().setExecutable(true)).isTrue();
  }

  private Ended run(Map<String, String> environment, String... arguments) throws Exception {
    List<String> command = new ArrayList<>(List.of("" + link));
    command.addAll(List.of(arguments));
    return end(start(environment, command));
  }

  private Process start(Map<String, String> environment, List<String> command) throws IOException {
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().keySet().removeIf(LauncherIT::changesIt);
    builder.environment().putAll(environment);
    return builder
        .directory(Path.of("/").toFile())
        .redirectOutput(dir.resolve("out").toFile())
        .redirectError(dir.resolve("err").toFile())
        .start();
  }

  private static boolean changesIt(String variable) {
    return variable.startsWith("CHAT_")
        || variable.startsWith("JAVA_")
        || variable.startsWith("LC_");
  }

  private Ended end(Process process) throws Exception {
    assertThat(process.waitFor(1, TimeUnit.MINUTES)).as("it ends").isTrue();
    return new Ended(
        process.exitValue(),
        Files.readString(dir.resolve("out")),
        Files.readString(dir.resolve("err")));
  }
}
