package simplechat.client;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class BackOffTest {
  private static final long SEED = Long.getLong("test.seed", System.nanoTime());

  private long nanoTime;

  @Test
  void theWaitsGrowToThirtySeconds() {
    BackOff backOff = new BackOff(new Extreme(true), () -> nanoTime);
    for (int seconds : new int[] {2, 4, 8, 16, 30, 30}) {
      assertThat(pass(backOff.next(0))).hasSeconds(seconds);
    }
  }

  @Test
  void theServersWishIsTheLeastAndHalfOfTheMost() {
    assertThat(new BackOff(new Extreme(false), () -> nanoTime).next(7)).hasSeconds(7);
    assertThat(new BackOff(new Extreme(true), () -> nanoTime).next(7)).hasSeconds(14);
  }

  @Test
  void noTwoTriesAreInOneSecond() {
    BackOff backOff = new BackOff(new Extreme(false), () -> nanoTime);
    assertThat(pass(backOff.next(0))).hasSeconds(1);
    pass(Duration.ofMillis(300));
    assertThat(pass(backOff.next(0))).hasMillis(700);
    pass(Duration.ofMillis(1_200));
    assertThat(backOff.next(0)).isZero();
  }

  @Test
  void aStayBeginsTheWaitsAnewAndAShortWelcomeDoesNot() {
    BackOff backOff = new BackOff(new Extreme(true), () -> nanoTime);
    pass(backOff.next(0));
    pass(backOff.next(0));
    pass(Duration.ofSeconds(10));
    assertThat(pass(backOff.next(0))).hasSeconds(8);
    pass(Duration.ofSeconds(31));
    assertThat(backOff.next(0)).hasSeconds(2);
  }

  @Test
  void aSleepBeginsTheWaitsAnewButNotWithinASecond() {
    BackOff backOff = new BackOff(new Extreme(true), () -> nanoTime);
    for (int i = 0; i < 4; i++) {
      pass(backOff.next(0));
    }
    assertThat(backOff.next(0)).hasSeconds(30);
    backOff.slept();
    assertThat(backOff.next(0)).hasSeconds(2);
    BackOff eager = new BackOff(new Extreme(false), () -> nanoTime);
    eager.slept();
    assertThat(eager.next(0)).hasSeconds(1);
  }

  @Test
  void chanceSpreadsTheTriesOverTheWholeWait() {
    Random random = new Random(SEED);
    int[] tenths = new int[10];
    for (int i = 0; i < 10_000; i++) {
      BackOff backOff = new BackOff(random, () -> nanoTime);
      pass(Duration.ofSeconds(5));
      tenths[(int) Math.min(9, backOff.next(0).toMillis() / 200)]++;
    }
    assertThat(IntStream.of(tenths)).as("seed %d", SEED).allMatch(n -> n > 800 && n < 1_200);
  }

  private Duration pass(Duration duration) {
    nanoTime += duration.toNanos();
    return duration;
  }
}
