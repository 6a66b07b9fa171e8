package simplechat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import simplechat.support.Figures;
import simplechat.support.Load;
import simplechat.support.Nomads;
import simplechat.support.RedisServer;
import simplechat.support.ServerProcess;

/** A room of three servers, of which one after the other is killed while everybody speaks. */
@Tag("slow")
class ServerLossTest {
  private static final int MEMBERS = 300;
  private static final int PER_SECOND = 200;
  private static final int KILLS = 5;
  private static final int STRANGERS = 3;
  private static final Duration LOST_WITHIN = Duration.ofSeconds(15);

  @Test
  void aServerThatIsKilledUnderLoadCostsItsMembersAReconnectAndNobodyElseAnything() {
    assumeTrue(Load.isFull(), "two minutes long");
    Load.seeded(
        random -> {
          List<ServerProcess> servers = new ArrayList<>();
          try (RedisServer redis = RedisServer.start()) {
            for (int i = 0; i < 3; i++) {
              servers.add(start(redis));
            }
            List<InetSocketAddress> addresses =
                servers.stream().map(ServerProcess::address).toList();
            try (Nomads nomads = new Nomads(addresses, random)) {
              nomads.join(MEMBERS);
              nomads.live(Duration.ofSeconds(5), PER_SECOND);
              nomads.p99();
              double worst = 0;
              long latest = 0;
              for (int round = 0; round <= KILLS; round++) {
                int one = round % 3;
                List<String> strangers = nomads.joinStrangers("s" + round + "-", STRANGERS, one);
                nomads.live(Duration.ofSeconds(10), PER_SECOND);
                long before = nomads.p99();
                servers.get(one).signal("KILL");
                long killed = System.nanoTime();
                nomads.lost(one);
                nomads.live(Duration.ofSeconds(10), PER_SECOND);
                long after = nomads.p99();
                CompletableFuture<ServerProcess> next =
                    CompletableFuture.supplyAsync(() -> start(redis));
                nomads.live(Duration.ofSeconds(5), PER_SECOND);
                servers.set(one, next.join());
                nomads.found(one, next.join().address());
                for (String stranger : strangers) {
                  assertThat(nomads.lostAtNanos()).containsKey(stranger);
                  latest = Math.max(latest, nomads.lostAtNanos().get(stranger) - killed);
                }
                // The first is a rehearsal: until then nobody has ever come back, and Java is slow.
                worst = round == 0 ? 0 : Math.max(worst, (double) after / before);
                System.out.printf(
                    "L3 round %d: p99 %s before, %s after%n",
                    round, Figures.millis(before), Figures.millis(after));
              }
              nomads.settle();
              String cost =
                  "p99 of the others %.1f x, LOST after %s"
                      .formatted(worst, Figures.millis(latest));
              Figures.tell(
                  "L3",
                  "%d members, %d texts, %d kills: chains equal, %s"
                      .formatted(MEMBERS, nomads.said(), 1 + KILLS, cost),
                  "0 lost, 0 twice, 2 x, 15 s");
              assertThat(nomads.lostAtNanos()).hasSize((1 + KILLS) * STRANGERS);
              assertThat(latest).isLessThan(LOST_WITHIN.toNanos());
              assertThat(worst).isLessThanOrEqualTo(2);
            }
          } finally {
            servers.forEach(ServerProcess::close);
          }
        });
  }

  private static ServerProcess start(RedisServer redis) {
    ServerProcess server =
        ServerProcess.start("--port", "0", "--loops", "1", "--redis", redis.uri());
    assertThat(server.address()).isNotNull();
    return server;
  }
}
