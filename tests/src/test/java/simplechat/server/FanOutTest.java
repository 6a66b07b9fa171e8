package simplechat.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.channel.epoll.Epoll;
import io.netty.util.ResourceLeakDetector;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import simplechat.protocol.ClientMessage.Ping;
import simplechat.protocol.ServerMessage.Ack;
import simplechat.protocol.ServerMessage.Joined;
import simplechat.protocol.ServerMessage.Msg;
import simplechat.protocol.ServerMessage.Pong;
import simplechat.support.Load;
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

  /** The room may write a LEFT of the member's own any moment now, and this loop hears later. */
  @Test
  void nobodyIsAbreastWhileADismissalIsOnItsWay() {
    try (RunningServer server = RunningServer.start(config -> config.loops(2))) {
      RawPeer alice = server.join("alice");
      RawPeer bob = server.join("bob");
      alice.expect(Joined.class);
      ConnectionLoop loop = server.server().roomLoop();
      alice.say("hi");
      alice.expect(Ack.class);
      bob.expect(Msg.class);
      alice.say("again");
      alice.expect(Ack.class);
      bob.expect(Msg.class);
      assertThat(abreast(loop)).isEqualTo(1);
      loop.fanOut().dismissalComes();
      bob.say("hi");
      alice.expect(Msg.class);
      assertThat(abreast(loop)).isZero();
      loop.fanOut().dismissalCame();
      bob.say("hi");
      alice.expect(Msg.class);
      assertThat(abreast(loop)).isEqualTo(1);
    }
  }

  /**
   * Of each event there is one frame, in the log, and nothing is made of it or for it that there is
   * more of with more receivers: that would be an object of 16 bytes at least.
   */
  @Test
  void anEventIsOneFrameHoweverManyHearIt() {
    int few = 10;
    int more = Load.count(300, 1000);
    ResourceLeakDetector.Level level = ResourceLeakDetector.getLevel();
    // Each use of a buffer, pooled or not, then takes a trace on the heap.
    ResourceLeakDetector.setLevel(ResourceLeakDetector.Level.PARANOID);
    try (RunningServer server = RunningServer.start()) {
      RawPeer alice = server.join("alice");
      List<RawPeer> others = new ArrayList<>();
      gather(server, others, few, alice);
      long fewCost = bytesPerText(server, alice, others);
      gather(server, others, more, alice);
      long moreCost = bytesPerText(server, alice, others);
      assertThat((moreCost - fewCost) / (double) more).as("heap for each receiver").isLessThan(16);
    } finally {
      ResourceLeakDetector.setLevel(level);
    }
  }

  private static void gather(
      RunningServer server, List<RawPeer> others, int more, RawPeer witness) {
    String last = "";
    for (int i = 0; i < more; i++) {
      last = "m" + others.size();
      others.add(server.join(last));
    }
    String awaited = last;
    witness.await(Joined.class, joined -> joined.name().equals(awaited));
  }

  /** The least heap that the server takes, of several rounds: the JVM compiles meanwhile. */
  private static long bytesPerText(RunningServer server, RawPeer alice, List<RawPeer> others) {
    int texts = 50;
    long least = Long.MAX_VALUE;
    for (int round = 0; round < 10; round++) {
      long logBefore = logBytes(server);
      long heapBefore = allocatedBytes(server);
      for (int i = 0; i < texts; i++) {
        alice.say("text " + i).await(Ack.class);
      }
      least = Math.min(least, (allocatedBytes(server) - heapBefore) / texts);
      long frames = logBytes(server) - logBefore;
      List<Msg> heard = hear(others.get(0), texts);
      assertThat(heard.stream().mapToLong(msg -> RawPeer.bytesOf(msg).length).sum())
          .isEqualTo(frames);
      others.stream().skip(1).forEach(other -> assertThat(hear(other, texts)).isEqualTo(heard));
    }
    return least;
  }

  private static List<Msg> hear(RawPeer peer, int texts) {
    return Stream.generate(() -> peer.await(Msg.class)).limit(texts).toList();
  }

  private static long logBytes(RunningServer server) {
    ConnectionLoop loop = server.server().roomLoop();
    return CompletableFuture.supplyAsync(
            () -> server.server().room().status().endByte(), loop.eventLoop())
        .join();
  }

  private static long allocatedBytes(RunningServer server) {
    var threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
    return threads.getThreadAllocatedBytes(server.loopThread());
  }

  private static int abreast(ConnectionLoop loop) {
    return CompletableFuture.supplyAsync(() -> loop.fanOut().abreast(), loop.eventLoop()).join();
  }
}
