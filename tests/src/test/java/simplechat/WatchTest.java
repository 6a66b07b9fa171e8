package simplechat;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import simplechat.protocol.ErrorCode;
import simplechat.protocol.ServerMessage.Ack;
import simplechat.protocol.ServerMessage.Bye;
import simplechat.protocol.ServerMessage.Msg;
import simplechat.protocol.ServerMessage.Welcome;
import simplechat.support.RawPeer;
import simplechat.support.ServerProcess;

/** What the server program lets be seen from outside: its status by HTTP, and its log. */
class WatchTest {
  private static final HttpClient CLIENT = HttpClient.newHttpClient();

  @TempDir private Path dir;

  @Test
  void theStatusNamesNobodyAndIsNotReadyWhileItDrains() throws Exception {
    try (ServerProcess server =
        ServerProcess.start("--port", "0", "--metrics-port", "0", "--loops", "2")) {
      URI status = server.status();
      assertThat(status.getHost()).isEqualTo("127.0.0.1");
      RawPeer zebra = RawPeer.connect(server.address());
      zebra.join("zebra");
      RawPeer yak = RawPeer.connect(server.address());
      yak.join("yak");
      zebra.say("a giraffe").await(Ack.class);
      yak.await(Msg.class);
      for (String path :
          List.of("/", "/metrics", "/status.json", "/health/live", "/health/ready")) {
        HttpResponse<String> answer = get(status.resolve(path));
        assertThat(answer.statusCode()).as(path).isEqualTo(200);
        assertThat(answer.body()).as(path).doesNotContain("zebra", "yak", "giraffe");
      }
      assertThat(get(status.resolve("/metrics")).body())
          .contains("chat_members 2.0\n", "chat_messages_total 1.0\n", "chat_ready 1.0\n");

      server.signal("TERM");
      zebra.await(Bye.class);
      yak.await(Bye.class);
      HttpResponse<String> draining = get(status.resolve("/health/ready"));
      assertThat(draining.statusCode()).isEqualTo(503);
      assertThat(draining.body()).isEqualTo("draining\n");
      zebra.close();
      yak.close();
      assertThat(server.exit()).isZero();
      assertThat(server.err()).isEmpty();
      assertThat(server.log())
          .last()
          .asString()
          .contains(" stopped opened=2 open=0 closed=shutdown:2 refused=none members=2 joins=2")
          .contains(" messages=1 deliveries=2 ")
          .endsWith(" gaps=0 missed=0 log-lines-lost=0");
    }
  }

  @Test
  void withoutTheOptionNothingOfItIsLoaded() throws Exception {
    assertThat(loaded("--port", "0")).noneMatch(WatchTest::isOfStatus);
    assertThat(loaded("--port", "0", "--metrics-port", "0")).anyMatch(WatchTest::isOfStatus);
  }

  private static boolean isOfStatus(String line) {
    return line.contains(" io.prometheus.")
        || line.contains(" io.netty.handler.codec.http.")
        || line.contains(" simplechat.status.StatusExchange");
  }

  private List<String> loaded(String... options) throws IOException {
    Path classes = dir.resolve("classes" + options.length);
    Map<String, String> log = Map.of("JDK_JAVA_OPTIONS", "-Xlog:class+load:file=" + classes);
    try (ServerProcess server = ServerProcess.start(log, options)) {
      server.address();
      assertThat(server.signal("TERM").exit()).isZero();
    }
    List<String> lines = Files.readAllLines(classes);
    assertThat(lines).hasSizeGreaterThan(1000);
    return lines;
  }

  @Test
  void theLogHoldsNoTextNoTokenAndOneLineForEachEvent() {
    try (ServerProcess server = ServerProcess.start("--port", "0", "--log-level", "debug")) {
      RawPeer alice = RawPeer.connect(server.address());
      Welcome welcome = alice.join("alice");
      alice.say("a secret text\nof two lines").await(Ack.class);
      for (int i = 0; i < 100; i++) {
        try (RawPeer mallory = RawPeer.connect(server.address())) {
          mallory.sendHex("01000008 0a1b5b333161 0a0d").expectBye(ErrorCode.NOT_CHAT);
        }
      }
      server.signal("TERM");
      alice.await(Bye.class);
      alice.close();
      assertThat(server.exit()).isZero();
      assertThat(server.log())
          .allMatch(
              line -> line.matches("\\d{4}-\\d\\d-\\d\\dT[\\d:.]+Z (DEBUG|INFO|WARN) \\w+: .*"))
          .noneMatch(line -> line.contains("secret") || line.contains("of two lines"))
          .noneMatch(line -> line.contains(Long.toHexString(welcome.token().high())));
      assertThat(server.log().stream().filter(line -> line.contains("closed reason=not_chat")))
          .hasSizeBetween(10, 60);
      assertThat(server.log())
          .last()
          .asString()
          .contains("closed=not_chat:100,shutdown:1")
          .containsPattern(" log-lines-lost=[1-9]\\d");
    }
  }

  @Test
  void jsonAndTextsAreThereForWhoAsksForThem() {
    try (ServerProcess server =
        ServerProcess.start("--port", "0", "--log-format", "json", "--log-messages")) {
      RawPeer alice = RawPeer.connect(server.address());
      alice.join("alice");
      alice.say("a \"text\"\nof two lines").await(Ack.class);
      alice.close();
      server.signal("TERM");
      assertThat(server.exit()).isZero();
      assertThat(server.log())
          .allMatch(line -> line.startsWith("{\"time\":\"20") && line.endsWith("}"))
          .anyMatch(
              line ->
                  line.contains(
                      ",\"name\":\"alice\",\"bytes\":21,"
                          + "\"text\":\"a \\\"text\\\"\\u000aof two lines\"}"));
      assertThat(server.log()).last().asString().contains(",\"opened\":1,\"open\":0,");
    }
  }

  /** Nobody reads this server's stderr, and there is hardly any room left in the pipe. */
  @Test
  void aLogThatNobodyTakesHoldsUpNobody() throws Exception {
    List<String> command =
        new ArrayList<>(List.of("sh", "-c", "head -c 63000 /dev/zero >&2; exec \"$@\"", "sh"));
    command.addAll(
        ServerProcess.command("--port", "0", "--log-messages", "--metrics-port", freePort()));
    Process process = new ProcessBuilder(command).start();
    try {
      String line = process.inputReader().readLine();
      assertThat(line).startsWith("listening on ");
      InetSocketAddress address =
          new InetSocketAddress(
              InetAddress.getLoopbackAddress(), Integer.parseInt(line.replaceAll(".*:", "")));
      try (RawPeer alice = RawPeer.connect(address);
          RawPeer bob = RawPeer.connect(address)) {
        alice.join("alice");
        bob.join("bob");
        for (int i = 0; i < 60; i++) {
          alice.say("x".repeat(1024)).await(Ack.class);
          bob.await(Msg.class);
        }
        URI json =
            URI.create("http://127.0.0.1:" + command.get(command.size() - 1) + "/status.json");
        assertThat(get(json).body())
            .containsPattern("\"logLinesLost\":[1-9]")
            .contains(",\"members\":2,");
      }
      process.destroy();
      assertThat(process.waitFor(10, java.util.concurrent.TimeUnit.SECONDS)).isTrue();
      assertThat(process.exitValue()).isZero();
    } finally {
      process.destroyForcibly();
    }
  }

  private static String freePort() throws IOException {
    try (java.net.ServerSocket free = new java.net.ServerSocket(0)) {
      return Integer.toString(free.getLocalPort());
    }
  }

  static HttpResponse<String> get(URI uri) throws IOException, InterruptedException {
    HttpRequest request = HttpRequest.newBuilder(uri).timeout(Duration.ofSeconds(10)).build();
    return CLIENT.send(request, HttpResponse.BodyHandlers.ofString());
  }
}
