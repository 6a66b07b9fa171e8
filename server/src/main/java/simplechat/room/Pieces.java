package simplechat.room;

import io.netty.buffer.ByteBuf;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import simplechat.protocol.MessageCodec;
import simplechat.protocol.ServerMessage;

/**
 * What one write to one member consists of, in order: stretches of the log where they lie, and
 * between them the frames for this member alone.
 *
 * <p>Filled by {@link Cursor#collect}, handed to the socket, and given back to {@link Cursor#taken}
 * with what the socket took. One instance serves all connections of a loop in turn.
 *
 * <p>Threading: confined to one event loop.
 */
public final class Pieces {
  /** More than a turn holds for a member, unless it lags far behind with many own runs between. */
  public static final int MAX = 64;

  /** A GAP with its ACK. */
  private static final int ANSWER_MAX_BYTES = 28;

  private static final int NONE = -1;

  private final ByteBuf answers;
  private final @Nullable ByteBuf[] buffers = new @Nullable ByteBuf[MAX];
  private final int[] indices = new int[MAX];
  private final int[] lengths = new int[MAX];
  private final boolean[] logs = new boolean[MAX];
  private final @Nullable Segment[] segmentsAfter = new @Nullable Segment[MAX];
  private final int[] offsetsAfter = new int[MAX];
  private final @Nullable Run[] passedAfter = new @Nullable Run[MAX];
  private int count;
  private long bytes;
  private int gapPiece = NONE;
  private long gapMissed;
  private int callersPiece = NONE;
  private boolean stopped;

  /**
   * @param answers direct memory of at least {@link #answerBytes}, owned by the caller
   */
  public Pieces(ByteBuf answers) {
    this.answers = answers;
  }

  /** How much memory the frames between the stretches may need, in bytes. */
  public static int answerBytes() {
    return MAX * ANSWER_MAX_BYTES;
  }

  /** Empties it. */
  public void clear() {
    count = 0;
    bytes = 0;
    gapPiece = NONE;
    callersPiece = NONE;
    stopped = false;
    answers.clear();
  }

  /**
   * Empties it and keeps nothing: what a segment leads to, all that came after it, would live for
   * as long as the place of a piece is not used again.
   */
  public void forget() {
    clear();
    Arrays.fill(buffers, null);
    Arrays.fill(segmentsAfter, null);
    Arrays.fill(passedAfter, null);
  }

  public int count() {
    return count;
  }

  /** Sum of the lengths. */
  public long bytes() {
    return bytes;
  }

  public ByteBuf buffer(int piece) {
    ByteBuf buffer = buffers[piece];
    if (piece >= count || buffer == null) {
      throw new IndexOutOfBoundsException("piece " + piece + " of " + count);
    }
    return buffer;
  }

  public int index(int piece) {
    return indices[piece];
  }

  public int length(int piece) {
    return lengths[piece];
  }

  /** True for a stretch of the log: a rest of it that is not taken is still there later. */
  public boolean isLog(int piece) {
    return logs[piece];
  }

  /** How many pieces lie within the first so many bytes. */
  public int whole(long bytes) {
    int whole = 0;
    long left = bytes;
    while (whole < count && left >= lengths[whole]) {
      left -= lengths[whole];
      whole++;
    }
    return whole;
  }

  /** How much of the first so many bytes belongs to a piece that is not whole. */
  public int rest(long bytes) {
    long rest = bytes;
    for (int piece = 0; piece < count && rest >= lengths[piece]; piece++) {
      rest -= lengths[piece];
    }
    return (int) rest;
  }

  /** True for what {@link #add} added. */
  public boolean isCallers(int piece) {
    return piece == callersPiece;
  }

  /** True if that is among the first so many pieces. */
  public boolean isCallersWithin(int whole) {
    return callersPiece != NONE && callersPiece < whole;
  }

  /** Adds bytes that the caller owns and that are nothing to the cursor; once at most. */
  public void add(ByteBuf buffer, int index, int length) {
    callersPiece = count;
    put(buffer, index, length, false, null, 0, null);
  }

  /** True if there may be more than was collected. */
  public boolean isFull() {
    return stopped || count > MAX - 2;
  }

  /** What comes next must begin a turn. */
  void stopIf(boolean more) {
    stopped |= more;
  }

  void addLog(Segment from, int index, int end, Run passed) {
    put(from.bytes(), index, end - index, true, from, end, passed);
  }

  /** An answer that stands behind everything up to the given place. */
  void addAnswer(ServerMessage message, Segment segment, int offset, Run passed) {
    int index = answers.writerIndex();
    MessageCodec.encode(message, answers);
    put(answers, index, answers.writerIndex() - index, false, segment, offset, passed);
  }

  /** A GAP, and the ACK behind it if there is one, as one piece. */
  void addGap(ServerMessage.@Nullable Gap gap, ServerMessage.@Nullable Ack ack, Cursor at) {
    int index = answers.writerIndex();
    if (gap != null) {
      MessageCodec.encode(gap, answers);
    }
    if (ack != null) {
      MessageCodec.encode(ack, answers);
    }
    gapPiece = count;
    gapMissed = gap == null ? 0 : Integer.toUnsignedLong(gap.missed());
    put(
        answers,
        index,
        answers.writerIndex() - index,
        false,
        at.segment(),
        at.offset(),
        at.passed());
  }

  /** How many events the GAP counts of which at least a byte was taken; 0 if there is none. */
  public long missedTold(int whole, int rest) {
    return isGapTold(whole, rest) ? gapMissed : 0;
  }

  /** True if at least a byte of the GAP was taken. */
  boolean isGapTold(int whole, int rest) {
    return gapPiece != NONE && (whole > gapPiece || (whole == gapPiece && rest > 0));
  }

  @Nullable Segment segmentAfter(int piece) {
    return segmentsAfter[piece];
  }

  int offsetAfter(int piece) {
    return offsetsAfter[piece];
  }

  @Nullable Run passedAfter(int piece) {
    return passedAfter[piece];
  }

  private void put(
      ByteBuf buffer,
      int index,
      int length,
      boolean log,
      @Nullable Segment segment,
      int offset,
      @Nullable Run passed) {
    buffers[count] = buffer;
    indices[count] = index;
    lengths[count] = length;
    logs[count] = log;
    segmentsAfter[count] = segment;
    offsetsAfter[count] = offset;
    passedAfter[count] = passed;
    count++;
    bytes += length;
  }
}
