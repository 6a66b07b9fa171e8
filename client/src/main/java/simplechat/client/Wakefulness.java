package simplechat.client;

import java.time.InstantSource;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * Notices that this process or its machine has slept: from one look to the next, more time has
 * passed than between two looks should.
 *
 * <p>The monotonic clock shows it if the process was stopped; on most systems it stands still while
 * the machine sleeps, and then the wall clock shows it. Somebody who sets the wall clock looks like
 * a sleeper, which costs one question to the server.
 *
 * <p>Threading: one thread at a time.
 */
final class Wakefulness {
  static final long LOOK_MILLIS = 1_000;

  /** Later than a busy machine is. */
  private static final long SLEPT_MILLIS = 3_000;

  private final LongSupplier nanoTime;
  private final InstantSource wallClock;
  private long lastNanos;
  private long lastWallMillis;

  Wakefulness(LongSupplier nanoTime, InstantSource wallClock) {
    this.nanoTime = nanoTime;
    this.wallClock = wallClock;
    this.lastNanos = nanoTime.getAsLong();
    this.lastWallMillis = wallClock.millis();
  }

  /** Whether it slept since the last look. */
  boolean slept() {
    long nanos = nanoTime.getAsLong();
    long wallMillis = wallClock.millis();
    long passedMillis =
        Math.max(TimeUnit.NANOSECONDS.toMillis(nanos - lastNanos), wallMillis - lastWallMillis);
    lastNanos = nanos;
    lastWallMillis = wallMillis;
    return passedMillis > LOOK_MILLIS + SLEPT_MILLIS;
  }
}
