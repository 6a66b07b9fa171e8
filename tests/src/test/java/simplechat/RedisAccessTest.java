package simplechat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.lettuce.core.codec.StringCodec;
import io.lettuce.core.output.StatusOutput;
import io.lettuce.core.protocol.CommandArgs;
import io.lettuce.core.protocol.CommandType;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import simplechat.protocol.ClientMessage.Leave;
import simplechat.protocol.ErrorCode;
import simplechat.protocol.ServerMessage.Ack;
import simplechat.protocol.ServerMessage.Bye;
import simplechat.protocol.ServerMessage.Joined;
import simplechat.protocol.ServerMessage.Left;
import simplechat.protocol.ServerMessage.Msg;
import simplechat.redis.RedisSettings;
import simplechat.server.TlsFiles;
import simplechat.support.Load;
import simplechat.support.RawPeer;
import simplechat.support.RedisServer;
import simplechat.support.RunningServer;
import simplechat.support.Sentinel;
import simplechat.support.ServerProcess;
import simplechat.support.TestTls;
import simplechat.support.TwoServers;

/** How a server gets to its Redis: user, password, rights, TLS, and Sentinel. */
class RedisAccessTest {
  private static final String PASSWORD = "secretword";

  /** A server under a user with the rights that docs/SCALING.md lists does all that it has to. */
  @Test
  void theRightsThatAreListedAreEnough() throws IOException {
    try (RedisServer redis = RedisServer.start()) {
      allow(redis);
      String uri = "redis://chat:%s@127.0.0.1:%d/0".formatted(PASSWORD, redis.port());
      Duration lease = Duration.ofSeconds(1);
      try (RunningServer one = TwoServers.node(uri, lease)) {
        RawPeer alice = one.join("alice");
        try (RunningServer two = TwoServers.node(uri, lease)) {
          RawPeer bob = two.join("bob");
          bob.say("hi").expect(Ack.class);
          bob.say("").expectError(ErrorCode.TEXT_EMPTY, 2);
          bob.reset();
          alice.await(Left.class);
          RawPeer again = one.resume(bob);
          again.say("here").expect(Ack.class);
          again.send(new Leave()).await(Bye.class);
          two.join("carol").reset();
          two.drain();
        }
        alice.await(Left.class, left -> left.name().equals("carol"));
        redis.commands().keys("chat:lease:*").forEach(redis.commands()::del);
        alice.await(Bye.class);
        await().until(() -> one.server().unready() == null);
        one.resume(alice).expectNothing();
        redis.commands().flushall();
        await().until(() -> one.server().unready() == null && one.members() == 0);
      }
      assertThat(redis.commands().aclLog())
          .extracting(refused -> refused.get("object"))
          .allMatch("config|get"::equals);
    }
  }

  /** What the scripts call in cases that are too rare for that test. */
  @Test
  void theRightsThatAreListedAreThoseOfTheScripts() throws IOException {
    List<String> rights = rights();
    Pattern call = Pattern.compile("redis\\.p?call\\('(\\w+)'");
    Set<String> called = new TreeSet<>();
    for (Path script : Sources.endingIn(".lua")) {
      call.matcher(Files.readString(script)).results().forEach(one -> called.add(one.group(1)));
    }
    assertThat(called).hasSizeGreaterThan(15);
    assertThat(called)
        .allSatisfy(
            one ->
                assertThat(rights).anyMatch(right -> right.matches("(?i)\\+" + one + "(\\|.*)?")));
  }

  /**
   * TLS, with a user: and nothing of who it is is told to whoever reads the log, in which nothing
   * else is that worries. Over the server's kind of sockets, which is not Lettuce's first choice.
   */
  @Test
  void itIsReachedByTlsAndPassword() throws Exception {
    TlsFiles files = TestTls.good();
    try (RedisServer redis = RedisServer.startWithTls(files)) {
      allow(redis);
      String place = "127.0.0.1:" + redis.tlsPort();
      String trust =
          "-Djavax.net.ssl.trustStorePassword=changeit -Djavax.net.ssl.trustStore="
              + trusting(files);
      Map<String, String> environment =
          Map.of(
              "CHAT_REDIS", "rediss://chat:" + PASSWORD + "@" + place, "JDK_JAVA_OPTIONS", trust);
      try (ServerProcess server =
              ServerProcess.start(
                  environment, "--port", "0", "--metrics-port", "0", "--transport", "nio");
          RawPeer alice = RawPeer.connect(server.address())) {
        alice.join("alice");
        alice.say("hi").expect(Ack.class);
        figuresOfTheBookAreShown(WatchTest.get(server.status().resolve("/metrics")).body());
        server.signal("TERM");
        alice.await(Bye.class);
        alice.close();
        assertThat(server.exit()).isZero();
        assertThat(server.log()).anyMatch(line -> line.contains("follows the room at " + place));
        assertThat(server.log())
            .noneMatch(RedisAccessTest::tellsWho)
            .noneMatch(line -> line.contains(" ERROR ") || line.contains(" WARN "));
      }
      Map<String, String> untrusted = Map.of("CHAT_REDIS", environment.get("CHAT_REDIS"));
      refuses(untrusted, place, "certif");
      assertThatThrownBy(
              () ->
                  TwoServers.node(
                      "redis://chat:another@127.0.0.1:" + redis.port(), RedisSettings.LEASE))
          .hasMessageContaining("cannot use Redis at 127.0.0.1:" + redis.port() + ": WRONGPASS")
          .hasMessageNotContaining("another");
    }
  }

  private static void figuresOfTheBookAreShown(String metrics) throws IOException {
    Set<String> figures =
        DeployTest.figures(Files.readString(Sources.root().resolve("docs/OPERATING.md")));
    figures.removeIf(figure -> !figure.startsWith(DeployTest.OF_REDIS));
    assertThat(figures).hasSizeGreaterThan(4);
    assertThat(figures).allMatch(figure -> metrics.contains("\n" + figure));
  }

  private static void refuses(Map<String, String> environment, String place, String why) {
    try (ServerProcess server = ServerProcess.start(environment, "--port", "0")) {
      assertThat(server.exit()).isEqualTo(1);
      assertThat(server.err())
          .anyMatch(
              line -> line.contains("cannot use Redis at " + place + ": ") && line.contains(why));
      assertThat(server.log()).noneMatch(RedisAccessTest::tellsWho);
    }
  }

  private static boolean tellsWho(String line) {
    return line.contains(PASSWORD) || line.contains("another") || line.contains("chat:");
  }

  /** The room goes on where Sentinel says that it is now. */
  @Test
  void itIsFoundBySentinel() throws IOException {
    try (RedisServer redis = RedisServer.start();
        RedisServer replica = RedisServer.start("--replicaof", "127.0.0.1 " + redis.port());
        Sentinel sentinel = redis.watched()) {
      allow(redis);
      allow(replica);
      String uri =
          "redis-sentinel://chat:%s@127.0.0.1:%d/0#room".formatted(PASSWORD, sentinel.port());
      try (RunningServer one = TwoServers.node(uri, RedisSettings.LEASE)) {
        RawPeer alice = one.join("alice");
        RawPeer bob = one.join("bob");
        alice.expect(Joined.class);
        alice.say("before").expect(Ack.class);
        bob.expect(Msg.class);
        if (!Load.isFull()) {
          return;
        }
        await()
            .atMost(Duration.ofSeconds(20))
            .until(
                () ->
                    sentinel.commands().replicas("room").size() == 1
                        && redis.commands().info("replication").contains("state=online"));
        sentinel.commands().failover("room");
        await()
            .atMost(Duration.ofSeconds(20))
            .until(
                () ->
                    replica.commands().info("replication").contains("role:master")
                        && redis.commands().info("replication").contains("role:slave"));
        alice.say("after");
        assertThat(bob.hasNext(Duration.ofSeconds(20))).isTrue();
        assertThat(bob.expect(Msg.class).text()).isEqualTo("after");
        assertThat(replica.commands().hget("chat:room", "end")).isEqualTo("4");
      }
    }
  }

  private static void allow(RedisServer redis) throws IOException {
    CommandArgs<String, String> setUser = new CommandArgs<>(StringCodec.UTF8).add("SETUSER");
    rights().forEach(setUser::add);
    redis.commands().dispatch(CommandType.ACL, new StatusOutput<>(StringCodec.UTF8), setUser);
  }

  /** As the page has them, with a password. */
  private static List<String> rights() throws IOException {
    String page = Files.readString(Sources.root().resolve("docs/SCALING.md"));
    Matcher listed = Pattern.compile("ACL SETUSER ([^`]*?)\\n\\n").matcher(page);
    assertThat(listed.find()).isTrue();
    return List.of(listed.group(1).strip().replace(">PASSWORD", ">" + PASSWORD).split("\\s+"));
  }

  private static Path trusting(TlsFiles files) throws IOException, GeneralSecurityException {
    KeyStore store = KeyStore.getInstance("PKCS12");
    store.load(null, null);
    try (InputStream in = Files.newInputStream(files.certificates())) {
      store.setCertificateEntry(
          "it", CertificateFactory.getInstance("X.509").generateCertificate(in));
    }
    Path file = Files.createTempFile("trust", ".p12");
    file.toFile().deleteOnExit();
    try (OutputStream out = Files.newOutputStream(file)) {
      store.store(out, "changeit".toCharArray());
    }
    return file;
  }
}
