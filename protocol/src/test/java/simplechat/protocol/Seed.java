package simplechat.protocol;

import java.util.Random;

/** The seed of a random test: told when it fails, taken back by {@code -Dtest.seed=N}. */
public final class Seed {
  private static final boolean FULL = "full".equals(System.getProperty("chat.load"));

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

  /** How often, with {@code -Dchat.load=full}; a tenth of it in an ordinary build. */
  public static int times(int full) {
    return FULL ? full : full / 10;
  }
}
