package simplechat.client;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;

/**
 * When to try again to connect: at random, so that those who were lost together do not come back
 * together, and ever more seldom.
 *
 * <p>A try that lasted longer than the longest wait was a stay, and after it the waits begin anew;
 * a server that welcomes and hangs up gains nothing by it.
 *
 * <p>Threading: one thread at a time.
 */
public final class BackOff {
  private static final long FIRST_MAX_MILLIS = 2_000;
  private static final long MAX_MILLIS = 30_000;

  /** Between the beginnings of two tries, whatever chance says. */
  private static final long APART_MILLIS = 1_000;

  private final RandomGenerator random;
  private final LongSupplier nanoTime;
  private long lastTryNanos;
  private long maxMillis = FIRST_MAX_MILLIS;

  /**
   * To be made when the first try begins.
   *
   * @param nanoTime a monotonic clock, in nanoseconds
   */
  public BackOff(RandomGenerator random, LongSupplier nanoTime) {
    this.random = random;
    this.nanoTime = nanoTime;
    this.lastTryNanos = nanoTime.getAsLong();
  }

  /**
   * How long to wait from now on; the next try is taken to begin after that.
   *
   * @param retryAfterSeconds what the server asked for in its BYE, 0 if it did not
   */
  public Duration next(int retryAfterSeconds) {
    long now = nanoTime.getAsLong();
    long lastedMillis = TimeUnit.NANOSECONDS.toMillis(now - lastTryNanos);
    if (lastedMillis > MAX_MILLIS) {
      maxMillis = FIRST_MAX_MILLIS;
    }
    long leastMillis = TimeUnit.SECONDS.toMillis(retryAfterSeconds);
    long spreadMillis = retryAfterSeconds > 0 ? leastMillis : maxMillis;
    long chosenMillis = leastMillis + random.nextLong(spreadMillis + 1);
    long waitMillis = Math.max(chosenMillis, APART_MILLIS - lastedMillis);
    maxMillis = Math.min(2 * maxMillis, MAX_MILLIS);
    lastTryNanos = now + TimeUnit.MILLISECONDS.toNanos(waitMillis);
    return Duration.ofMillis(waitMillis);
  }

  /** Begins the waits anew: the machine has slept, and whatever there was to wait for is over. */
  void slept() {
    maxMillis = FIRST_MAX_MILLIS;
    lastTryNanos = Math.min(lastTryNanos, nanoTime.getAsLong());
  }
}
