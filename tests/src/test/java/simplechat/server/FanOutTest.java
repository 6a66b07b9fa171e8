package simplechat.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.channel.epoll.Epoll;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.function.Function;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import simplechat.protocol.ClientMessage.Leave;
import simplechat.protocol.ClientMessage.Ping;
import simplechat.protocol.ErrorCode;
import simplechat.protocol.ServerMessage.Ack;
import simplechat.protocol.ServerMessage.Joined;
import simplechat.protocol.ServerMessage.Left;
import simplechat.protocol.ServerMessage.Msg;
import simplechat.protocol.ServerMessage.Pong;
import simplechat.support.RawPeer;
import simplechat.support.RunningServer;

/** Who is written to together with all others, and who by itself. */
class FanOutTest {
  @BeforeEach
  void requireNativeSockets() {
    Assumptions.assumeTrue(Epoll.isAvailable(), "no native sockets");
  }

  @Test
  void whoIsAnsweredFallsBackAndCatchesUpWithTheNextMessage() {
    try (RunningServer server = RunningServer.start()) {
      RawPeer alice = server.join("alice");
      RawPeer bob = server.join("bob");
      RawPeer carol = server.join("carol");
      ConnectionLoop loop = server.server().roomLoop();
      carol.say("hi");
      carol.expect(Ack.class);
      alice.await(Msg.class);
      assertThat(abreast(loop)).isEqualTo(3);
      bob.await(Msg.class);
      bob.send(new Ping(7));
      bob.expect(Pong.class);
      assertThat(abreast(loop)).isEqualTo(2);
      carol.say("again");
      assertThat(bob.expect(Msg.class).text()).isEqualTo("again");
      assertThat(alice.expect(Msg.class).text()).isEqualTo("again");
      carol.expect(Ack.class);
      assertThat(abreast(loop)).isEqualTo(3);
    }
  }

  /**
   * The loop of the old connection is held up, so that a wake-up from before the return meets the
   * LEFT of the old connection before that has heard of it.
   */
  @Test
  void whoIsReplacedIsNotSentItsOwnLeft() {
    try (RunningServer server = RunningServer.start(config -> config.loops(2))) {
      Pair pair = new Pair(server);
      CountDownLatch held = hold(pair.farLoop);
      pair.farLoop.published();
      RawPeer back = RawPeer.connect(server.address());
      back.send(RawPeer.resumeOf(pair.far));
      pair.near.await(Left.class);
      held.countDown();
      pair.far.expectBye(ErrorCode.REPLACED);
      back.close();
    }
  }

  /** The same, with a LEAVE on its way to the room. */
  @Test
  void whoLeavesIsNotSentItsOwnLeft() {
    try (RunningServer server = RunningServer.start(config -> config.loops(2))) {
      Pair pair = new Pair(server);
      CountDownLatch roomHeld = hold(server.server().roomLoop());
      pair.far.send(new Leave());
      Awaitility.await().until(() -> on(pair.farLoop, loop -> loop.connections().get(0).isDeaf()));
      CountDownLatch held = hold(pair.farLoop);
      pair.farLoop.published();
      roomHeld.countDown();
      pair.near.await(Left.class);
      held.countDown();
      pair.far.expectBye(ErrorCode.LEFT);
    }
  }

  /** Two who have everything, one of them on a loop that is not the room's. */
  private static final class Pair {
    final ConnectionLoop farLoop;
    final RawPeer far;
    final RawPeer near;

    Pair(RunningServer server) {
      // Connections take turns; the room's loop, where the listener is, comes second.
      far = server.join("far");
      near = server.join("near");
      far.expect(Joined.class);
      server.connect();
      farLoop = server.server().loops().get(1);
      near.say("settle");
      near.expect(Ack.class);
      far.expect(Msg.class);
      assertThat(abreast(farLoop)).isEqualTo(1);
    }
  }

  private static int abreast(ConnectionLoop loop) {
    return on(loop, it -> it.fanOut().abreast());
  }

  private static <T> T on(ConnectionLoop loop, Function<ConnectionLoop, T> question) {
    return CompletableFuture.supplyAsync(() -> question.apply(loop), loop.eventLoop()).join();
  }

  /** Holds a loop up until the latch is opened. */
  private static CountDownLatch hold(ConnectionLoop loop) {
    CountDownLatch holding = new CountDownLatch(1);
    CountDownLatch held = new CountDownLatch(1);
    loop.execute(
        () -> {
          holding.countDown();
          await(held);
        });
    await(holding);
    return held;
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
