package simplechat.client;

import static org.assertj.core.api.Assertions.assertThat;
import static simplechat.client.Liveness.Verdict.ALIVE;
import static simplechat.client.Liveness.Verdict.ASK;
import static simplechat.client.Liveness.Verdict.LOST;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class LivenessTest {
  private static final long SECOND = TimeUnit.SECONDS.toNanos(1);

  private final Liveness liveness = new Liveness(30, 0);

  @Test
  void silenceIsAskedAboutOnceAndThenTheEnd() {
    assertThat(until(29)).isEqualTo(ALIVE);
    assertThat(liveness.tick(30 * SECOND)).isEqualTo(ASK);
    assertThat(liveness.tick(33 * SECOND)).isEqualTo(ALIVE);
    assertThat(until(59, 33)).isEqualTo(ALIVE);
    assertThat(liveness.tick(60 * SECOND)).isEqualTo(LOST);
  }

  @Test
  void anyInputBeginsAnew() {
    until(59);
    liveness.heard(59 * SECOND);
    assertThat(until(88, 59)).isEqualTo(ALIVE);
    assertThat(liveness.tick(89 * SECOND)).isEqualTo(ASK);
  }

  @Test
  void timeInWhichThisProcessDidNotRunIsNotSilence() {
    until(20);
    assertThat(liveness.tick(10_000 * SECOND)).isEqualTo(ALIVE);
    assertThat(until(10_030, 10_000)).isEqualTo(ALIVE);
  }

  @Test
  void whoReadsNothingAsksOnceAHeartbeatAndWaitsForNoAnswer() {
    assertThat(liveness.deafTick(29 * SECOND)).isEqualTo(ALIVE);
    assertThat(liveness.deafTick(30 * SECOND)).isEqualTo(ASK);
    assertThat(liveness.deafTick(59 * SECOND)).isEqualTo(ALIVE);
    assertThat(liveness.deafTick(60 * SECOND)).isEqualTo(ASK);
    assertThat(liveness.deafTick(10_000 * SECOND)).isEqualTo(ASK);
    assertThat(until(10_029, 10_000)).isEqualTo(ALIVE);
    assertThat(liveness.tick(10_030 * SECOND)).isEqualTo(ASK);
  }

  private Liveness.Verdict until(int second) {
    return until(second, 0);
  }

  private Liveness.Verdict until(int second, int from) {
    Liveness.Verdict last = ALIVE;
    for (int now = from; now <= second; now++) {
      last = liveness.tick(now * SECOND);
    }
    return last;
  }
}
