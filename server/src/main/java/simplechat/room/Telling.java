package simplechat.room;

import java.time.Duration;
import java.util.function.LongSupplier;

/**
 * When what was appended is told to everybody: what comes in one turn of the room's loop at the end
 * of the turn, at once for all; a turn that brings more than an eighth of the log in between. Who
 * comes and goes in a crowd is told a moment later: to tell everybody of each alone would take all
 * the time there is.
 *
 * <p>Threading: the room's loop.
 */
final class Telling {
  /** Comings and goings wait, since the last telling, this many times what it took. */
  private static final int ANNOUNCE_REST = 2;

  /** A telling that took longer than this was held up by something else. */
  private static final long TOOK_MAX_NANOS = Duration.ofMillis(100).toNanos();

  private final Room.Loop loop;
  private final LongSupplier nanoTime;
  private RoomLog log;
  private boolean due;
  private boolean announcing;
  private long toldAtNanos;
  private long tookNanos;

  Telling(RoomLog log, Room.Loop loop, LongSupplier nanoTime) {
    this.log = log;
    this.loop = loop;
    this.nanoTime = nanoTime;
    this.toldAtNanos = nanoTime.getAsLong();
  }

  /** Goes on with another log. */
  void of(RoomLog other) {
    log = other;
  }

  /** Tells it at the end of the turn. */
  void soon() {
    if (log.isPublishDue()) {
      tell();
    } else if (!due) {
      due = true;
      loop.execute(this::tell, 0);
    }
  }

  /** Tells it when there has been a rest. */
  void unhurried() {
    long rest = toldAtNanos + ANNOUNCE_REST * tookNanos - nanoTime.getAsLong();
    if (rest <= 0 || log.isPublishDue()) {
      soon();
    } else if (!announcing) {
      announcing = true;
      loop.execute(
          () -> {
            announcing = false;
            tell();
          },
          rest);
    }
  }

  private void tell() {
    due = false;
    if (log.isPublished()) {
      return;
    }
    long began = nanoTime.getAsLong();
    log.publish();
    toldAtNanos = nanoTime.getAsLong();
    tookNanos = Math.min(toldAtNanos - began, TOOK_MAX_NANOS);
  }
}
