package simplechat;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import simplechat.protocol.ErrorCode;
import simplechat.protocol.ServerMessage.Ack;
import simplechat.protocol.ServerMessage.Msg;
import simplechat.support.RawPeer;
import simplechat.support.ServerProcess;

/** The programs as they are shipped: each jar alone, as a process. */
class PackagedJarsIT {
  private static final Path SERVER = jar("server");
  private static final Path CLIENT = jar("client");
  private static final Path BENCH = jar("bench");

  @Test
  void theServerJarIsAWholeServer() {
    try (ServerProcess server = server();
        RawPeer alice = RawPeer.connect(server.address());
        RawPeer bob = RawPeer.connect(server.address())) {
      alice.join("alice");
      bob.join("bob");
      bob.say("hello").expect(Ack.class);
      assertThat(alice.await(Msg.class).text()).isEqualTo("hello");
      server.signal("TERM");
      alice.expectBye(ErrorCode.SHUTDOWN);
      bob.expectBye(ErrorCode.SHUTDOWN);
      alice.close();
      bob.close();
      assertThat(server.exit()).isZero();
      assertThat(server.out()).hasSize(1);
      assertThat(server.err()).isEmpty();
      assertThat(server.log()).anyMatch(line -> line.contains("transport "));
    }
  }

  /** "Without it nothing of this exists: no class of it is loaded." */
  @Test
  void nothingOfRedisIsLoadedUnlessItIsAskedFor(@TempDir Path dir) throws IOException {
    List<String> alone = loadedBy(dir, "--port", "0");
    assertThat(alone).anyMatch(line -> line.contains(" simplechat.room.LocalBackplane "));
    assertThat(alone).noneMatch(PackagedJarsIT::isOfRedis);
    assertThat(loadedBy(dir, "--redis", "redis://127.0.0.1:1", "--port", "0"))
        .as("what is looked for is to be found where it is")
        .anyMatch(PackagedJarsIT::isOfRedis);
  }

  private static boolean isOfRedis(String line) {
    return line.contains(" io.lettuce.") || line.contains(" simplechat.redis.");
  }

  /** The classes of a server that somebody was at, or that did not start. */
  private static List<String> loadedBy(Path dir, String... options) throws IOException {
    Path file = Files.createTempDirectory(dir, "loaded").resolve("classes.log");
    List<String> command =
        Stream.concat(
                Stream.of(
                    ServerProcess.java(), "-Xlog:class+load:file=" + file, "-jar", "" + SERVER),
                Stream.of(options))
            .toList();
    try (ServerProcess server = ServerProcess.run(Map.of(), command)) {
      if (options.length == 2) {
        try (RawPeer alice = RawPeer.connect(server.address())) {
          alice.join("alice");
          alice.say("hello").expect(Ack.class);
        }
        server.signal("TERM");
      }
      server.exit();
      return Files.readAllLines(file);
    }
  }

  @Test
  void theServerJarKnowsItsVersion() {
    try (ServerProcess server = run(SERVER, "--version")) {
      assertThat(server.exit()).isZero();
      assertThat(server.out()).singleElement().asString().matches("Simple Chat \\d+\\.\\d+.*");
    }
  }

  @Test
  void aMessageReachesTheOtherClientAndNotItsSender() {
    try (ServerProcess server = server()) {
      InetSocketAddress address = server.address();
      try (ServerProcess alice = client(address, "alice");
          ServerProcess bob = client(address, "bob")) {
        alice.type("who");
        awaitLine(alice, "bob");
        bob.type("send hello from bob");
        awaitLine(alice, "bob: hello from bob");
        bob.type("leave");
        assertThat(bob.exit()).isZero();
        assertThat(bob.out()).noneMatch(line -> line.contains("hello from bob"));
        alice.endOfInput();
        assertThat(alice.exit()).isZero();
        assertThat(Stream.concat(alice.err().stream(), bob.err().stream())).isEmpty();
      }
      assertThat(server.signal("TERM").exit()).isZero();
      assertThat(server.err()).isEmpty();
      assertThat(server.log()).anyMatch(line -> line.contains("transport "));
    }
  }

  @Test
  void theBenchCountsEveryDelivery() {
    try (ServerProcess server = server()) {
      String port = Integer.toString(server.address().getPort());
      String pid = Long.toString(server.pid());
      try (ServerProcess bench =
          run(
              BENCH,
              "--port",
              port,
              "--pid",
              pid,
              "--preset",
              "volano",
              "--warm-up",
              "0",
              "--json")) {
        assertThat(bench.exit()).isZero();
        assertThat(bench.out())
            .singleElement()
            .asString()
            .contains("\"lost\":0,")
            .containsPattern("\"idle_rss_mib\":\\d+\\.")
            .containsPattern("(\"messages\":2000,\"deliveries\":38000}.*){3}");
      }
      assertThat(server.signal("TERM").exit()).isZero();
    }
  }

  private static void awaitLine(ServerProcess program, String part) {
    Awaitility.await(part)
        .until(() -> program.out().stream().anyMatch(line -> line.contains(part)));
  }

  private static ServerProcess server() {
    return run(SERVER, "--port", "0");
  }

  private static ServerProcess client(InetSocketAddress address, String name) {
    return run(
        CLIENT,
        "--host",
        address.getHostString(),
        "--port",
        Integer.toString(address.getPort()),
        "--username",
        name);
  }

  private static ServerProcess run(Path jar, String... options) {
    Stream<String> java =
        Stream.of(
            ServerProcess.java(), "-Xlog:disable", "-Xlog:all=error:stderr", "-jar", "" + jar);
    List<String> command = Stream.concat(java, Stream.of(options)).toList();
    return ServerProcess.run(Map.of(), command);
  }

  private static Path jar(String module) {
    return Sources.root().resolve(module).resolve("target/chat-" + module + ".jar");
  }
}
