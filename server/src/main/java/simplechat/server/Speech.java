package simplechat.server;

import java.time.Duration;
import java.util.concurrent.TimeUnit;

/**
 * When a member is heard again: it speaks no faster than the rate, and not while the room waits for
 * those who read; and after many frames that say nothing it has to rest, so that it pays for them,
 * and not the others of its loop. What it has sent meanwhile is not read from its socket.
 *
 * <p>Threading: confined to the connection's loop. Bounds: a member that was silent may say at once
 * what it could have said in {@link #BURST}.
 */
final class Speech {
  /** So many seconds of the rate at once: people paste. */
  private static final Duration BURST = Duration.ofSeconds(4);

  /** So many frames that say nothing take a fraction of a millisecond, and then comes a rest. */
  static final int IDLE_FRAMES = 1024;

  static final Duration IDLE_REST = Duration.ofMillis(2);

  private final ConnectionLoop loop;
  private final Connection connection;

  /** Of one text, 0 if there is no rate. */
  private final long intervalNanos;

  /** Until then the time is used up by what was said. */
  private long spentUntilNanos;

  private int idleFrames;
  private boolean waits;

  /**
   * @param rate texts in a second, 0 for any number
   */
  Speech(ConnectionLoop loop, Connection connection, int rate) {
    this.loop = loop;
    this.connection = connection;
    this.intervalNanos = rate == 0 ? 0 : Duration.ofSeconds(1).toNanos() / rate;
    this.spentUntilNanos = rate == 0 ? 0 : loop.realNanos();
  }

  /** True if the member must wait. */
  boolean waits() {
    return waits;
  }

  /** The member has said something. */
  void spoke() {
    if (intervalNanos > 0) {
      long now = loop.realNanos();
      spentUntilNanos = Math.max(spentUntilNanos - now, 0) + now + intervalNanos;
      long early = spentUntilNanos + intervalNanos - BURST.toNanos() - now;
      if (early > 0) {
        waitFor(early);
        return;
      }
    }
    if (loop.isRestrained()) {
      waits = true;
      loop.restrain(this);
    }
  }

  /** The member has sent what nobody has anything of. */
  void idled() {
    idleFrames++;
    if (idleFrames == IDLE_FRAMES) {
      idleFrames = 0;
      waitFor(IDLE_REST.toNanos());
    }
  }

  private void waitFor(long nanos) {
    waits = true;
    loop.eventLoop().schedule(this::goOn, nanos, TimeUnit.NANOSECONDS);
  }

  /** The wait is over. */
  void goOn() {
    waits = false;
    connection.resume();
  }
}
