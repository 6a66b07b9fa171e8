package simplechat.server;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;
import java.util.concurrent.TimeUnit;

/**
 * Makes those who speak wait while a member who reads, but too slowly, is about to fall out of the
 * log.
 *
 * <p>If nobody keeps up but the one who speaks, it waits as long as it takes: nobody is the worse
 * for it. Otherwise the others' talk goes before, and the wait is bounded by {@link #BUDGET_NANOS}
 * in any {@link #WINDOW_NANOS}; then the slow ones get a GAP. Which of the two it is shows only
 * while nobody is held back, so a wait lasts until the slowest has a quarter of the log to lose,
 * and at its end who keeps up is not asked.
 *
 * <p>Who speaks may fill the log faster than a loop comes to answer. Then it waits for the answer,
 * within the same bound.
 *
 * <p>Threading: the room's loop. The loops are asked where their members stand each time that the
 * log drops its oldest segment, and every {@link #AGAIN_NANOS} while somebody waits.
 */
final class Restraint {
  private static final long WINDOW_NANOS = Duration.ofSeconds(10).toNanos();

  /** Less than the 250 ms that are promised, by what the end of a wait may come late. */
  private static final long BUDGET_NANOS = Duration.ofMillis(200).toNanos();

  private static final long AGAIN_NANOS = Duration.ofMillis(5).toNanos();

  /** Of an eighth of the log: who is further behind does not keep up. */
  private static final int PARTS = 8;

  /** So many parts, from the log's start, are where a reader is about to fall out. */
  private static final int ENDANGERED_PARTS = 2;

  private static final int RESCUED_PARTS = 4;

  private final Collection<ConnectionLoop> loops;
  private final ConnectionLoop roomLoop;
  private final Deque<Wait> waits = new ArrayDeque<>();
  private long startByte;
  private long endByte;
  private int awaited;
  private int endangered;
  private int abreast;
  private boolean listens;
  private boolean on;
  private boolean undecided;
  private boolean stale;
  private boolean limited;
  private boolean again;
  private long sinceNanos;
  private long waitedNanos;

  /** A time in which somebody waited although others keep up. */
  private record Wait(long fromNanos, long toNanos) {}

  /**
   * What one loop says of its members.
   *
   * @param endangered who read and are about to fall out of the log
   * @param abreast who keep up
   * @param listensAlone it is one, and not one who speaks
   */
  record Standing(int endangered, int abreast, boolean listensAlone) {}

  Restraint(Collection<ConnectionLoop> loops, ConnectionLoop roomLoop) {
    this.loops = loops;
    this.roomLoop = roomLoop;
  }

  /** The log will drop what lies at {@code start} when the next segment is full. */
  void full(long start, long end) {
    startByte = start;
    endByte = end;
    long now = roomLoop.realNanos();
    if (awaited == 0) {
      ask();
    } else if (!on && isAffordable(now)) {
      // A loop has not come to answer, and its readers are not to fall out meanwhile.
      undecided = true;
      stale = true;
      sinceNanos = now;
      hold(true);
      lookAgain();
    }
  }

  /** How long somebody waited in the last window although others keep up. */
  long waitedNanos() {
    return waitedNanos;
  }

  private void ask() {
    if (awaited > 0) {
      return;
    }
    awaited = loops.size();
    endangered = 0;
    abreast = 0;
    listens = false;
    long part = (endByte - startByte) / PARTS;
    long endangeredBelow = startByte + (on && !undecided ? RESCUED_PARTS : ENDANGERED_PARTS) * part;
    for (ConnectionLoop loop : loops) {
      loop.standing(endangeredBelow, endByte - part, this::told);
    }
  }

  /** From any loop. */
  private void told(Standing standing) {
    if (roomLoop.eventLoop().inEventLoop()) {
      count(standing);
    } else {
      roomLoop.execute(() -> count(standing));
    }
  }

  private void count(Standing standing) {
    endangered += standing.endangered();
    abreast += standing.abreast();
    listens |= standing.listensAlone();
    awaited--;
    if (awaited == 0) {
      decide();
    }
  }

  private void decide() {
    if (stale) {
      stale = false;
      ask();
      return;
    }
    long now = roomLoop.realNanos();
    if (!on || undecided) {
      limited = abreast > 1 || listens;
    }
    spend(now);
    undecided = false;
    hold(endangered > 0 && (!limited || isAffordable(now)));
    if (on) {
      lookAgain();
    }
  }

  private void hold(boolean hold) {
    if (hold != on) {
      on = hold;
      loops.forEach(loop -> loop.restrain(hold));
    }
  }

  private void lookAgain() {
    if (!again) {
      again = true;
      roomLoop.eventLoop().schedule(this::askAgain, AGAIN_NANOS, TimeUnit.NANOSECONDS);
    }
  }

  private void askAgain() {
    again = false;
    if (undecided) {
      long now = roomLoop.realNanos();
      if (isAffordable(now)) {
        lookAgain();
      } else {
        limited = true;
        spend(now);
        undecided = false;
        stale = false;
        hold(false);
      }
    }
    ask();
  }

  private void spend(long now) {
    if (on && limited) {
      waits.add(new Wait(sinceNanos, now));
      waitedNanos += now - sinceNanos;
    }
    sinceNanos = now;
  }

  private boolean isAffordable(long now) {
    while (!waits.isEmpty() && now - waits.element().toNanos() >= WINDOW_NANOS) {
      Wait past = waits.remove();
      waitedNanos -= past.toNanos() - past.fromNanos();
    }
    long undecidedNanos = undecided ? now - sinceNanos : 0;
    return waitedNanos + undecidedNanos + AGAIN_NANOS < BUDGET_NANOS;
  }
}
