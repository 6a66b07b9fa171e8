package simplechat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ConnectException;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import simplechat.client.ChatClient;
import simplechat.client.ChatListener;
import simplechat.client.ClientOptions;
import simplechat.protocol.ClientMessage;
import simplechat.protocol.ErrorCode;
import simplechat.protocol.ServerMessage.Ack;
import simplechat.protocol.ServerMessage.Bye;
import simplechat.protocol.ServerMessage.Msg;
import simplechat.protocol.ServerMessage.Welcome;
import simplechat.support.Chain;
import simplechat.support.Figures;
import simplechat.support.Load;
import simplechat.support.RawPeer;
import simplechat.support.ServerProcess;
import simplechat.support.TestTls;

/** Group D: the server as a process, from its start to its exit status. */
class ServerProgramTest {
  private static final Duration SOON = Duration.ofSeconds(2);
  private static final int MEMBERS = Load.count(60, 300);

  /** How long some do not read. */
  private static final Duration PAUSE = Duration.ofMillis(Load.count(400, 2000));

  @Test
  void stdoutHasOneLineThatSaysWhereItListens() {
    try (ServerProcess server = ServerProcess.start("--port", "0")) {
      InetSocketAddress address = server.address();
      assertThat(address.getPort()).isPositive();
      try (RawPeer peer = RawPeer.connect(address)) {
        peer.join("alice");
        // Whatever a peer sends, it is nobody's log line.
        try (RawPeer mallory = RawPeer.connect(address)) {
          mallory.join("mallory");
          mallory.say("a secret text", "\u001b[31m", "x\ny").sendHex("07000003 1b5b48");
          mallory.await(Bye.class);
        }
        server.signal("TERM");
        peer.await(Bye.class);
      }
      assertThat(server.exit()).isZero();
      assertThat(server.out()).containsExactly("listening on 127.0.0.1:" + address.getPort());
      assertThat(server.err()).isEmpty();
    }
  }

  /** Where /tmp forbids it, on another libc, on Windows; in a process that has loaded nothing. */
  @ParameterizedTest(name = "{0}")
  @CsvSource({"-Dio.netty.transport.noNative=true,auto", "-Dany=thing,nio"})
  void whereNothingNativeCanBeLoadedThereIsNio(String jvmOption, String transport) {
    try (ServerProcess server =
            ServerProcess.start(
                Map.of("JDK_JAVA_OPTIONS", jvmOption), "--port", "0", "--transport", transport);
        RawPeer alice = RawPeer.connect(server.address());
        RawPeer bob = RawPeer.connect(server.address())) {
      alice.join("alice");
      bob.join("bob");
      alice.say("hello");
      assertThat(bob.await(Msg.class).text()).isEqualTo("hello");
    }
  }

  @ParameterizedTest(name = "{0}")
  @ValueSource(strings = {"::1", "::", "0.0.0.0"})
  void otherHostsWorkAndBeyondLoopbackThereIsOneWarning(String host) throws IOException {
    assumeTrue(!host.contains(":") || hasIpv6(), "no IPv6 here");
    try (ServerProcess server = ServerProcess.start("--host", host, "--port", "0")) {
      int port = server.address().getPort();
      List<String> reachable = host.equals("::") ? List.of("::1", "127.0.0.1") : List.of(host);
      for (String address : reachable) {
        try (RawPeer peer = RawPeer.connect(new InetSocketAddress(address, port))) {
          peer.join("alice");
          peer.send(new ClientMessage.Leave()).readToEnd();
        }
      }
      server.signal("TERM");
      assertThat(server.exit()).isZero();
      String shown = host.contains(":") ? "[" + host + "]" : host;
      assertThat(server.out()).containsExactly("listening on " + shown + ":" + port);
      if (host.equals("::1")) {
        assertThat(server.err()).isEmpty();
      } else {
        assertThat(server.err()).singleElement().asString().contains("WARN").contains("TLS");
      }
    }
  }

  @Test
  void anEmptyOrOverruledVariableIsNone() {
    Map<String, String> environment =
        Map.of("CHAT_LOOPS", "", "CHAT_HELP", "true", "CHAT_PORT", "x");
    try (ServerProcess server = ServerProcess.start(environment, "--port", "0")) {
      assertThat(server.address().getPort()).isPositive();
    }
  }

  static Stream<Arguments> badOptions() {
    return Stream.of(
        Arguments.of(List.of("--port", "70000"), Map.of(), "70000"),
        Arguments.of(List.of("--port", "abc"), Map.of(), "abc"),
        Arguments.of(List.of("--max-connections", "0"), Map.of(), "max-connections"),
        Arguments.of(List.of("--heartbeat", "soon"), Map.of(), "soon"),
        Arguments.of(List.of("--max-text", "2m"), Map.of(), "max-text"),
        Arguments.of(List.of("--log-bytes", "1k"), Map.of(), "log-bytes"),
        Arguments.of(List.of("--log-bytes", "100m"), Map.of(), "MaxDirectMemorySize"),
        Arguments.of(List.of("--send-buffer", "1"), Map.of(), "send-buffer"),
        Arguments.of(List.of("--nope"), Map.of(), "--nope"),
        Arguments.of(List.of("surplus"), Map.of(), "surplus"),
        Arguments.of(List.of(), Map.of("CHAT_PORT", "abc"), "CHAT_PORT: 'abc' is not a number"),
        Arguments.of(List.of("hello"), Map.of(), " 'hello' is no option"),
        Arguments.of(List.of(), Map.of("CHAT_TLS_CERT", "x"), "tls-key is missing"),
        Arguments.of(List.of(), Map.of("CHAT_LOOPS", "-1"), "CHAT_LOOPS is -1"),
        Arguments.of(List.of(), Map.of("CHAT_MAX_TEXT", "2m"), "CHAT_MAX_TEXT is 2097152"),
        Arguments.of(List.of("--loops", "-1"), Map.of("CHAT_LOOPS", "1"), " loops is -1"),
        Arguments.of(List.of(), Map.of("CHAT_TRANSPORT", "pigeon"), "CHAT_TRANSPORT: "));
  }

  @ParameterizedTest(name = "{0} {1}")
  @MethodSource("badOptions")
  void aBadOptionIsOneLineAndAHint(
      List<String> options, Map<String, String> environment, String named) {
    try (ServerProcess server = ServerProcess.start(environment, options.toArray(String[]::new))) {
      assertThat(server.exit()).isEqualTo(2);
      assertThat(server.out()).isEmpty();
      assertThat(server.err()).hasSize(2);
      assertThat(server.err().get(0)).startsWith("chat server: ").contains(named);
      assertThat(server.err().get(1)).contains("--help");
    }
  }

  @Test
  void aPortInUseOrAForeignHostIsOneLineWithBoth() throws IOException {
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      String port = Integer.toString(taken.getLocalPort());
      // More connections than this process may have, which is no news of a server that is none.
      assertRefused("ulimit -n 300", "127.0.0.1:" + port, "in use", "--port", port);
      assertRefused(":", "127.0.0.1:" + port, "in use", "--port", "0", "--metrics-port", port);
    }
    assertRefused(":", "203.0.113.1:0", "", "--host", "203.0.113.1", "--port", "0");
    assertRefused(
        ":", "no.such.host.invalid:8080", "unknown host", "--host", "no.such.host.invalid");
  }

  private static void assertRefused(
      String shell, String address, String reason, String... options) {
    long started = System.nanoTime();
    try (ServerProcess server = ServerProcess.startAfter(shell, options)) {
      assertThat(server.exit()).isEqualTo(1);
      assertThat(server.out()).isEmpty();
      assertThat(server.log()).singleElement().asString().contains(address, reason);
      assertThat(Duration.ofNanos(System.nanoTime() - started))
          .isLessThan(Load.bound(Duration.ofSeconds(5)));
    }
  }

  /** Also to who has got a variable wrong, and asks how it should be. */
  @ParameterizedTest
  @ValueSource(strings = {"--help", "--version"})
  void questionsAboutTheProgramAreAnsweredOnStdout(String option) {
    try (ServerProcess server = ServerProcess.start(Map.of("CHAT_PORT", "abc"), option)) {
      assertThat(server.exit()).isZero();
      assertThat(server.out()).isNotEmpty();
      assertThat(server.err()).isEmpty();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"TERM", "INT"})
  void aSignalDeliversWhatWasAcceptedAndSaysGoodBye(String signal) {
    try (ServerProcess server = ServerProcess.start("--port", "0")) {
      InetSocketAddress address = server.address();
      List<RawPeer> peers = new ArrayList<>();
      for (int i = 0; i < 5; i++) {
        RawPeer peer = RawPeer.connect(address);
        peer.join("m" + i);
        peers.add(peer);
      }
      RawPeer stranger = RawPeer.connect(address);
      RawPeer sender = peers.get(0);
      for (int i = 0; i < 200; i++) {
        sender.say("text " + i);
      }
      sender.await(Ack.class, ack -> ack.sendNo() == 200);
      long signalled = System.nanoTime();
      server.signal(signal);
      assertThat(stranger.expectBye(ErrorCode.SHUTDOWN).retryAfter()).isEqualTo(1);
      stranger.expectEof();
      assertThatThrownBy(() -> RawPeer.connect(address)).hasCauseInstanceOf(ConnectException.class);
      for (RawPeer peer : peers.subList(1, 5)) {
        for (int i = 0; i < 200; i++) {
          assertThat(peer.await(Msg.class).text()).isEqualTo("text " + i);
        }
      }
      for (RawPeer peer : peers) {
        // Nobody is told that somebody left: nobody can see the room go on.
        assertThat(peer.expectBye(ErrorCode.SHUTDOWN).retryAfter()).isEqualTo(1);
        peer.expectEof();
        peer.close();
      }
      stranger.close();
      assertThat(server.exit()).isZero();
      Duration took = Duration.ofNanos(System.nanoTime() - signalled);
      Figures.tell(
          "D3", "SIG" + signal + " to exit 0 in " + Figures.millis(took.toNanos()), "10 s");
      Figures.tell("D16", "0 LEFT told by a server that stops", "0");
      assertThat(took).isLessThan(SOON);
    }
  }

  /** D3: "reading until FIN (2 s)". Nothing but that time ends this connection. */
  @Test
  void whoReadsGoodByeAndStaysIsNotWaitedForLong() {
    try (ServerProcess server = ServerProcess.start("--port", "0");
        RawPeer stays = RawPeer.connect(server.address())) {
      stays.join("alice");
      long signalled = System.nanoTime();
      server.signal("TERM");
      stays.expectBye(ErrorCode.SHUTDOWN);
      stays.expectEof();
      assertThat(server.exit()).isZero();
      assertThat(Duration.ofNanos(System.nanoTime() - signalled))
          .isBetween(Duration.ofMillis(1500), Duration.ofSeconds(Load.count(6, 3)));
    }
  }

  /** D3: exit 0 within the time for it, whoever takes nothing. */
  @Test
  void whoReadsNothingHoldsUpAShutdownForItsTimeAtMost() {
    Duration drain = Duration.ofSeconds(Load.count(2, 10));
    try (ServerProcess server =
            ServerProcess.start("--port", "0", "--drain", drain.toSeconds() + "s");
        RawPeer deaf = RawPeer.connect(server.address(), 4096);
        RawPeer alice = RawPeer.connect(server.address())) {
      deaf.join("deaf");
      alice.join("alice");
      for (int i = 1; i <= 20; i++) {
        alice.say("x".repeat(60_000));
      }
      alice.await(Ack.class, ack -> ack.sendNo() == 20);
      long signalled = System.nanoTime();
      server.signal("TERM");
      alice.expectBye(ErrorCode.SHUTDOWN);
      alice.close();
      assertThat(server.exit()).isZero();
      Duration took = Duration.ofNanos(System.nanoTime() - signalled);
      Figures.tell(
          "D3",
          "exit 0 in " + Figures.millis(took.toNanos()) + " with one who reads nothing",
          drain.toSeconds() + " s");
      assertThat(took).isBetween(drain.dividedBy(2), drain.plusSeconds(Load.count(1, 0)));
    }
  }

  /** Of a few rounds, for the machine's sake, as the next. */
  @ParameterizedTest
  @ValueSource(strings = {"TERM", "INT"})
  void anEmptyServerEndsWithinASecond(String signal) {
    assertOnce(
        Load.bound(Duration.ofSeconds(1)),
        server -> {
          long signalled = System.nanoTime();
          assertThat(server.signal(signal).exit()).isZero();
          return Duration.ofNanos(System.nanoTime() - signalled);
        });
  }

  /** Somebody is in the room, so that it is not the process's end that closes the port. */
  @ParameterizedTest
  @ValueSource(strings = {"TERM", "INT"})
  void thePortIsClosedAtOnce(String signal) {
    assertOnce(
        Load.bound(Duration.ofMillis(100)),
        server -> {
          try (RawPeer member = RawPeer.connect(server.address())) {
            member.join("alice");
            server.signal(signal);
            long signalled = System.nanoTime();
            while (accepts(server.address())) {
              assertThat(Duration.ofNanos(System.nanoTime() - signalled)).isLessThan(SOON);
            }
            Duration took = Duration.ofNanos(System.nanoTime() - signalled);
            member.expectBye(ErrorCode.SHUTDOWN);
            return took;
          }
        });
  }

  private static boolean accepts(InetSocketAddress address) {
    try (Socket socket = new Socket()) {
      socket.connect(address, 50);
      return true;
    } catch (SocketTimeoutException e) {
      // The queue was full, and the kernel would ask again after a second only.
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  private static void assertOnce(Duration limit, Function<ServerProcess, Duration> round) {
    Duration best = SOON;
    for (int i = 0; i < 3 && best.compareTo(limit) > 0; i++) {
      try (ServerProcess server = ServerProcess.start("--port", "0")) {
        server.address();
        Duration took = round.apply(server);
        best = took.compareTo(best) < 0 ? took : best;
      }
    }
    assertThat(best).isLessThanOrEqualTo(limit);
  }

  @ParameterizedTest(name = "{0} is {1}")
  @MethodSource("secondSignals")
  void aSecondSignalEndsItAtOnce(String signal, int status) {
    try (ServerProcess server = ServerProcess.start("--port", "0")) {
      try (RawPeer peer = RawPeer.connect(server.address())) {
        peer.join("alice");
        server.signal("TERM");
        peer.expectBye(ErrorCode.SHUTDOWN);
        peer.expectEof();
        // It waits for this peer's end now.
        long signalled = System.nanoTime();
        assertThat(server.signal(signal).exit()).isEqualTo(status);
        Duration took = Duration.ofNanos(System.nanoTime() - signalled);
        Figures.tell(
            "D6",
            "%d, %s after a second SIG%s".formatted(status, Figures.millis(took.toNanos()), signal),
            status + ", 1 s");
        assertThat(took).isLessThan(Duration.ofMillis(Load.count(1500, 1000)));
      }
    }
  }

  static Stream<Arguments> secondSignals() {
    return Stream.of(Arguments.of("INT", 130), Arguments.of("TERM", 143));
  }

  /** Before the program has a say the JVM answers a signal itself, with 143. */
  @Test
  void aSignalDuringTheStartIsNoAccident() {
    for (int millis : new int[] {50, 150, 250, 350, 450}) {
      try (ServerProcess server = ServerProcess.start("--port", "0")) {
        assertThat(server.endsWithin(Duration.ofMillis(millis))).isFalse();
        int exit = server.signal("TERM").exit();
        assertThat(server.err()).isEmpty();
        assertThat(exit).isIn(0, 143);
        assertThat(server.out().size()).isLessThanOrEqualTo(1);
      }
    }
  }

  /** D4, and the same over TLS. */
  @ParameterizedTest(name = "TLS {0}")
  @ValueSource(booleans = {false, true})
  void aSignalAmidTheTalkLosesNothingThatWasAcknowledged(boolean tls) throws Exception {
    long seed = Long.getLong("test.seed", System.nanoTime());
    Random random = new Random(seed);
    int rounds = Load.count(tls ? 1 : 3, tls ? 5 : 20);
    long texts = 0;
    for (int round = 0; round < rounds; round++) {
      List<String> options = new ArrayList<>(List.of("--port", "0", "--loops", "2"));
      if (tls) {
        options.addAll(TestTls.options());
      }
      try (ServerProcess server = ServerProcess.start(options.toArray(String[]::new))) {
        int port = server.address().getPort();
        if (tls) {
          TestTls.serve(port);
        }
        try {
          texts += stopAmidTheTalk(server, random.nextInt(300), "again with -Dtest.seed=" + seed);
        } finally {
          TestTls.close(port);
        }
      }
    }
    Figures.tell(
        "D4",
        "%d stops%s amid the talk of %d: %d texts, equal chains, BYE(SHUTDOWN) last, 0 resets"
            .formatted(rounds, tls ? " over TLS" : "", MEMBERS, texts),
        "equal chains, BYE last, 0",
        seed);
  }

  private static long stopAmidTheTalk(ServerProcess server, int millis, String seed)
      throws Exception {
    List<RawPeer> peers = new ArrayList<>();
    for (int i = 0; i < MEMBERS; i++) {
      RawPeer peer = RawPeer.connect(server.address());
      peer.join("m" + i);
      peers.add(peer);
    }
    long start = peers.get(MEMBERS - 1).stream().welcome().head();
    ScheduledExecutorService senders = Executors.newScheduledThreadPool(2);
    ExecutorService readers = Executors.newFixedThreadPool(MEMBERS);
    try {
      List<CompletableFuture<Void>> ends = new ArrayList<>();
      for (RawPeer peer : peers) {
        peer.chainFrom(start);
        Duration pause = ends.size() < MEMBERS * 9 / 10 ? Duration.ZERO : PAUSE;
        ends.add(
            CompletableFuture.runAsync(
                peer::readToEnd,
                CompletableFuture.delayedExecutor(
                    pause.toMillis(), TimeUnit.MILLISECONDS, readers)));
      }
      for (RawPeer peer : peers.subList(0, 20)) {
        senders.scheduleAtFixedRate(() -> peer.say("text"), 0, 66, TimeUnit.MILLISECONDS);
      }
      assertThat(server.endsWithin(Duration.ofMillis(50 + millis))).as(seed).isFalse();
      server.signal("TERM");
      for (CompletableFuture<Void> end : ends) {
        end.get(15, TimeUnit.SECONDS);
      }
    } finally {
      senders.shutdownNow();
      readers.shutdownNow();
      peers.forEach(RawPeer::close);
    }
    assertThat(server.exit()).as(seed).isZero();
    assertThat(peers).as(seed).allMatch(ServerProgramTest::wasToldToComeBack);
    assertThat(peers.get(0).chain().count()).as(seed).isPositive();
    assertThat(peers)
        .as(seed)
        .extracting(RawPeer::chain)
        .extracting(Chain::hash)
        .containsOnly(peers.get(0).chain().hash());
    return peers.get(0).chain().count();
  }

  private static boolean wasToldToComeBack(RawPeer peer) {
    Bye bye = peer.stream().bye();
    return bye != null && bye.code() == ErrorCode.SHUTDOWN.number();
  }

  /** D17 and D18: it is another room, and everybody is told so. */
  @Test
  void killedAndStartedAgainItIsAnotherRoom() {
    int members = Load.count(20, 500);
    List<Return> returns = new ArrayList<>();
    int port;
    RawPeer before;
    try (ServerProcess server = ServerProcess.start("--port", "0")) {
      port = server.address().getPort();
      before = RawPeer.connect(server.address());
      before.join("alice");
      before.say("hi").expect(Ack.class);
      for (int i = 0; i < members; i++) {
        returns.add(Return.of(port, "m" + i));
      }
      server.signal("KILL");
      assertThat(server.exit()).isEqualTo(137);
      before.close();
    }
    try (ServerProcess server = ServerProcess.start("--port", Integer.toString(port));
        RawPeer after = RawPeer.connect(server.address())) {
      Welcome welcome = after.join(RawPeer.resumeOf(before));
      assertThat(welcome.resumed()).isFalse();
      assertThat(welcome.epoch()).isNotEqualTo(before.stream().welcome().epoch());
      assertThat(welcome.received()).isZero();
      await()
          .atMost(Duration.ofSeconds(Load.count(10, 60)))
          .until(() -> returns.stream().allMatch(one -> one.welcomes.size() == 2));
      long silent = returns.stream().filter(one -> one.welcomes.get(1).resumed()).count();
      Figures.tell(
          "D17",
          "%d of %d told that the history was lost, %d silent resumes"
              .formatted(members - silent, members, silent),
          "all, 0");
      assertThat(silent).isZero();
      returns.forEach(one -> one.client.close());
    }
  }

  /** A client that comes back, and how it was welcomed. */
  private static final class Return implements ChatListener {
    private final List<Welcome> welcomes = new CopyOnWriteArrayList<>();
    private @Nullable ChatClient client;

    static Return of(int port, String name) {
      Return made = new Return();
      ClientOptions options = ClientOptions.defaults().withReturn(ClientOptions.FOREVER);
      ChatClient client =
          ChatClient.connect("127.0.0.1", port, made, options).toCompletableFuture().join();
      client.join(name, 0).toCompletableFuture().join();
      made.client = client;
      return made;
    }

    @Override
    public void welcome(Welcome welcome) {
      welcomes.add(welcome);
    }
  }

  /** The room goes on when nobody takes the log lines, nor the line that says where it listens. */
  @ParameterizedTest
  @ValueSource(strings = {"2>&-", "2>/dev/full", ">&- 2>&-", ">/dev/full 2>/dev/full"})
  void outputThatNobodyTakesDoesNotMatter(String redirection) throws Exception {
    assumeTrue(Files.exists(Path.of("/dev/full")), "no /dev/full here");
    int port;
    try (ServerSocket free = new ServerSocket(0)) {
      port = free.getLocalPort();
    }
    List<String> command = new ArrayList<>(List.of("sh", "-c", "exec \"$@\" " + redirection, "sh"));
    command.addAll(ServerProcess.command("--host", "0.0.0.0", "--port", Integer.toString(port)));
    try (ServerProcess server = ServerProcess.run(Map.of(), command)) {
      RawPeer alice = connectWhenUp(server, port);
      alice.join("alice");
      RawPeer bob = RawPeer.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
      bob.join("bob");
      alice.say("hi");
      assertThat(bob.expect(Msg.class).text()).isEqualTo("hi");
      server.signal("TERM");
      alice.await(Bye.class);
      bob.expectBye(ErrorCode.SHUTDOWN);
      alice.close();
      bob.close();
      assertThat(server.exit()).isZero();
    }
  }

  private static RawPeer connectWhenUp(ServerProcess server, int port) {
    for (int tries = 0; tries < 100; tries++) {
      try {
        return RawPeer.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
      } catch (UncheckedIOException e) {
        assertThat(server.endsWithin(Duration.ofMillis(100))).isFalse();
      }
    }
    throw new AssertionError("nobody listens on " + port);
  }

  private static boolean hasIpv6() throws IOException {
    return NetworkInterface.networkInterfaces()
        .flatMap(NetworkInterface::inetAddresses)
        .anyMatch(Inet6Address.class::isInstance);
  }
}
