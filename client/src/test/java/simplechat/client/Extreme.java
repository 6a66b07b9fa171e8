package simplechat.client;

import java.util.random.RandomGenerator;

/** Chance at one of its two ends. */
public record Extreme(boolean high) implements RandomGenerator {
  @Override
  public long nextLong() {
    throw new UnsupportedOperationException();
  }

  @Override
  public long nextLong(long bound) {
    return high ? bound - 1 : 0;
  }
}
