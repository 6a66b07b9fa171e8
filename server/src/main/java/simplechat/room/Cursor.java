package simplechat.room;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import org.jspecify.annotations.Nullable;
import simplechat.protocol.ServerMessage;

/**
 * One member's place in the log: the next byte to be sent to it.
 *
 * <p>A turn is {@link #collect}, a write of what was collected, and {@link #taken}; nothing moves
 * before the last of them. Between turns the cursor may stand inside a frame, if the socket took a
 * part of it.
 *
 * <p>Threading: confined to the event loop of the connection that owns it. Endings: a cursor whose
 * segment is retired must {@link #lapse} before the segment is released; it then goes on behind it
 * and first tells the member what is gone.
 */
public final class Cursor {
  private Segment segment;
  private int offset;

  /** The last run of the member that lies behind the cursor, or a stub before the first. */
  private Run passed;

  /**
   * False if the cursor is known to stand between frames, which saves looking for where they begin.
   */
  private boolean torn;

  private long limit = Long.MAX_VALUE;
  private long cameInAt;
  private long countedPosition;
  private long countedOwn;
  private @Nullable Gap gap;

  /** Events before {@code next} that are gone and that the member has not been told of. */
  private record Gap(long next, long missed, ServerMessage.@Nullable Ack ack) {}

  /**
   * @param position of the first event that it is to give, even if that is gone
   */
  Cursor(Segment segment, int offset, long position, Run passed) {
    this.segment = segment;
    this.offset = offset;
    this.passed = passed;
    this.countedPosition = position;
    this.countedOwn = passed.ownerEvents();
    Run next = passed.nextOfOwner();
    if (next != null && next.firstPosition() < position) {
      countedOwn += position - next.firstPosition();
    }
  }

  /** A cursor at the start of the log for a member who comes back to a position before it. */
  static Cursor afterGap(Segment first, long position, Member member) {
    long start = first.firstPosition();
    Cursor cursor = new Cursor(first, 0, start, member.runBefore(start));
    Past past = member.past();
    long own = past == null ? 0 : past.eventsSince(position);
    cursor.tellGap(start, start - position - own, past == null ? null : past.ackSince(position));
    return cursor;
  }

  /** A cursor at the same place that leaves nobody's runs out. */
  public Cursor fork() {
    return new Cursor(segment, offset, countedPosition, new Run(passed.owner(), 0, 0));
  }

  /** True if both go on with the same byte, and neither this one nor the other ends. */
  public boolean isLevelWith(Cursor other) {
    return segment == other.segment && offset == other.offset && limit == other.limit;
  }

  /** Goes on where the other stands; what lies between is not the member's own. */
  public void moveTo(Cursor other) {
    moveTo(other.segment, other.offset, passed);
    countedPosition = other.countedPosition;
    gap = other.gap;
  }

  /**
   * How many events of others were sent since the last call.
   *
   * @param exact false to leave those for a later call that only a search would count, which is so
   *     while the cursor is not where all that was published ends
   */
  public long delivered(boolean exact) {
    long position =
        exact || offset == segment.end() ? segment.position(boundary()) : segment.firstPosition();
    long own = passed.ownerEvents();
    long delivered = position - countedPosition - (own - countedOwn);
    if (delivered < 0) {
      return 0;
    }
    countedPosition = position;
    countedOwn = own;
    return delivered;
  }

  /** Bytes between the cursor and {@code endByte}, the member's own among them. */
  public long lagBytes(long endByte) {
    return Math.max(0, endByte - segment.firstByte() - offset);
  }

  /** True if the last of the member's own SENDs behind the cursor has this number. */
  public boolean hasPassed(int sendNo) {
    return passed.sendNo() == sendNo;
  }

  /** Where the next byte lies among all bytes that the log ever had. */
  public long place() {
    return segment.firstByte() + offset;
  }

  /** True if the JOINED of this connection is behind the cursor. */
  public boolean hasComeIn() {
    return place() >= cameInAt;
  }

  /** True if this cursor must {@link #lapse} when the segment is retired. */
  public boolean isIn(Segment retired) {
    return segment == retired;
  }

  /**
   * The connection speaks for the member from this place on: a LEFT of the member behind it ends
   * what is sent, even before the connection is told so; one before it was another connection's.
   */
  void cameInAt(long endByte) {
    cameInAt = endByte;
  }

  /** Nothing at or behind this place is sent any more. */
  public void stopAt(long endByte) {
    limit = Math.min(limit, endByte);
  }

  /** Nothing more is sent but the rest of the frame in which the cursor stands. */
  public void stopAtBoundary() {
    gap = null;
    stopAt(segment.firstByte() + boundary());
  }

  /** True if all that there was to send before the stop has been sent. */
  public boolean isStopped() {
    return gap == null && segment.firstByte() + offset >= limit;
  }

  /**
   * Bytes that are missing to the end of the frame in which the cursor stands; 0 between frames.
   */
  public int tornBytes() {
    return boundary() - offset;
  }

  /** Those bytes in memory of their own, and behind them what waits already, which is released. */
  public ByteBuf tornBefore(@Nullable ByteBuf waiting, ByteBufAllocator allocator) {
    ByteBuf saved = allocator.directBuffer(tornBytes());
    saved.writeBytes(segment.bytes(), offset, tornBytes());
    if (waiting != null) {
      saved.writeBytes(waiting);
      waiting.release();
    }
    return saved;
  }

  /**
   * Adds the rest of the frame in which the cursor stands, if any; may come before {@link
   * #collect}.
   */
  public void collectTorn(Pieces pieces) {
    int end = boundary();
    if (end > offset) {
      pieces.addLog(segment, offset, end, passed);
    }
  }

  /**
   * Adds what has been published and was not sent: all of it, or as much as the pieces hold. The
   * member's own runs are left out, each (or several in a row) answered by one ACK where it lay.
   *
   * @return false if that is nothing
   */
  public boolean collect(Pieces pieces) {
    int before = pieces.count();
    collectGap(pieces);
    Segment at = segment;
    int from = before == 0 ? offset : boundary();
    Run behind = passed;
    Run due = null;
    boolean hole = false;
    while (!pieces.isFull()) {
      int end = at.end();
      if (from == end) {
        Segment next = at.next();
        if (next == null) {
          break;
        }
        if (from < at.end()) {
          continue;
        }
        hole = next.firstPosition() != at.endPosition();
        if (hole) {
          break;
        }
        at = next;
        from = 0;
        continue;
      }
      int to = (int) Math.min(end, limit - at.firstByte());
      if (from >= to) {
        break;
      }
      Run own = behind.nextOfOwner();
      if (own != null && own.from() <= at.firstByte() + from) {
        from = (int) (own.to() - at.firstByte());
        behind = own;
        due = own.sendNo() == 0 ? due : own;
        if (own.isLeft() && own.to() > cameInAt) {
          stopAt(own.to());
        }
        continue;
      }
      if (due != null) {
        pieces.addAnswer(due.ack(), at, from, behind);
        due = null;
      }
      if (own != null) {
        to = (int) Math.min(to, own.from() - at.firstByte());
      }
      pieces.addLog(at, from, to, behind);
      from = to;
    }
    if (due != null) {
      pieces.addAnswer(due.ack(), at, from, behind);
    }
    if (pieces.count() == 0) {
      moveTo(at, from, behind);
      return hole && next(at).firstByte() < limit && collect(pieces);
    }
    pieces.stopIf(hole);
    return pieces.count() > before;
  }

  /** Where events are missing between two segments, the member is told so in a turn of its own. */
  private void collectGap(Pieces pieces) {
    Segment next = segment.next();
    if (pieces.count() == 0
        && gap == null
        && next != null
        && offset == segment.end()
        && next.firstPosition() != segment.endPosition()
        && next.firstByte() < limit) {
      skip(segment.endPosition(), next.firstPosition(), next);
    }
    if (gap != null) {
      collectGap(pieces, gap);
    }
  }

  /**
   * Moves behind what the socket took.
   *
   * @param whole how many pieces it took whole, from the first on
   * @param rest how many bytes of the piece behind them
   */
  public void taken(Pieces pieces, int whole, int rest) {
    if (pieces.isGapTold(whole, rest)) {
      gap = null;
    }
    for (int piece = whole - 1; piece >= 0; piece--) {
      Segment after = pieces.segmentAfter(piece);
      Run passedAfter = pieces.passedAfter(piece);
      if (after != null && passedAfter != null) {
        moveTo(after, pieces.offsetAfter(piece), passedAfter);
        break;
      }
    }
    if (rest > 0) {
      Segment after = pieces.segmentAfter(whole);
      Run passedAfter = pieces.passedAfter(whole);
      if (after != null && passedAfter != null) {
        boolean log = pieces.isLog(whole);
        moveTo(after, log ? pieces.index(whole) + rest : pieces.offsetAfter(whole), passedAfter);
        torn = log;
      }
    }
  }

  /**
   * The same for pieces that another cursor collected for both, without any of the member's own.
   */
  public void takenInCommon(Pieces pieces, int whole, int rest) {
    Run own = passed;
    taken(pieces, whole, rest);
    passed = own;
  }

  /**
   * Leaves a segment that was retired. A frame in which the cursor stands is given up: if the
   * member is to stay, its rest must have been saved by {@link #tornBefore}.
   */
  public void lapse() {
    Segment next = next(segment);
    long position = segment.position(boundary());
    long end = next.firstPosition();
    if (limit < next.firstByte()) {
      end = Math.max(position, segment.position((int) (limit - segment.firstByte())));
    }
    skip(position, end, next);
  }

  /** True if there is nothing more to come behind a segment that was retired. */
  public boolean isInLastSegment() {
    return segment.next() == null;
  }

  private static Segment next(Segment segment) {
    Segment next = segment.next();
    if (next == null) {
      throw new IllegalStateException("the newest segment has none behind it");
    }
    return next;
  }

  Segment segment() {
    return segment;
  }

  int offset() {
    return offset;
  }

  Run passed() {
    return passed;
  }

  /**
   * Goes on at {@code next}: the events from {@code position} to {@code end} are gone, and those
   * behind them, if there are any, lie behind the stop and concern nobody.
   */
  void skip(long position, long end, Segment next) {
    long missed = end - position;
    Run lastSend = null;
    Run own = passed.nextOfOwner();
    while (own != null && own.firstPosition() < end && own.endPosition() <= next.firstPosition()) {
      missed -= Math.min(own.endPosition(), end) - Math.max(own.firstPosition(), position);
      lastSend = own.sendNo() == 0 || own.endPosition() > end ? lastSend : own;
      passed = own;
      own = own.nextOfOwner();
    }
    countedPosition += missed + next.firstPosition() - end;
    tellGap(end, missed, lastSend == null ? null : lastSend.ack());
    moveTo(next, 0, passed);
  }

  /** Up to {@code next} so many more are gone, and own SENDs with them. */
  private void tellGap(long next, long missed, ServerMessage.@Nullable Ack ack) {
    long all = missed + (gap == null ? 0 : gap.missed());
    ServerMessage.Ack last = ack == null && gap != null ? gap.ack() : ack;
    gap = all == 0 && last == null ? null : new Gap(next, all, last);
  }

  private void collectGap(Pieces pieces, Gap gap) {
    ServerMessage.Gap told =
        gap.missed() == 0
            ? null
            : new ServerMessage.Gap(gap.next(), (int) Math.min(gap.missed(), 0xFFFFFFFFL));
    pieces.addGap(told, gap.ack(), this);
  }

  private void moveTo(Segment segment, int offset, Run passed) {
    this.segment = segment;
    this.offset = offset;
    this.passed = passed;
    this.torn = false;
  }

  /** Where the frame ends in which the cursor stands, or where it stands. */
  private int boundary() {
    return torn ? segment.boundary(offset) : offset;
  }
}
