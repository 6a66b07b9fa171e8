package simplechat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import simplechat.protocol.ClientMessage;
import simplechat.protocol.ClientMessage.Hello;
import simplechat.protocol.ErrorCode;
import simplechat.protocol.ServerMessage.Bye;
import simplechat.protocol.ServerMessage.Joined;
import simplechat.protocol.ServerMessage.Left;
import simplechat.protocol.ServerMessage.Msg;
import simplechat.server.ChatServer;
import simplechat.server.Inside;
import simplechat.server.ServerConfig;
import simplechat.support.Crowd;
import simplechat.support.Figures;
import simplechat.support.Load;
import simplechat.support.Memory;
import simplechat.support.RawPeer;
import simplechat.support.RunningServer;

/** Groups D and J1 within one process: how connections and servers end, and who gets in. */
class LifeCycleTest {
  private static final long MIB = 1024 * 1024;

  /** What makes the server say good-bye with a code. */
  record Ending(ErrorCode code, boolean joins, Consumer<RawPeer> trigger) {
    @Override
    public String toString() {
      return code.toString();
    }
  }

  static Stream<Arguments> endings() {
    Stream<Ending> endings =
        Stream.of(
            new Ending(ErrorCode.LEFT, true, peer -> peer.send(new ClientMessage.Leave())),
            new Ending(ErrorCode.MALFORMED, true, peer -> peer.sendHex("07000000")),
            new Ending(ErrorCode.FRAME_TOO_LARGE, true, peer -> peer.sendHex("02ffffff")),
            new Ending(ErrorCode.NOT_CHAT, false, peer -> peer.sendHex("474554")),
            new Ending(
                ErrorCode.UNSUPPORTED_VERSION,
                false,
                peer -> peer.send(new Hello(7, 7, 0, "m", null, null))));
    return endings.flatMap(
        ending -> IntStream.of(1, 2).mapToObj(loops -> Arguments.of(ending, loops)));
  }

  /** A close with unread input would reset the connection and take the last frames with it. */
  @ParameterizedTest(name = "{0}, loops {1}")
  @MethodSource("endings")
  void theLastFrameArrivesAlthoughThePeerGoesOnSending(Ending ending, int loops) {
    try (RunningServer server = RunningServer.start(config -> config.loops(loops))) {
      RawPeer peer = ending.joins() ? server.join("peer") : server.connect();
      ending.trigger().accept(peer);
      peer.expectByeWhileSending(ending.code());
    }
  }

  @Test
  void whoDoesNotJoinInTimeIsTold() {
    Duration deadline = Duration.ofSeconds(1);
    try (RunningServer server = RunningServer.start(config -> config.joinTimeout(deadline))) {
      RawPeer member = server.join("member");
      RawPeer stranger = server.connect();
      // Nothing that it sends or gets puts the deadline off.
      while (!(stranger.send(new ClientMessage.Ping(1)).next() instanceof Bye)) {
        assertThat(stranger.stream().isWelcomed()).isFalse();
      }
      assertThat(stranger.stream().bye().code()).isEqualTo(ErrorCode.JOIN_TIMEOUT.number());
      stranger.expectEof();
      member.expectNothing();
    }
  }

  @ParameterizedTest(name = "loops {0}")
  @ValueSource(ints = {1, 2})
  void aReplacedConnectionIsToldAlthoughItGoesOnSending(int loops) {
    try (RunningServer server = RunningServer.start(config -> config.loops(loops))) {
      RawPeer old = server.join("peer");
      server.resume(old);
      old.expectByeWhileSending(ErrorCode.REPLACED);
    }
  }

  @ParameterizedTest(name = "loops {0}")
  @ValueSource(ints = {1, 2})
  void whoIsNotLetInIsToldAlthoughItGoesOnSending(int loops) {
    try (RunningServer server =
        RunningServer.start(config -> config.loops(loops).maxConnections(1))) {
      RawPeer member = server.join("member");
      server.connect().expectByeWhileSending(ErrorCode.SERVER_FULL);
      member.expectNothing();
    }
    Duration deadline = Duration.ofMillis(200);
    try (RunningServer server =
        RunningServer.start(config -> config.loops(loops).joinTimeout(deadline))) {
      server.connect().expectByeWhileSending(ErrorCode.JOIN_TIMEOUT);
    }
  }

  @ParameterizedTest(name = "loops {0}")
  @ValueSource(ints = {1, 2})
  void whoseHalfFrameIsTooMuchIsToldAlthoughItGoesOnSending(int loops) {
    byte[] half = Arrays.copyOf(RawPeer.bytesOf(new ClientMessage.Send("x".repeat(9_000))), 8_999);
    try (RunningServer server =
        RunningServer.start(config -> config.loops(loops).maxText(9_000).inputBytes(18_000))) {
      RawPeer eldest = server.join("eldest").sendBytes(half);
      await().until(() -> Inside.heldInputBytes(server.server()) >= 8_000);
      server.join("younger").sendBytes(half);
      server.join("youngest").sendBytes(half);
      server.awaitMembers(2);
      eldest.expectByeWhileSending(ErrorCode.SLOW);
    }
  }

  @Test
  void aSilentMemberIsToldAndItsNameIsFree() {
    Duration heartbeat = Duration.ofMillis(200);
    try (RunningServer server = RunningServer.start(config -> config.heartbeat(heartbeat))) {
      RawPeer peer = server.join("peer");
      peer.await(Bye.class, bye -> bye.code() == ErrorCode.TIMEOUT.number());
      peer.expectEof();
      server.join("peer");
    }
  }

  @ParameterizedTest(name = "loops {0}")
  @ValueSource(ints = {1, 2})
  void whoIsTooManyIsToldAndGetsInWhenAnotherLeaves(int loops) {
    try (RunningServer server =
        RunningServer.start(config -> config.loops(loops).maxConnections(2))) {
      RawPeer alice = server.join("alice");
      RawPeer bob = server.join("bob");
      alice.expect(Joined.class);
      for (int i = 0; i < 20; i++) {
        RawPeer third = server.connect();
        assertThat(third.expectBye(ErrorCode.SERVER_FULL).retryAfter()).isPositive();
        third.expectEof();
        third.close();
      }
      server.awaitConnections(2);
      alice.say("still here");
      assertThat(bob.expect(Msg.class).text()).isEqualTo("still here");
      bob.send(new ClientMessage.Leave()).await(Bye.class);
      bob.close();
      alice.await(Left.class);
      server.awaitConnections(1);
      server.join("carol");
    }
  }

  @Test
  void aFullServerCanBeStopped() throws Exception {
    try (RunningServer server = RunningServer.start(config -> config.maxConnections(1))) {
      RawPeer alice = server.join("alice");
      RawPeer second = server.connect();
      second.expectBye(ErrorCode.SERVER_FULL);
      CompletableFuture<Void> drained = server.drain().toCompletableFuture();
      alice.expectBye(ErrorCode.SHUTDOWN);
      alice.close();
      second.close();
      drained.get(5, TimeUnit.SECONDS);
    }
  }

  /** A second for every thousand of them, at least one and at most ten. */
  @Test
  void theReturnOfManyIsSpread() throws Exception {
    int thousands = Load.count(2, 11);
    try (RunningServer server =
        RunningServer.start(config -> config.maxConnections(20_000).maxPending(20_000))) {
      RawPeer stranger = server.connect();
      Process crowd = Crowd.gathered(server.address().getPort(), thousands * 1000);
      CompletableFuture<Void> drained = server.drain().toCompletableFuture();
      int expected = Math.min(10, thousands);
      assertThat(stranger.expectBye(ErrorCode.SHUTDOWN).retryAfter()).isEqualTo(expected);
      stranger.close();
      // It takes no good-bye and dies of it, at the latest of this.
      crowd.destroyForcibly();
      drained.get(20, TimeUnit.SECONDS);
    }
  }

  @Test
  void theSamePortIsFreeAgainAtOnce() throws Exception {
    ChatServer first = start(0);
    int port = first.address().getPort();
    RawPeer[] peers = new RawPeer[50];
    for (int i = 0; i < peers.length; i++) {
      peers[i] = RawPeer.connect(first.address());
      peers[i].join("m" + i);
    }
    CompletableFuture<Void> drained = first.drain().toCompletableFuture();
    // The server ends first, so that it is the one whose sockets linger in the kernel.
    Arrays.stream(peers).forEach(peer -> peer.await(Bye.class));
    Arrays.stream(peers).forEach(RawPeer::close);
    drained.get(5, TimeUnit.SECONDS);
    long began = System.nanoTime();
    ChatServer second = start(port);
    Duration took = Duration.ofNanos(System.nanoTime() - began);
    Figures.tell("D8", "bound again after " + Figures.millis(took.toNanos()), "1 s");
    assertThat(took).isLessThan(Duration.ofSeconds(1));
    try (RawPeer peer = RawPeer.connect(second.address())) {
      peer.join("m0");
    }
    second.drain().toCompletableFuture().get(5, TimeUnit.SECONDS);
  }

  /** D5, D7: who has connected and was not accepted yet is told too, and not reset. */
  @ParameterizedTest(name = "loops {0}")
  @ValueSource(ints = {1, 2})
  void whoWaitsToBeAcceptedIsToldToComeBack(int loops) throws Exception {
    try (RunningServer server = RunningServer.start(config -> config.loops(loops))) {
      server.join("alice").close();
      server.awaitConnections(0);
      CompletableFuture<Void> connected = new CompletableFuture<>();
      Inside.occupy(server.server(), connected);
      RawPeer[] waiting = new RawPeer[50];
      for (int i = 0; i < waiting.length; i++) {
        waiting[i] = server.connect();
        waiting[i].send(new Hello("m" + i, 0));
      }
      CompletableFuture<Void> drained = server.drain().toCompletableFuture();
      connected.complete(null);
      int resets = 0;
      for (RawPeer peer : waiting) {
        try {
          peer.await(Bye.class, bye -> bye.code() == ErrorCode.SHUTDOWN.number());
          peer.expectEof();
          peer.close();
        } catch (AssertionError e) {
          resets++;
        }
      }
      Figures.tell("D5", resets + " of 50 who wait to be accepted are reset by a shutdown", "0");
      assertThat(resets).as("resets").isZero();
      drained.get(5, TimeUnit.SECONDS);
    }
  }

  /** They are gone by then, and nobody waits for them. */
  @Test
  void whoGaveUpWaitingToBeAcceptedHoldsUpNoShutdown() throws Exception {
    try (RunningServer server = RunningServer.start()) {
      server.join("alice").close();
      server.awaitConnections(0);
      CompletableFuture<Void> connected = new CompletableFuture<>();
      Inside.occupy(server.server(), connected);
      for (int i = 0; i < 50; i++) {
        server.connect().reset();
      }
      CompletableFuture<Void> drained = server.drain().toCompletableFuture();
      connected.complete(null);
      drained.get(5, TimeUnit.SECONDS);
      assertThat(server.server().connections()).isZero();
    }
  }

  /** A program may start servers and stop them as often as it likes, as its tests will. */
  @Test
  void serversThatCameAndWentLeaveNoMemoryBehind() {
    comeAndGo();
    long before = Memory.directBytes();
    for (int i = 0; i < 32; i++) {
      comeAndGo();
    }
    // What a server pooled goes when its loops' threads and a collection have gone over it.
    await()
        .atMost(Duration.ofSeconds(10))
        .until(
            () -> {
              System.gc();
              return Memory.directBytes() - before;
            },
            more -> more < 8 * MIB);
  }

  private static void comeAndGo() {
    try (RunningServer server = RunningServer.start(config -> config.loops(2))) {
      RawPeer bob = server.join("bob");
      server.join("alice").say("hi");
      bob.await(Msg.class);
    }
  }

  /** Each who ends it has a stage of their own, and can give it up. */
  @Test
  void whoGivesUpWaitingForTheEndKeepsNobodyFromIt() throws Exception {
    ChatServer server = start(0);
    assertThat(server.drain().toCompletableFuture().cancel(true)).isTrue();
    assertThat(server.close().toCompletableFuture().cancel(true)).isTrue();
    server.close().toCompletableFuture().get(5, TimeUnit.SECONDS);
    server.metrics().toCompletableFuture().get(5, TimeUnit.SECONDS);
  }

  @Test
  void aServerThatHasEndedTellsWhoWasThere() throws Exception {
    ChatServer server = start(0);
    try (RawPeer alice = RawPeer.connect(server.address())) {
      alice.join("alice");
      server.close().toCompletableFuture().get(5, TimeUnit.SECONDS);
    }
    assertThat(server.members().toCompletableFuture().get(5, TimeUnit.SECONDS)).isEqualTo(1);
    assertThat(server.connections()).isZero();
  }

  @ParameterizedTest
  @ValueSource(strings = {"half a \ud83d", "a\u0000b", "\u001b[31m"})
  void aGreetingThatNobodyCouldReadIsNoGreeting(String greeting) {
    assertThatThrownBy(() -> ServerConfig.defaults().toBuilder().greeting(greeting).build())
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("greeting has a control character");
  }

  @Test
  void aTimeBeyondItsBoundsIsNamed() {
    Duration longest = Duration.ofSeconds(Long.MAX_VALUE);
    assertThatThrownBy(() -> ServerConfig.defaults().toBuilder().drain(longest).build())
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("drain is 9223372036854775807 s: it must be between 0.01 and 43200 seconds");
  }

  @Test
  void stoppingAStoppedServerDoesNothing() throws Exception {
    ChatServer server = start(0);
    server.drain().toCompletableFuture().get(5, TimeUnit.SECONDS);
    server.drain().toCompletableFuture().get(5, TimeUnit.SECONDS);
    server.close().toCompletableFuture().get(5, TimeUnit.SECONDS);
  }

  @ParameterizedTest(name = "loops {0}")
  @ValueSource(ints = {1, 2})
  void whoIsStillJoiningIsToldToComeBack(int loops) throws Exception {
    for (int round = 0; round < 5; round++) {
      try (RunningServer server = RunningServer.start(config -> config.loops(loops))) {
        RawPeer half = server.connect().sendHex("0100000f 4348");
        RawPeer[] joining = new RawPeer[8];
        for (int i = 0; i < joining.length; i++) {
          joining[i] = server.connect();
        }
        server.awaitConnections(1 + joining.length);
        for (int i = 0; i < joining.length; i++) {
          joining[i].send(new Hello("m" + i, 0), new ClientMessage.Send("hi"));
        }
        CompletableFuture<Void> drained = server.drain().toCompletableFuture();
        half.expectBye(ErrorCode.SHUTDOWN);
        for (RawPeer peer : joining) {
          peer.await(Bye.class, bye -> bye.code() == ErrorCode.SHUTDOWN.number());
          peer.expectEof();
          peer.close();
        }
        half.close();
        drained.get(5, TimeUnit.SECONDS);
      }
    }
  }

  private static ChatServer start(int port) throws Exception {
    ServerConfig config = ServerConfig.defaults().toBuilder().port(port).loops(2).build();
    return ChatServer.start(config).toCompletableFuture().get(5, TimeUnit.SECONDS);
  }
}
