package simplechat.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import simplechat.protocol.ServerMessage.Ack;
import simplechat.protocol.ServerMessage.Event;
import simplechat.redis.RedisSettings;
import simplechat.support.RawPeer;
import simplechat.support.RedisServer;
import simplechat.support.RunningServer;
import simplechat.support.Strait;
import simplechat.support.TwoServers;

/** A node that has more to do than it can. */
class HeldUpNodeTest {
  private static final Duration HELD_UP = Duration.ofMillis(700);
  private static final int PEERS = 20;
  private static final int TEXTS = 100;

  /** Who speaks waits then, and is not refused: only a Redis that does not answer is a reason. */
  @Test
  void itsOwnDelayIsNotTakenForThatOfRedis() {
    try (RedisServer redis = RedisServer.start();
        Strait strait = Strait.to(redis.port());
        RunningServer node = TwoServers.node(strait.uri(), RedisSettings.LEASE)) {
      List<RawPeer> peers = new ArrayList<>();
      for (int i = 0; i < PEERS; i++) {
        peers.add(node.join("m" + i));
      }
      strait.delay(100);
      peers.get(0).say("a call that is under way");
      peers.get(0).expectNothingOf(Event.class);
      CompletableFuture<Void> heldUp =
          CompletableFuture.runAsync(HeldUpNodeTest::spin, node.server().roomLoop().eventLoop());
      String[] texts = new String[TEXTS];
      Arrays.fill(texts, "hi");
      peers.forEach(peer -> peer.say(texts));
      heldUp.join();
      strait.delay(0);
      for (RawPeer peer : peers) {
        peer.await(Ack.class, ack -> ack.sendNo() == peer.sendNo());
        for (int sendNo = 1; sendNo <= peer.sendNo(); sendNo++) {
          assertThat(peer.stream().isRefused(sendNo)).as("SEND %d refused", sendNo).isFalse();
        }
      }
    }
  }

  private static void spin() {
    long until = System.nanoTime() + HELD_UP.toNanos();
    while (System.nanoTime() - until < 0) {
      Thread.onSpinWait();
    }
  }
}
