package simplechat.redis;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.UnpooledByteBufAllocator;
import java.time.Duration;
import java.time.InstantSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import simplechat.protocol.MemberName;
import simplechat.protocol.ResumeToken;
import simplechat.protocol.ServerMessage.JoinedHow;
import simplechat.protocol.ServerMessage.LeftWhy;
import simplechat.room.Ledger;
import simplechat.room.Member;
import simplechat.room.Room;
import simplechat.room.RoomSettings;

class DoubtsTest {
  private final Room room =
      new Room(
          new RoomSettings(1 << 20, 65_536, Duration.ZERO, Duration.ofMinutes(2), 10, "", 0),
          new UnpooledByteBufAllocator(true, true),
          (task, delayNanos) -> {},
          InstantSource.system(),
          System::nanoTime);

  private final Ledger ledger = room.ledger();
  private final Doubts doubts = new Doubts();
  private Member alice;

  @AfterEach
  void free() {
    room.free();
  }

  private Request asked() throws Exception {
    alice = ledger.sessions().add(MemberName.of("alice"), new ResumeToken(1, 1));
    ledger.joined(alice, JoinedHow.JOINED, 0, 1, null);
    return Request.of('M', alice, new byte[Request.ARGUMENTS][0]);
  }

  /** Her session went on elsewhere while she spoke: what she said there is not remembered. */
  @Test
  void aDoubtThatIsExplainedIsForgotten() throws Exception {
    doubts.add(asked());
    assertThat(doubts.settle(ledger)).as("before it was looked").isFalse();
    doubts.looked(ledger.end() + 2);
    assertThat(doubts.settle(ledger)).as("before all was read").isFalse();
    assertThat(doubts.isEmpty()).isFalse();
    ledger.left(alice, LeftWhy.REPLACED, 0, 0);
    ledger.joined(alice, JoinedHow.CAME_BACK, 0, 1, null);
    assertThat(doubts.settle(ledger)).isFalse();
    assertThat(doubts.isEmpty()).isTrue();
  }

  @Test
  void aMemberThatIsThereAndIsNotKnownToBeIsToldOnce() throws Exception {
    doubts.add(asked());
    doubts.looked(ledger.end());
    assertThat(doubts.settle(ledger)).isTrue();
    assertThat(doubts.settle(ledger)).isFalse();
    assertThat(doubts.isEmpty()).isTrue();
  }
}
