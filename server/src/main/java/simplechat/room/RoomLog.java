package simplechat.room;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import simplechat.protocol.MessageType;

/**
 * The bounded, append-only log of a room's events; what is retained is {@code [start, end)}.
 *
 * <p>Threading: the room's loop only. Bounds: the segments together hold at most the given number
 * of bytes, or two segments if that is more; a retired one lives on until its readers have left it.
 */
final class RoomLog {
  /** Small enough that a lapse costs little, large enough to be cheap: 3 000 short messages. */
  static final int SEGMENT_MAX_BYTES = 256 * 1024;

  /**
   * The segment behind a hole: many holes cost little of the log, however little lies between them.
   */
  private static final int AFTER_HOLE_BYTES = 16 * 1024;

  /** A log is cut into at least so many segments: with each that retires, so much of it goes. */
  private static final int SEGMENTS_MIN = 8;

  private final ByteBufAllocator allocator;
  private final long maxBytes;
  private final int segmentBytes;
  private final List<LogReader> readers = new ArrayList<>();

  private Segment first;
  private Segment tail;
  private long heldBytes;
  private int messages;
  private long messagesEver;
  private long end;
  private int committed;
  private long publishedByte;
  private @Nullable Run open;
  private boolean holed;

  /**
   * @param allocator gives direct memory
   * @param firstPosition of the first event
   */
  RoomLog(ByteBufAllocator allocator, long maxBytes, long firstPosition) {
    this.allocator = allocator;
    this.maxBytes = maxBytes;
    this.segmentBytes = (int) Math.min(SEGMENT_MAX_BYTES, maxBytes / SEGMENTS_MIN);
    this.end = firstPosition;
    this.tail = allocate(segmentBytes, 0, firstPosition);
    this.first = tail;
  }

  void add(LogReader reader) {
    readers.add(reader);
  }

  /** True if there is more than one event loop to be told. */
  boolean isReadByMany() {
    return readers.size() > 1;
  }

  /** The oldest retained position. */
  long start() {
    return first.firstPosition();
  }

  /** The next position to be given. */
  long end() {
    return end;
  }

  /** The place behind the last byte, as {@link Segment#firstByte} counts. */
  long endByte() {
    return tail.firstByte() + committed;
  }

  Segment first() {
    return first;
  }

  Segment tail() {
    return tail;
  }

  int tailOffset() {
    return committed;
  }

  /** Memory of the retained segments. */
  long heldBytes() {
    return heldBytes;
  }

  /** How the room stands, of which this knows all but the members. */
  RoomStatus status(int members, int lost, int tokens) {
    return new RoomStatus(
        members, lost, tokens, messagesEver, start(), end, publishedByte, heldBytes, null);
  }

  /** True if so much waits to be published that the log could turn over before readers see it. */
  boolean isPublishDue() {
    return endByte() - publishedByte > maxBytes / SEGMENTS_MIN;
  }

  /** True if nothing waits to be published. */
  boolean isPublished() {
    return endByte() == publishedByte;
  }

  /** The segment of a retained position. */
  Segment segment(long position) {
    Segment segment = first;
    Segment next = segment.next();
    while (next != null && next.firstPosition() <= position) {
      segment = next;
      next = segment.next();
    }
    return segment;
  }

  /**
   * The position of the MSG that has {@code count - 1} retained MSGs behind it, or of the oldest.
   */
  long historyStart(int count) {
    if (count == 0 || messages == 0) {
      return end;
    }
    int skip = Math.max(0, messages - count);
    Segment segment = first;
    Segment next = segment.next();
    while (next != null && skip >= segment.messages()) {
      skip -= segment.messages();
      segment = next;
      next = segment.next();
    }
    return messagePosition(segment, skip);
  }

  /**
   * Where to write the next event's frame: the caller writes at most {@code frameBytes} there, then
   * calls {@link #commit}.
   */
  ByteBuf begin(int frameBytes) {
    ByteBuf bytes = tail.bytes().writerIndex(committed);
    if (bytes.writableBytes() >= frameBytes && !holed) {
      return bytes;
    }
    return roll(frameBytes).bytes();
  }

  /**
   * The events before this position are gone, if they are not here: the next one is this. Who reads
   * over the hole is told by a GAP.
   */
  void skipTo(long position) {
    if (position > end) {
      end = position;
      holed = true;
    }
  }

  /** Lets readers see that something is missing, before the next event comes. */
  void showHole() {
    if (holed) {
      roll(0);
      publish();
    }
  }

  /**
   * Of the events that are gone, these were the owner's; before {@link #skipTo}.
   *
   * @param firstPosition of them
   * @param sendNo number of the last of them
   */
  void missed(Member owner, long firstPosition, int events, int sendNo) {
    Run run = new Run(owner, endByte(), firstPosition);
    run.gone(events, sendNo);
    tail.add(run);
    owner.add(run);
    open = null;
  }

  /**
   * Takes the frame that was written into the log, unseen by readers until {@link #publish}.
   *
   * @param owner whose cursor leaves it out
   * @param sendNo number of the SEND that it is, 0 for JOINED and LEFT
   */
  void commit(Member owner, int sendNo) {
    take(owner, sendNo);
  }

  /** The same for a LEFT, where what is sent to the owner's connection ends. */
  void commitLeft(Member owner) {
    take(owner, 0).left();
  }

  private Run take(Member owner, int sendNo) {
    long from = endByte();
    committed = tail.bytes().writerIndex();
    tail.counted(sendNo != 0);
    if (sendNo != 0) {
      messages++;
      messagesEver++;
    }
    Run run = open;
    // JOINED and LEFT are runs of their own: who has been sent the ACK of what was said before its
    // LEFT comes back behind that ACK, not behind the LEFT, and must not be sent it again.
    if (sendNo == 0 || run == null || run.owner() != owner) {
      run = new Run(owner, from, end);
      tail.add(run);
      owner.add(run);
    }
    // A cursor that is made behind a JOINED takes its run as passed: nothing may be added to it.
    open = sendNo == 0 ? null : run;
    run.extend(endByte(), sendNo);
    end++;
    return run;
  }

  /** Makes everything committed visible and wakes the readers. */
  void publish() {
    open = null;
    publishedByte = endByte();
    tail.publish();
    for (LogReader reader : readers) {
      reader.published();
    }
  }

  /** Frees all memory; no cursor may be used afterwards. */
  void close() {
    for (Segment segment = first; segment != null; segment = segment.next()) {
      segment.release();
    }
  }

  /**
   * Retires everything, the newest segment too: whoever reads here reads no further. To be called
   * instead of {@link #close}, when the readers go on elsewhere.
   */
  void abandon() {
    publish();
    while (first != tail) {
      retireFirst();
    }
    retire(tail);
  }

  private Segment roll(int frameBytes) {
    int usual = holed ? Math.min(segmentBytes, AFTER_HOLE_BYTES) : segmentBytes;
    int bytes = Math.max(usual, frameBytes);
    holed = false;
    while (heldBytes + bytes > maxBytes && first != tail) {
      retireFirst();
    }
    open = null;
    Segment full = tail;
    tail = allocate(bytes, endByte(), end);
    committed = 0;
    full.publish();
    full.follow(tail);
    if (heldBytes + segmentBytes > maxBytes) {
      readers.forEach(reader -> reader.full(first.firstByte(), endByte()));
    }
    return tail;
  }

  private Segment allocate(int bytes, long firstByte, long firstPosition) {
    Segment segment = new Segment(allocator.directBuffer(bytes, bytes), firstByte, firstPosition);
    heldBytes += bytes;
    return segment;
  }

  private void retireFirst() {
    Segment retired = first;
    Segment next = retired.next();
    if (next == null) {
      throw new IllegalStateException("the newest segment cannot retire");
    }
    first = next;
    heldBytes -= retired.bytes().capacity();
    messages -= retired.messages();
    retire(retired);
  }

  private void retire(Segment retired) {
    retired.forgetRuns(run -> run.owner().retired(run));
    retired.retain(readers.size());
    for (LogReader reader : readers) {
      reader.retired(retired);
    }
    retired.release();
  }

  private static long messagePosition(Segment segment, int skip) {
    int offset = 0;
    long position = segment.firstPosition();
    int left = skip;
    while (true) {
      if (isMessage(segment, offset) && left-- == 0) {
        return position;
      }
      offset += segment.frameBytes(offset);
      position++;
    }
  }

  private static boolean isMessage(Segment segment, int offset) {
    return segment.bytes().getUnsignedByte(offset) == MessageType.MSG.code();
  }
}
