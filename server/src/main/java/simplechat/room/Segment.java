package simplechat.room;

import io.netty.buffer.ByteBuf;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import simplechat.protocol.Limits;

/**
 * One piece of the log: whole frames, one behind the other, in direct memory.
 *
 * <p>Threading: written by the room's loop; {@link #end} and {@link #next} publish to the others
 * what was written before. Ownership: the log holds the bytes until it retires the segment, then
 * each {@link LogReader} does until it calls {@link #release}.
 */
public final class Segment {
  private final ByteBuf bytes;
  private final long firstByte;
  private final long firstPosition;

  /** Bytes, and above them how many events they are: one read gives both as they belong. */
  private volatile long published;

  private volatile @Nullable Segment next;

  private int messages;
  private int events;
  private @Nullable Run firstRun;
  private @Nullable Run lastRun;

  Segment(ByteBuf bytes, long firstByte, long firstPosition) {
    this.bytes = bytes;
    this.firstByte = firstByte;
    this.firstPosition = firstPosition;
  }

  /** For a {@link LogReader} that was told of the retirement and has no cursor left here. */
  public void release() {
    bytes.release();
  }

  void retain(int holders) {
    bytes.retain(holders);
  }

  ByteBuf bytes() {
    return bytes;
  }

  /** Place of the first byte among all bytes that the log ever had. */
  long firstByte() {
    return firstByte;
  }

  long firstPosition() {
    return firstPosition;
  }

  /** The position behind the last event; to be read once there is a {@link #next}. */
  long endPosition() {
    return firstPosition + events;
  }

  /** Published bytes; final once there is a {@link #next}. */
  int end() {
    return (int) published;
  }

  @Nullable Segment next() {
    return next;
  }

  /** Room's loop only: how many of them are MSGs. */
  int messages() {
    return messages;
  }

  /**
   * Room's loop only: gives out the stretches that lie here and forgets them. They are cut off from
   * each other, because a silent member keeps its last one for as long as it stays.
   */
  void forgetRuns(Consumer<Run> each) {
    Run run = firstRun;
    firstRun = null;
    lastRun = null;
    while (run != null) {
      Run following = run.nextInSegment();
      run.nextInSegment(null);
      each.accept(run);
      run = following;
    }
  }

  void counted(boolean message) {
    events++;
    if (message) {
      messages++;
    }
  }

  void add(Run run) {
    if (lastRun == null) {
      firstRun = run;
    } else {
      lastRun.nextInSegment(run);
    }
    lastRun = run;
  }

  void publish() {
    published = (long) events << Integer.SIZE | bytes.writerIndex();
  }

  void follow(Segment successor) {
    next = successor;
  }

  /** The bytes of the frame that begins at {@code offset}, header included. */
  int frameBytes(int offset) {
    return Limits.HEADER_BYTES + bytes.getUnsignedMedium(offset + 1);
  }

  /** The first boundary of a frame at or behind {@code offset}: the frames are their own index. */
  int boundary(int offset) {
    int at = 0;
    while (at < offset) {
      at += frameBytes(at);
    }
    return at;
  }

  /** Where the event at {@code position} begins; it must lie here. */
  int offset(long position) {
    int at = 0;
    for (long skip = position - firstPosition; skip > 0; skip--) {
      at += frameBytes(at);
    }
    return at;
  }

  /** The position of the event that begins at {@code offset}, a boundary. */
  long position(int offset) {
    long seen = published;
    if (offset == (int) seen) {
      return firstPosition + (seen >>> Integer.SIZE);
    }
    long position = firstPosition;
    for (int at = 0; at < offset; at += frameBytes(at)) {
      position++;
    }
    return position;
  }
}
