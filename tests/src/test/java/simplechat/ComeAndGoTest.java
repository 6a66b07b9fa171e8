package simplechat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import simplechat.protocol.ClientMessage.Leave;
import simplechat.protocol.ServerMessage.Bye;
import simplechat.support.Load;
import simplechat.support.Memory;
import simplechat.support.RawPeer;
import simplechat.support.RunningServer;

/** Nothing of those who came and went is left: descriptors and threads are the books' to check. */
@Tag("slow")
class ComeAndGoTest {
  private static final long LEFT_OVER_MAX_BYTES = 5 << 20;

  /** "Memory is the log plus one segment, whatever members do." */
  @Test
  void memoryIsBackAfterAHundredThousandWhoCameAndWent() {
    int cycles = Load.count(3_000, 100_000);
    try (RunningServer server =
        RunningServer.start(
            config ->
                config
                    .loops(2)
                    .maxText(1024)
                    .logBytes(64 << 10)
                    .resumeWindow(Duration.ofMillis(50)))) {
      comeAndGo(server, cycles / 3);
      long before = settled(server);
      comeAndGo(server, cycles);
      await("memory")
          .pollInterval(Duration.ofMillis(100))
          .atMost(Duration.ofSeconds(5))
          .until(() -> settled(server) - before < LEFT_OVER_MAX_BYTES);
    }
  }

  private static long settled(RunningServer server) {
    server.awaitConnections(0);
    server.awaitMembers(0);
    return Memory.heldBytes();
  }

  /** A third never join, a third leave, a third are lost. */
  private static void comeAndGo(RunningServer server, int cycles) {
    for (int i = 0; i < cycles; i++) {
      try (RawPeer peer = RawPeer.connect(server.address())) {
        if (i % 3 > 0) {
          peer.join("m" + i);
          peer.say("hi");
        }
        if (i % 3 == 1) {
          peer.send(new Leave());
          peer.await(Bye.class);
        }
        peer.reset();
      }
    }
    assertThat(server.server().connections()).isLessThanOrEqualTo(cycles);
  }
}
