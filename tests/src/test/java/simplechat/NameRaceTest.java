package simplechat;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import simplechat.protocol.ClientMessage.Hello;
import simplechat.protocol.ClientMessage.Leave;
import simplechat.protocol.ErrorCode;
import simplechat.protocol.ServerMessage;
import simplechat.protocol.ServerMessage.Left;
import simplechat.protocol.ServerMessage.Refused;
import simplechat.protocol.ServerMessage.Welcome;
import simplechat.support.Load;
import simplechat.support.RawPeer;
import simplechat.support.RunningServer;
import simplechat.support.Shape;

/** A name is one member's, whoever else wants it in the same moment. */
class NameRaceTest {
  private static final List<String> VARIANTS =
      List.of("Zoë", "zoë", "ZOË", "Zoe\u0308", "zOe\u0308");

  /** "A name that is the same as a member's MUST be answered with ERROR(NAME_TAKEN)." */
  @ParameterizedTest
  @EnumSource
  void oneOfManyWhoClaimANameAtOnceGetsIt(Shape shape) {
    int claims = 50;
    int rounds = Load.count(60, 1000);
    try (RunningServer server = shape.start()) {
      List<RawPeer> peers = new ArrayList<>();
      for (int i = 0; i < claims; i++) {
        peers.add(server.connect());
      }
      for (int round = 0; round < rounds; round++) {
        for (int i = 0; i < claims; i++) {
          peers.get(i).send(new Hello(VARIANTS.get(i % VARIANTS.size()), 0));
        }
        List<RawPeer> winners = new ArrayList<>();
        for (RawPeer peer : peers) {
          ServerMessage answer = peer.next();
          if (answer instanceof Welcome) {
            winners.add(peer);
          } else {
            assertThat(answer)
                .isInstanceOfSatisfying(
                    Refused.class,
                    refused -> assertThat(refused.code()).isEqualTo(ErrorCode.NAME_TAKEN.number()));
          }
        }
        assertThat(winners).hasSize(1);
        RawPeer winner = winners.get(0);
        winner.send(new Leave());
        winner.expectBye(ErrorCode.LEFT);
        winner.expectEof();
        winner.close();
        peers.set(peers.indexOf(winner), server.connect());
      }
      for (RawPeer peer : peers) {
        peer.expectNothing();
      }
    }
  }

  /** "The name MUST be free as soon as the others can read LEFT." */
  @ParameterizedTest
  @EnumSource
  void aNameIsFreeOnceItsOwnerIsGoneAndThenTheNextOnesAlone(Shape shape) {
    int rounds = Load.count(250, 10_000);
    Load.seeded(
        (Random random) -> {
          try (RunningServer server = shape.start()) {
            RawPeer observer = server.join("observer");
            RawPeer rival = server.connect();
            RawPeer owner = RawPeer.connect(server.address());
            owner.join("bob");
            for (int round = 0; round < rounds; round++) {
              boolean leaves = random.nextBoolean();
              RawPeer next = RawPeer.connect(server.address());
              if (leaves) {
                owner.send(new Leave());
              } else {
                owner.reset();
              }
              if (random.nextBoolean()) {
                observer.await(Left.class);
                next.join("BOB");
              } else {
                claim(next);
                observer.await(Left.class);
              }
              rival.send(new Hello("bob", 0));
              rival.expectError(ErrorCode.NAME_TAKEN, 0);
              owner.close();
              owner = next;
            }
            owner.reset();
          }
        });
  }

  private static void claim(RawPeer peer) {
    long since = System.nanoTime();
    ServerMessage answer;
    do {
      peer.send(new Hello("bob", 0));
      answer = peer.next();
      assertThat(Duration.ofNanos(System.nanoTime() - since)).isLessThan(Duration.ofSeconds(1));
    } while (!(answer instanceof Welcome));
  }
}
