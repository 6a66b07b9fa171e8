package simplechat.server;

import java.time.Duration;
import java.util.concurrent.TimeUnit;

/**
 * When a member may speak again: no faster than the rate, and not while the room waits for those
 * who read. What it has sent meanwhile is not read from its socket.
 *
 * <p>Threading: confined to the connection's loop. Bounds: a member that was silent may say at once
 * what it could have said in {@link #BURST}.
 */
final class Speech {
  /** So many seconds of the rate at once: people paste. */
  private static final Duration BURST = Duration.ofSeconds(4);

  private final ConnectionLoop loop;
  private final Connection connection;

  /** Of one text, 0 if there is no rate. */
  private final long intervalNanos;

  /** Until then the time is used up by what was said. */
  private long spentUntilNanos;

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
        waits = true;
        loop.eventLoop().schedule(this::goOn, early, TimeUnit.NANOSECONDS);
        return;
      }
    }
    if (loop.isRestrained()) {
      waits = true;
      loop.restrain(this);
    }
  }

  /** The wait is over. */
  void goOn() {
    waits = false;
    connection.resume();
  }
}
