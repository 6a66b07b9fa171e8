package simplechat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import simplechat.client.CannotConnectException;
import simplechat.client.ChatClient;
import simplechat.client.ChatListener;
import simplechat.client.ClientOptions;
import simplechat.client.JoinRequest;
import simplechat.client.RoomEvent;
import simplechat.client.Trust;
import simplechat.protocol.ClientMessage;
import simplechat.protocol.ErrorCode;
import simplechat.protocol.ServerMessage.Ack;
import simplechat.protocol.ServerMessage.Bye;
import simplechat.protocol.ServerMessage.Joined;
import simplechat.protocol.ServerMessage.Left;
import simplechat.protocol.ServerMessage.LeftWhy;
import simplechat.protocol.ServerMessage.Msg;
import simplechat.server.Inside;
import simplechat.server.TlsFiles;
import simplechat.support.Figures;
import simplechat.support.Load;
import simplechat.support.Memory;
import simplechat.support.RawPeer;
import simplechat.support.RunningServer;
import simplechat.support.ServerProcess;
import simplechat.support.TestTls;
import simplechat.support.Together;

/** K1 to K5: what TLS adds to the promises of the room, and what it must not take from them. */
class TlsTest {
  @BeforeEach
  void speakTls() {
    TestTls.use();
  }

  @AfterEach
  void speakPlainly() {
    TestTls.unuse();
  }

  @ParameterizedTest
  @ValueSource(strings = {"localhost", "127.0.0.1"})
  void theClientJoinsTalksAndLeaves(String host) throws IOException {
    try (RunningServer server = RunningServer.start()) {
      RawPeer bob = server.join("bob");
      List<RoomEvent.Message> heard = new ArrayList<>();
      ChatClient client = connect(host, server, Trust.of(TestTls.good().certificates()), heard);
      client.join(new JoinRequest("alice", 0)).toCompletableFuture().join();
      String text = "é".repeat(20_000);
      client.send(text).toCompletableFuture().join();
      assertThat(bob.await(Msg.class).text()).isEqualTo(text);
      bob.say("hello");
      await().until(() -> heard.size() == 1);
      client.leave().toCompletableFuture().join();
      assertThat(bob.await(Left.class).why()).isEqualTo(LeftWhy.LEFT);
    }
  }

  /** Whom a client does not know, or knows under another name, it does not talk to. */
  @Test
  void theClientRefusesAServerThatIsNotTheRightOne() throws Exception {
    TlsFiles good = TestTls.good();
    CompletableFuture<TlsFiles> making =
        CompletableFuture.supplyAsync(
            () -> TestTls.make("-ext", "SAN=dns:localhost", "-startdate", "-9d", "-validity", "2"));
    TlsFiles other = TestTls.make("-ext", "SAN=dns:chat.example.org");
    TlsFiles expired = making.join();
    refuses("its certificate is not from a CA that is trusted here", good, Trust.ofSystem());
    refuses("its certificate is not from a CA", good, Trust.of(other.certificates()));
    refuses("its certificate is for another host", other, Trust.of(other.certificates()));
    refuses("its certificate has expired", expired, Trust.of(expired.certificates()));
  }

  @Test
  void neitherSideFallsBackToPlain() throws Exception {
    Trust trust = Trust.of(TestTls.good().certificates());
    TestTls.unuse();
    try (RunningServer plain = RunningServer.start()) {
      assertThatThrownBy(() -> connect("localhost", plain, trust, new ArrayList<>()))
          .hasMessageEndingWith(": the server does not speak TLS");
    }
    TestTls.use();
    try (RunningServer server = RunningServer.start();
        Socket tcp = new Socket(InetAddress.getLoopbackAddress(), server.address().getPort())) {
      tcp.setSoTimeout(5_000);
      tcp.getOutputStream().write(RawPeer.bytesOf(new ClientMessage.Hello("alice", 0)));
      byte[] answer = tcp.getInputStream().readAllBytes();
      byte[] expected =
          RawPeer.bytesOf(new Bye(ErrorCode.NOT_CHAT.number(), 0, "this server speaks TLS alone"));
      assertThat(answer).isEqualTo(expected);
    }
  }

  @Test
  void aServerThatSaysNothingIsNotWaitedForLong() throws Exception {
    Trust trust = Trust.of(TestTls.good().certificates());
    try (ServerSocket silent = new ServerSocket(0, 5, InetAddress.getLoopbackAddress())) {
      ClientOptions options =
          ClientOptions.defaults()
              .withTimeouts(Duration.ofMillis(500), Duration.ofSeconds(1))
              .withTls(trust);
      InetSocketAddress there = (InetSocketAddress) silent.getLocalSocketAddress();
      assertThatThrownBy(
              () ->
                  ChatClient.connect(there, new ChatListener() {}, options)
                      .toCompletableFuture()
                      .join())
          .cause()
          .isInstanceOf(CannotConnectException.class)
          .hasMessageEndingWith(": no answer to the TLS handshake");
    }
  }

  /** K2 and the renegotiation that TLS 1.2 would allow. */
  @Test
  void oldVersionsAndSecondHandshakesAreRefused() throws Exception {
    try (RunningServer server = RunningServer.start()) {
      try (Socket tcp = tcp(server)) {
        assertThatThrownBy(() -> TestTls.handshake(tcp, "TLSv1.1", "TLSv1"))
            .isInstanceOf(SSLException.class);
      }
      try (SSLSocket socket = TestTls.handshake(tcp(server), "TLSv1.2")) {
        assertThat(socket.getSession().getProtocol()).isEqualTo("TLSv1.2");
        socket.setSoTimeout(5_000);
        socket.startHandshake();
        assertThatThrownBy(
                () -> {
                  if (socket.getInputStream().read() < 0) {
                    throw new SSLException("ended");
                  }
                })
            .isInstanceOf(IOException.class)
            .isNotInstanceOf(SocketTimeoutException.class);
      }
      server.awaitConnections(0);
    }
  }

  /** K4: with close_notify, with FIN alone, with RST, in the middle of a record. */
  @Test
  void whoEndsWithoutLeaveIsLost() throws Exception {
    try (RunningServer server = RunningServer.start()) {
      RawPeer alice = server.join("alice");
      for (String way : List.of("close", "fin", "reset", "torn")) {
        Socket tcp = tcp(server);
        SSLSocket bob = TestTls.handshake(tcp);
        bob.getOutputStream().write(RawPeer.bytesOf(new ClientMessage.Hello(way, 0)));
        bob.getOutputStream().write(RawPeer.bytesOf(new ClientMessage.Send("last words")));
        assertThat(alice.await(Msg.class).name()).isEqualTo(way);
        switch (way) {
          case "close" -> bob.close();
          case "fin" -> tcp.shutdownOutput();
          case "reset" -> tcp.setSoLinger(true, 0);
          default -> tcp.getOutputStream().write(new byte[] {23, 3, 3, 0, 99, 1, 2, 3});
        }
        if (way.equals("torn")) {
          tcp.shutdownOutput();
        } else if (way.equals("reset")) {
          tcp.close();
        }
        assertThat(alice.await(Left.class).why()).as(way).isEqualTo(LeftWhy.LOST);
        tcp.close();
      }
      server.awaitConnections(1);
    }
  }

  /** K3: those who stall have five seconds, many more shake hands, and the members go on. */
  @Test
  void aHandshakeHasFiveSecondsHoweverItsBytesComeAndManyDisturbNobody() throws Exception {
    int stalling = Load.count(60, 500);
    int perSecond = Load.count(20, 200);
    int rounds = Load.count(1, 6);
    try (RunningServer server = RunningServer.start(config -> config.loops(2).maxPending(2_000));
        Together threads = new Together()) {
      RawPeer alice = server.join("alice");
      RawPeer bob = server.join("bob");
      long without = p99(alice, bob, Duration.ofSeconds(1));
      AtomicBoolean over = new AtomicBoolean();
      AtomicInteger handshakes = new AtomicInteger();
      for (int i = 0; i < 4; i++) {
        threads.run(() -> shakeHands(server, perSecond / 4, handshakes, over));
      }
      long with = 0;
      long first = Long.MAX_VALUE;
      long last = 0;
      for (int round = 0; round < rounds; round++) {
        List<Socket> stalled = stall(server, stalling);
        long began = System.nanoTime();
        with = Math.max(with, p99(alice, bob, Duration.ofSeconds(4)));
        for (Socket tcp : stalled) {
          tcp.setSoTimeout(5_000);
          assertThat(tcp.getInputStream().read()).isNegative();
          last = System.nanoTime() - began;
          first = Math.min(first, last);
          tcp.close();
        }
      }
      over.set(true);
      threads.join();
      Figures.tell(
          "K3",
          "%d stalled closed after %s to %s, %d handshakes beside; p99 %s, without %s"
              .formatted(
                  rounds * stalling,
                  Figures.millis(first),
                  Figures.millis(last),
                  handshakes.get(),
                  Figures.millis(with),
                  Figures.millis(without)),
          "5 s, 1 s more or less, p99 2 x or 5 ms more");
      assertThat(Duration.ofNanos(first)).isGreaterThan(Duration.ofSeconds(4));
      assertThat(Duration.ofNanos(last)).isLessThan(Duration.ofSeconds(6));
      assertThat(handshakes.get()).isGreaterThan(rounds * perSecond * 2);
      assertThat(Duration.ofNanos(with))
          .isLessThan(
              Load.isFull()
                  ? Duration.ofNanos(Math.max(2 * without, without + 5_000_000))
                  : Duration.ofSeconds(1));
    }
  }

  /** Nothing, or half a ClientHello. */
  private static List<Socket> stall(RunningServer server, int count) throws IOException {
    List<Socket> stalled = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      Socket tcp = tcp(server);
      tcp.getOutputStream().write(Arrays.copyOf(new byte[] {22, 3, 1, 1, 0, 1, 0}, 7 * (i % 2)));
      stalled.add(tcp);
    }
    return stalled;
  }

  private static void shakeHands(
      RunningServer server, int perSecond, AtomicInteger done, AtomicBoolean over) {
    long due = System.nanoTime();
    while (!over.get()) {
      try (Socket tcp = tcp(server)) {
        TestTls.handshake(tcp);
        done.incrementAndGet();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      due += 1_000_000_000L / perSecond;
      LockSupport.parkNanos(due - System.nanoTime());
    }
  }

  /** Of texts that one says and the other hears, 5 ms apart. */
  private static long p99(RawPeer speaker, RawPeer listener, Duration during) {
    List<Long> nanos = new ArrayList<>();
    long began = System.nanoTime();
    for (long now = began; now - began < during.toNanos(); now = System.nanoTime()) {
      speaker.say("hi");
      listener.await(Msg.class);
      nanos.add(System.nanoTime() - now);
      speaker.await(Ack.class);
      LockSupport.parkNanos(5_000_000);
    }
    nanos.sort(null);
    return nanos.get((nanos.size() - 1) * 99 / 100);
  }

  /** What TLS itself has to answer may wait for nobody either: KeyUpdate asks for a KeyUpdate. */
  @ParameterizedTest(name = "reads {0}")
  @ValueSource(booleans = {false, true})
  void whoWantsNewKeysAllTheTimeHarmsNobody(boolean reads) throws Exception {
    int most = Load.count(30_000, 300_000);
    try (RunningServer server = RunningServer.start(config -> config.sendBufferBytes(4096));
        Together threads = new Together();
        Socket tcp = new Socket()) {
      RawPeer alice = server.join("alice");
      RawPeer bob = server.join("bob");
      tcp.setReceiveBufferSize(4096);
      tcp.connect(server.address());
      SSLSocket mallory = TestTls.handshake(tcp, "TLSv1.3");
      mallory.getOutputStream().write(RawPeer.bytesOf(new ClientMessage.Hello("mallory", 0)));
      bob.await(Joined.class, joined -> joined.name().equals("mallory"));
      boolean hungUp = false;
      if (reads) {
        threads.run(() -> drain(mallory));
      }
      long before = Memory.directBytes();
      long held = 0;
      int asked = 0;
      try {
        for (; asked < most; asked++) {
          mallory.startHandshake();
          if (asked % 1000 == 0) {
            held = Math.max(held, Memory.directBytes() - before);
            alice.say("still here");
            assertThat(bob.await(Msg.class).text()).isEqualTo("still here");
          }
        }
      } catch (IOException e) {
        hungUp = true;
      }
      held = Math.max(held, Memory.directBytes() - before);
      Figures.tell(
          "K1",
          "%d KeyUpdates of who reads %s: memory %s, %s"
              .formatted(
                  asked,
                  reads ? "the answers" : "no answer",
                  Figures.mebibytes(held),
                  hungUp ? "hung up on" : "still connected"),
          "4 MiB");
      assertThat(held).isLessThan(4L * 1024 * 1024);
      assertThat(hungUp || reads).as("hung up on, or it reads").isTrue();
      alice.say("the end");
      assertThat(bob.await(Msg.class).text()).isEqualTo("the end");
    }
  }

  private static void drain(SSLSocket socket) {
    try {
      while (socket.getInputStream().read(new byte[8192]) >= 0) {
        // What was said.
      }
    } catch (IOException e) {
      // Closed by the test, or hung up on.
    }
  }

  @Test
  void theBenchSpeaksItToo() {
    try (RunningServer server = RunningServer.start()) {
      List<String> command = new ArrayList<>();
      command.addAll(List.of(ServerProcess.java(), "-XX:TieredStopAtLevel=1", "-cp"));
      command.addAll(List.of(System.getProperty("java.class.path"), "simplechat.bench.BenchMain"));
      command.addAll(List.of("--port", "" + server.address().getPort(), "--host", "localhost"));
      command.addAll(List.of("--tls-ca", "" + TestTls.good().certificates(), "--json"));
      // More than a record, and few of them: encrypting is slow before it is compiled.
      command.addAll(List.of("--members", "6", "--senders", "6", "--text", "20000"));
      command.addAll(List.of("--messages", "5", "--runs", "2", "--warm-up", "0", "--no-spin"));
      try (ServerProcess bench = ServerProcess.run(Map.of(), command)) {
        assertThat(bench.exit()).isZero();
        assertThat(bench.out())
            .singleElement()
            .asString()
            .contains("\"lost\":0,")
            .containsPattern("(\"messages\":30,\"deliveries\":150}.*){2}");
      }
    }
  }

  /** Of too many the oldest is not waited for until it begins to speak TLS. */
  @Test
  void whoIsTurnedAwayInSilenceIsGoneAtOnce() throws Exception {
    try (RunningServer server = RunningServer.start(config -> config.maxPending(2));
        Socket first = tcp(server);
        Socket second = tcp(server);
        Socket third = tcp(server);
        Socket fourth = tcp(server)) {
      for (Socket away : List.of(first, second)) {
        away.setSoTimeout(2_000);
        assertThat(away.getInputStream().read()).isNegative();
      }
      server.awaitConnections(2);
      assertThat(third.isConnected() && fourth.isConnected()).isTrue();
    }
  }

  @Test
  void newFilesAreUsedByNewHandshakesAndBrokenOnesAreNot(@TempDir Path dir) throws Exception {
    TlsFiles good = TestTls.good();
    TlsFiles files = new TlsFiles(dir.resolve("cert.pem"), dir.resolve("key.pem"));
    Files.copy(good.certificates(), files.certificates());
    Files.copy(good.key(), files.key());
    TlsFiles other = TestTls.make("-ext", "SAN=dns:localhost", "-keyalg", "RSA");
    Trust trust = Trust.of(other.certificates());
    try (RunningServer server = RunningServer.start(config -> config.tls(files))) {
      RawPeer alice = server.join("alice");
      Files.writeString(files.certificates(), "no certificate");
      assertThatThrownBy(() -> connect("localhost", server, trust, new ArrayList<>()))
          .isInstanceOf(CompletionException.class);
      for (Path[] copy :
          new Path[][] {{other.certificates(), files.certificates()}, {other.key(), files.key()}}) {
        Files.copy(copy[0], copy[1], StandardCopyOption.REPLACE_EXISTING);
      }
      await()
          .atMost(Duration.ofSeconds(6))
          .ignoreExceptions()
          .until(
              () -> {
                connect("localhost", server, trust, new ArrayList<>()).close();
                return true;
              });
      // What was there before goes on.
      alice.expectNothing();
    }
  }

  @Test
  void filesThatCannotBeUsedEndTheProgramInOneLine(@TempDir Path dir) throws IOException {
    TlsFiles good = TestTls.good();
    Path other = TestTls.make().key();
    Path junk = Files.writeString(dir.resolve("junk"), "junk");
    Stream.of(
            List.of("no certificate in " + junk, junk, good.key()),
            List.of("no private key in " + junk, good.certificates(), junk),
            List.of(
                other + " is not the key of " + good.certificates(), good.certificates(), other),
            List.of("cannot read " + dir + "/gone: no such file", dir.resolve("gone"), good.key()))
        .parallel()
        .forEach(
            row -> {
              try (ServerProcess server =
                  ServerProcess.start(
                      "--port", "0", "--tls-cert", "" + row.get(1), "--tls-key", "" + row.get(2))) {
                assertThat(server.exit()).isEqualTo(1);
                assertThat(server.out()).isEmpty();
                assertThat(server.err()).containsExactly("chat server: " + row.get(0));
              }
            });
    TlsFiles expired =
        TestTls.make("-ext", "SAN=dns:localhost", "-startdate", "-9d", "-validity", "2");
    try (ServerProcess server =
        ServerProcess.start(
            "--port",
            "0",
            "--tls-cert",
            "" + expired.certificates(),
            "--tls-key",
            "" + expired.key())) {
      server.address();
      assertThat(server.signal("TERM").exit()).isZero();
      assertThat(server.err())
          .singleElement()
          .asString()
          .contains("WARN", expired.certificates() + " has expired, on ");
    }
    try (ServerProcess half = ServerProcess.start(Map.of("CHAT_TLS_CERT", "" + junk))) {
      assertThat(half.exit()).isEqualTo(2);
    }
  }

  /** C16: what came of a record is memory too, and as much as a read may bring. */
  @Test
  void halfRecordsHaveRoomForSoMuchTogether() throws Exception {
    int room = 256 * 1024;
    int read = 32 * 1024;
    byte[] halfRecord = {23, 3, 3, 64, 0, 1, 2, 3};
    try (RunningServer server = RunningServer.start(config -> config.inputBytes(room))) {
      List<SSLSocket> members = new ArrayList<>();
      for (int i = 0; i < 24; i++) {
        Socket tcp = tcp(server);
        SSLSocket tls = TestTls.handshake(tcp);
        tls.getOutputStream().write(RawPeer.bytesOf(new ClientMessage.Hello("m" + i, 0)));
        assertThat(tls.getInputStream().read()).isPositive();
        tcp.getOutputStream().write(halfRecord);
        members.add(tls);
      }
      server.awaitMembers(room / read);
      assertThat(Inside.heldInputBytes(server.server())).isBetween(room / 2L, (long) room);
      for (SSLSocket member : members) {
        member.close();
      }
      server.awaitMembers(0);
      assertThat(Inside.heldInputBytes(server.server())).isZero();
    }
  }

  private static void refuses(String why, TlsFiles files, Trust trust) {
    try (RunningServer server = RunningServer.start(config -> config.tls(files))) {
      assertThatThrownBy(() -> connect("localhost", server, trust, new ArrayList<>()))
          .cause()
          .isInstanceOf(CannotConnectException.class)
          .hasMessageStartingWith("cannot connect to localhost:" + server.address().getPort())
          .hasMessageContaining(": " + why);
    }
  }

  private static ChatClient connect(
      String host, RunningServer server, Trust trust, List<RoomEvent.Message> heard) {
    ChatListener listener =
        new ChatListener() {
          @Override
          public void message(RoomEvent.Message message) {
            heard.add(message);
          }
        };
    ClientOptions options = ClientOptions.defaults().withTls(trust);
    return ChatClient.connect(host, server.address().getPort(), listener, options)
        .toCompletableFuture()
        .join();
  }

  private static Socket tcp(RunningServer server) throws IOException {
    return new Socket(InetAddress.getLoopbackAddress(), server.address().getPort());
  }
}
