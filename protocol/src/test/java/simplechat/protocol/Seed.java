package simplechat.protocol;

import java.util.Random;

/** The seed of a random test: told when it fails, taken back by {@code -Dtest.seed=N}. */
public final class Seed {
  /** A random test. */
  public interface Body {
    void run(Random random) throws Exception;
  }

  private Seed() {}

  /** Runs the test with a fresh seed, or with that of the property. */
  public static void run(Body body) throws Exception {
    long seed = Long.getLong("test.seed", System.nanoTime());
    try {
      body.run(new Random(seed));
    } catch (AssertionError | Exception e) {
      throw new AssertionError("again with -Dtest.seed=" + seed + ": " + e.getMessage(), e);
    }
  }
}
