package simplechat.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import simplechat.protocol.RoomKey;
import simplechat.server.KeyGuard.Verdict;

/** K8: what wrong keys lead to as time goes by. */
class KeyGuardTest {
  private static final RoomKey RIGHT = key("right");
  private static final RoomKey WRONG = key("wrong");
  private static final Address HERE = new Address(false, 1);
  private static final Address THERE = new Address(false, 2);

  private final AtomicLong nanos = new AtomicLong(Long.MAX_VALUE - 5);
  private final KeyGuard guard = new KeyGuard(RIGHT, nanos::get);

  @Test
  void theFifthWrongKeyInAMinuteBarsTheAddressForAMinute() {
    for (int i = 0; i < 4; i++) {
      assertThat(guard.judge(HERE, WRONG)).isEqualTo(Verdict.WRONG);
      pass(Duration.ofSeconds(14));
    }
    assertThat(guard.bars(HERE)).isFalse();
    assertThat(guard.judge(HERE, WRONG)).isEqualTo(Verdict.BARRED);
    pass(Duration.ofSeconds(59));
    assertThat(guard.bars(HERE)).isTrue();
    assertThat(guard.judge(HERE, RIGHT)).isEqualTo(Verdict.BARRED);
    assertThat(guard.judge(THERE, RIGHT)).isEqualTo(Verdict.RIGHT);
    pass(Duration.ofSeconds(1));
    assertThat(guard.bars(HERE)).isFalse();
    assertThat(guard.judge(HERE, WRONG)).isEqualTo(Verdict.WRONG);
    assertThat(guard.judge(HERE, RIGHT)).isEqualTo(Verdict.RIGHT);
  }

  /** A minute is any minute, not one that begins with the first guess. */
  @Test
  void noMinuteHasMoreThanFive() {
    guard.judge(HERE, WRONG);
    pass(Duration.ofSeconds(58));
    for (int i = 0; i < 3; i++) {
      assertThat(guard.judge(HERE, WRONG)).isEqualTo(Verdict.WRONG);
    }
    pass(Duration.ofSeconds(3));
    assertThat(guard.judge(HERE, WRONG)).isEqualTo(Verdict.WRONG);
    assertThat(guard.judge(HERE, WRONG)).isEqualTo(Verdict.BARRED);
  }

  @Test
  void aSlowGuesserAndOneWithoutAKeyAreNotBarred() {
    for (int i = 0; i < 100; i++) {
      assertThat(guard.judge(HERE, WRONG)).isEqualTo(Verdict.WRONG);
      assertThat(guard.judge(THERE, null)).isEqualTo(Verdict.WRONG);
      pass(Duration.ofSeconds(15));
    }
  }

  @Test
  void theTableIsBoundedAndForgets() {
    for (int i = 0; i < KeyGuard.ADDRESSES_MAX + 100; i++) {
      guard.judge(new Address(true, i), WRONG);
    }
    assertThat(guard.addresses()).isEqualTo(KeyGuard.ADDRESSES_MAX);
    assertThat(guard.judge(HERE, WRONG)).isEqualTo(Verdict.BARRED);
    assertThat(guard.judge(HERE, RIGHT)).isEqualTo(Verdict.RIGHT);
    pass(KeyGuard.BARRED);
    assertThat(guard.judge(HERE, WRONG)).isEqualTo(Verdict.WRONG);
    assertThat(guard.addresses()).isEqualTo(1);
  }

  @Test
  void aRoomWithoutAKeyTakesAny() {
    KeyGuard open = new KeyGuard(null, nanos::get);
    for (int i = 0; i < 10; i++) {
      assertThat(open.judge(HERE, WRONG)).isEqualTo(Verdict.RIGHT);
    }
    assertThat(open.judge(HERE, null)).isEqualTo(Verdict.RIGHT);
  }

  private void pass(Duration time) {
    nanos.addAndGet(time.toNanos());
  }

  private static RoomKey key(String text) {
    return new RoomKey(text.getBytes(StandardCharsets.UTF_8));
  }
}
