package simplechat.support;

import java.time.Duration;
import java.util.Random;
import java.util.function.LongConsumer;

/**
 * How much a load test does: a fraction of the full count in the ordinary build, all of it with
 * {@code -Dchat.load=full}. And its seed, which it prints when it fails and takes back with {@code
 * -Dtest.seed=N}.
 */
public final class Load {
  private static final boolean FULL = "full".equals(System.getProperty("chat.load"));

  private Load() {}

  public static int count(int ordinary, int full) {
    return FULL ? full : ordinary;
  }

  public static boolean isFull() {
    return FULL;
  }

  /** A time that holds where nothing else runs; otherwise ten times as much is let pass. */
  public static Duration bound(Duration alone) {
    return FULL ? alone : alone.multipliedBy(10);
  }

  /**
   * A 99th percentile that is as without what went on: at most times 1.25, or 5 ms more. In an
   * ordinary build another test runs beside it, and then only that the talk goes on is known.
   */
  public static Duration asWithout(long withoutNanos) {
    return asWithout(withoutNanos, 1.25);
  }

  /** The same with another factor. */
  public static Duration asWithout(long withoutNanos, double times) {
    long bound = (long) Math.max(withoutNanos * times, withoutNanos + 5e6);
    return FULL ? Duration.ofNanos(bound) : Duration.ofSeconds(1);
  }

  /** A random number generator for one test. */
  public interface Seeded {
    void accept(Random random);
  }

  public static void seeded(Seeded test) {
    run(seed -> test.accept(new Random(seed)));
  }

  public static void run(LongConsumer test) {
    Long given = Long.getLong("test.seed");
    long seed = given == null ? System.nanoTime() : given;
    try {
      test.accept(seed);
    } catch (AssertionError | RuntimeException e) {
      throw new AssertionError("-Dtest.seed=" + seed + ": " + e.getMessage(), e);
    }
  }
}
