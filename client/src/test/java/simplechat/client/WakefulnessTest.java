package simplechat.client;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class WakefulnessTest {
  private long monotonicMillis;
  private long wallMillis;

  private final Wakefulness wakefulness =
      new Wakefulness(
          () -> TimeUnit.MILLISECONDS.toNanos(monotonicMillis),
          () -> Instant.ofEpochMilli(wallMillis));

  @Test
  void aLookThatIsALittleLateIsNoSleep() {
    assertThat(passes(1_000, 1_000)).isFalse();
    assertThat(passes(3_900, 3_900)).isFalse();
    assertThat(passes(1_000, -100_000)).isFalse();
  }

  @Test
  void aProcessThatWasStoppedHasSlept() {
    assertThat(passes(60_000, 60_000)).isTrue();
    assertThat(passes(1_000, 1_000)).isFalse();
  }

  @Test
  void aMachineThatWasSuspendedHasSleptAlthoughItsMonotonicClockStoodStill() {
    assertThat(passes(1_000, 3_600_000)).isTrue();
    assertThat(passes(1_000, 1_000)).isFalse();
  }

  private boolean passes(long byMonotonic, long byWall) {
    monotonicMillis += byMonotonic;
    wallMillis += byWall;
    return wakefulness.slept();
  }
}
