package simplechat.room;

import org.jspecify.annotations.Nullable;
import simplechat.protocol.ServerMessage;

/**
 * Where a member's events lay that have left the log, so that a GAP can leave them out.
 *
 * <p>Events with none of others between them are one range. A range is written as two numbers, each
 * of seven bits a byte: how many positions there are before it, and how many in it.
 *
 * <p>Threading: the room's loop only. Bounds: {@link #MAX_BYTES}, which is enough for {@link
 * #RANGES_MIN} ranges of up to 127 events, each less than two million positions behind the one
 * before; then the oldest are forgotten.
 */
final class Past {
  static final int RANGES_MIN = 1000;

  static final int MAX_BYTES = 5 * 1024;

  /** Many are forgotten at a time, since the others are moved then. */
  private static final int KEPT_BYTES = 4 * 1024;

  private static final int FIRST_BYTES = 16;
  private static final byte[] NONE = {};
  private static final int BITS = 7;
  private static final int MORE = 1 << BITS;

  private byte[] ranges = NONE;
  private int from;
  private int to;

  /** The position behind the last range that was forgotten. */
  private long forgottenEnd;

  /** The position behind the last range that was written. */
  private long writtenEnd;

  /** The newest range, which may still grow. */
  private long newestStart;

  private long newestEnd;
  private long sendsEnd;
  private int lastSendNo;

  /** Takes in a run that lies behind all others. */
  void add(Run run) {
    if (run.firstPosition() != newestEnd) {
      if (newestEnd > newestStart) {
        write();
      }
      newestStart = run.firstPosition();
    }
    newestEnd = run.endPosition();
    if (run.sendNo() != 0) {
      sendsEnd = newestEnd;
      lastSendNo = run.sendNo();
    }
  }

  /** How many events lie at or behind the position. */
  long eventsSince(long position) {
    long events = behind(position, newestStart, newestEnd);
    long start = forgottenEnd;
    for (int at = from; at < to; ) {
      start += number(at);
      at = next(at);
      long end = start + number(at);
      at = next(at);
      events += behind(position, start, end);
      start = end;
    }
    return events;
  }

  /** What acknowledges the SENDs that lie at or behind the position, if there are any. */
  ServerMessage.@Nullable Ack ackSince(long position) {
    return sendsEnd > position ? new ServerMessage.Ack((int) (sendsEnd - 1), lastSendNo) : null;
  }

  private static long behind(long position, long start, long end) {
    return Math.max(0, end - Math.max(start, position));
  }

  private void write() {
    long apart = newestStart - writtenEnd;
    long events = newestEnd - newestStart;
    makeRoom(bytes(apart) + bytes(events));
    write(apart);
    write(events);
    writtenEnd = newestEnd;
  }

  private void makeRoom(int bytes) {
    if (to + bytes <= ranges.length) {
      return;
    }
    if (to - from + bytes > MAX_BYTES) {
      while (to - from > KEPT_BYTES) {
        forgottenEnd += number(from);
        from = next(from);
        forgottenEnd += number(from);
        from = next(from);
      }
    }
    int length = Math.max(FIRST_BYTES, 2 * (to - from + bytes));
    byte[] moved = new byte[Math.min(MAX_BYTES, length)];
    System.arraycopy(ranges, from, moved, 0, to - from);
    ranges = moved;
    to -= from;
    from = 0;
  }

  private void write(long number) {
    long left = number;
    while (left >= MORE) {
      ranges[to++] = (byte) (left | MORE);
      left >>>= BITS;
    }
    ranges[to++] = (byte) left;
  }

  private static int bytes(long number) {
    return 1 + (Long.SIZE - 1 - Long.numberOfLeadingZeros(number | 1)) / BITS;
  }

  private long number(int index) {
    long number = 0;
    for (int at = next(index) - 1; at >= index; at--) {
      number = (number << BITS) | (ranges[at] & (MORE - 1));
    }
    return number;
  }

  /** Where the number behind this one begins. */
  private int next(int index) {
    int at = index;
    while (ranges[at] < 0) {
      at++;
    }
    return at + 1;
  }
}
