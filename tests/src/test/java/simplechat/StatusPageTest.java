package simplechat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import simplechat.protocol.ErrorCode;
import simplechat.protocol.ServerMessage.Ack;
import simplechat.support.RawPeer;
import simplechat.support.ServerProcess;

/** The status page in a browser, if one is installed. */
class StatusPageTest {
  private static final List<String> BROWSERS =
      List.of("chromium", "chromium-browser", "google-chrome", "google-chrome-stable");

  @TempDir private Path dir;

  @Test
  void itShowsTheFiguresAndHasNothingToComplainOf() throws Exception {
    Optional<Path> browser = browser();
    assumeTrue(browser.isPresent(), "no Chromium or Chrome here: the status page is not looked at");
    try (ServerProcess server = ServerProcess.start("--port", "0", "--metrics-port", "0")) {
      URI status = server.status();
      try (RawPeer alice = RawPeer.connect(server.address());
          RawPeer bob = RawPeer.connect(server.address());
          RawPeer stranger = RawPeer.connect(server.address())) {
        alice.join("alice");
        bob.join("bob");
        alice.say("a secret").await(Ack.class);
        stranger.sendHex("47").expectBye(ErrorCode.NOT_CHAT);
        stranger.expectEof();
        stranger.close();
        Awaitility.await()
            .untilAsserted(
                () ->
                    assertThat(WatchTest.get(status.resolve("/metrics")).body())
                        .contains("reason=\"not_chat\"} 1"));
        String page = look(browser.get(), status);
        assertThat(page)
            .contains("id=\"state\" role=\"status\" class=\"good\">open<")
            .contains("id=\"members\">2<")
            .contains("id=\"messagesEver\">1 so far<")
            .contains("<dt>not chat</dt><dd>1</dd>")
            .containsPattern("<path id=\"curve\" d=\"M[\\d. L]+\"")
            .doesNotContain("alice", "bob", "secret", "undefined", "NaN");
      }
    }
  }

  /**
   * The document as the page's script has made it, after some seconds of the browser's own time.
   */
  private String look(Path browser, URI page) throws Exception {
    Path shown = dir.resolve("page.html");
    Path said = dir.resolve("console");
    Process process =
        new ProcessBuilder(
                browser.toString(),
                "--headless=new",
                "--no-sandbox",
                "--disable-gpu",
                "--user-data-dir=" + dir.resolve("profile"),
                "--enable-logging=stderr",
                "--virtual-time-budget=7000",
                "--dump-dom",
                page.toString())
            .redirectOutput(shown.toFile())
            .redirectError(said.toFile())
            .start();
    try {
      assertThat(process.waitFor(60, TimeUnit.SECONDS)).as("the browser ends").isTrue();
    } finally {
      process.descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly();
    }
    assertThat(Files.readString(said, StandardCharsets.ISO_8859_1)).doesNotContain("CONSOLE");
    return Files.readString(shown);
  }

  private static Optional<Path> browser() {
    return Stream.of(System.getenv("PATH").split(File.pathSeparator, -1))
        .flatMap(directory -> BROWSERS.stream().map(name -> Path.of(directory, name)))
        .filter(Files::isExecutable)
        .findFirst();
  }
}
