package simplechat.room;

import java.time.Duration;
import java.util.function.LongSupplier;

/**
 * When what was appended is told to everybody: what comes in one turn of the room's loop at the end
 * of the turn, at once for all; a turn that brings more than an eighth of the log in between. Where
 * several loops read, what comes right behind a telling waits a moment, so that what the other
 * loops' members say joins it. Who comes and goes in a crowd is told a moment later: to tell
 * everybody of each alone would take all the time there is.
 *
 * <p>Threading: the room's loop.
 */
final class Telling {
  /** Comings and goings wait, since the last telling, this many times what it took. */
  private static final int ANNOUNCE_REST = 2;

  /**
   * Behind a telling, what was said waits this part of what it took, if other loops have walked at
   * the same time: what their members answered is on its way, and would miss this turn by as little
   * as makes every loop write to everybody twice.
   */
  private static final int GATHER_PART = 4;

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

  /** Tells it at the end of the turn, or of the moment in which it is joined by others. */
  void soon() {
    if (log.isPublishDue()) {
      tell();
    } else if (!due) {
      due = true;
      loop.execute(this::tell, log.isReadByMany() ? restNanos(tookNanos / GATHER_PART) : 0);
    }
  }

  /** Tells it when there has been a rest. */
  void unhurried() {
    long rest = restNanos(ANNOUNCE_REST * tookNanos);
    if (rest == 0 || log.isPublishDue()) {
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

  /** How much is left of a rest since the last telling. */
  private long restNanos(long of) {
    return Math.max(0, toldAtNanos + of - nanoTime.getAsLong());
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
