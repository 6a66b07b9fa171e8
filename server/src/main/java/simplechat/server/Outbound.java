package simplechat.server;

import io.netty.buffer.ByteBuf;
import io.netty.channel.unix.Socket;
import java.io.IOException;
import java.nio.channels.WritableByteChannel;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import simplechat.protocol.ErrorCode;
import simplechat.protocol.Limits;
import simplechat.protocol.MessageCodec;
import simplechat.protocol.ServerMessage;
import simplechat.room.Cursor;
import simplechat.room.Pieces;
import simplechat.room.Segment;

/**
 * What a connection has to write: its answers, and what its cursor gives.
 *
 * <p>Nothing is queued for a member but its answers. A write takes what there is at that moment
 * straight from the log; when the socket is full, this object itself stands in Netty's outbound
 * buffer.
 *
 * <p>Threading: confined to the connection's loop. Bounds: answers are the connection's to bound,
 * see {@link #isFull}. Endings: {@link #end}, {@link #abandon}, {@link #close}.
 */
final class Outbound extends LateRegion {
  /** The longest answer to a member's frame, but for ROSTER, which comes only when none waits. */
  private static final int ANSWER_MAX_BYTES = 256;

  static final int NEVER = -1; // No SEND has this number.

  private final Connection connection;
  private final Line line;
  private final @Nullable Socket socket;
  private final @Nullable HandOver handOver;
  private final ConnectionLoop loop;
  private @Nullable Cursor cursor;
  private @Nullable ByteBuf answers;
  private ServerMessage.@Nullable Bye bye;
  private @Nullable ErrorCode why;
  private long progressNanos;
  private int place = FanOut.NOWHERE;
  private int spokenNo;
  private long spokeNanos;
  private boolean ending;
  private boolean ended;
  private boolean remembering;

  Outbound(Connection connection, Line line, ConnectionLoop loop) {
    this.connection = connection;
    this.line = line;
    this.socket = line.socket();
    this.handOver = line.isCopied() ? new HandOver(line, this::handedOver) : null;
    this.loop = loop;
    this.progressNanos = loop.nowNanos();
  }

  /** Adds a frame for this connection alone; it goes out with the next {@link #flush}. */
  void answer(ServerMessage message) {
    if (!ending) {
      fallBack();
      MessageCodec.encode(message, answers());
    }
  }

  /** True if the peer must not be read, because there may be no room for an answer. */
  boolean isFull() {
    return answers != null && answers.readableBytes() > Limits.CONTROL_MAX_BYTES - ANSWER_MAX_BYTES;
  }

  /** True if no answer waits. */
  boolean isAnswered() {
    return answers == null;
  }

  /** From now on the member gets what this cursor gives. */
  void follow(Cursor cursor) {
    this.cursor = cursor;
    loop.fanOut().add(this, socket);
  }

  @Nullable Cursor cursor() {
    return cursor;
  }

  /** Place in the list of {@link FanOut}, which keeps it here. */
  int place() {
    return place;
  }

  void place(int place) {
    this.place = place;
  }

  /** The member's SEND of this number, or its LEFT, is on its way to the log. */
  void spoke(int sendNo) {
    fallBack();
    spokenNo = sendNo;
    spokeNanos = loop.nowNanos();
  }

  boolean hasSpokenSince(long nanos) {
    return spokenNo != 0 && spokeNanos - nanos >= 0;
  }

  /** True if nothing is due to this member that is not due to all. */
  boolean isIdle() {
    Cursor at = cursor;
    return at != null
        && answers == null
        && !waits()
        && !ending
        && (spokenNo == 0 || at.hasPassed(spokenNo));
  }

  /** The member was abreast, and goes on by itself from there. */
  void goOnFrom(Cursor common) {
    if (cursor != null) {
      cursor.moveTo(common);
    }
  }

  /** Of what was for all the socket took so much. */
  void tookInCommon(Pieces pieces, long bytes) {
    taken(pieces, bytes, true);
  }

  /** There may be more in the log. */
  void wake() {
    try {
      flush();
    } catch (RuntimeException | OutOfMemoryError e) {
      failed(e);
    }
  }

  /** It could not be written to. */
  void failed(Throwable e) {
    if (e instanceof IOException) {
      connection.broken();
    } else {
      // Not within the walk, whose pieces its last frame would take.
      loop.eventLoop().execute(() -> connection.failed(e));
    }
  }

  private void fallBack() {
    loop.fanOut().fallBack(this);
  }

  /** True if the socket keeps nothing waiting, or took some since then, and it does not end. */
  boolean reads(long sinceNanos) {
    return !ending && (!waits() || progressNanos - sinceNanos >= 0);
  }

  /** Loop time at which the socket last took something, or first left something waiting. */
  long progressNanos() {
    return progressNanos;
  }

  /** Writes what there is, as far as the socket takes it. */
  void flush() {
    if (waits() || ended || loop.fanOut().isAbreast(this) || !line.isOpen()) {
      return;
    }
    if (socket != null || handOver != null) {
      try {
        if (write(null) || handOver != null) {
          return;
        }
      } catch (IOException e) {
        connection.broken();
        return;
      }
    }
    progressNanos = loop.nowNanos();
    if (connection.isUnread() && SocketWriter.isForgotten(line.channel())) {
      remembering = true;
      line.remember(this::remembered);
    } else {
      queue(line.channel());
    }
  }

  /** Waits for the socket at once, so that it is not forgotten again. */
  private void remembered() {
    remembering = false;
    if (!ended) {
      queue(line.channel());
    }
  }

  /** True until the socket has taken something. */
  boolean waits() {
    return isQueued() || remembering || (handOver != null && handOver.isUnderWay());
  }

  private void handedOver() {
    progressNanos = loop.nowNanos();
    wake();
  }

  /**
   * Leaves a retired segment, if the cursor is in it. The frame in which it stands is saved if its
   * rest is small; if it is not, the stream cannot go on.
   */
  void lapse(Segment retired) {
    try {
      Cursor at = cursor;
      if (at != null && at.isIn(retired)) {
        if (loop.fanOut().isAbreast(this)) {
          at.moveTo(loop.fanOut().common());
        } else if (!lapse(at)) {
          connection.lapsed();
        }
      }
    } catch (RuntimeException | OutOfMemoryError e) {
      connection.failedToLapse(e);
    }
  }

  private boolean lapse(Cursor lapsing) {
    int torn = lapsing.tornBytes();
    boolean goesOn = torn <= Limits.CONTROL_MAX_BYTES - ANSWER_MAX_BYTES;
    if (goesOn && torn > 0) {
      answers = lapsing.tornBefore(answers, loop.allocator());
    }
    if (!goesOn) {
      abandon(ErrorCode.SLOW); // At once: nothing may follow the part of a frame.
    } else if (lapsing.isInLastSegment()) {
      forgetCursor();
    } else {
      lapsing.lapse();
    }
    return goesOn;
  }

  /** The stream ends with this frame: behind the answers, and where the cursor stops. */
  void end(ServerMessage.Bye last, long endByte) {
    fallBack();
    if (cursor != null) {
      cursor.stopAt(endByte);
    }
    lastWord(last);
  }

  /** The same, but of the log nothing more is sent than the rest of a frame that was begun. */
  void end(ServerMessage.Bye last) {
    end();
    lastWord(last);
  }

  /** The same without a last frame: behind the answers. */
  void end() {
    fallBack();
    if (cursor != null) {
      cursor.stopAtBoundary();
    }
    ending = true;
  }

  /** Lets go of everything, for good. */
  void close() {
    abandon(null);
    loop.closed(line.channel(), why);
    loop.fanOut().remove(this);
  }

  /** Writes nothing more, not even the rest of a frame; {@code code} is why, if something is. */
  void abandon(@Nullable ErrorCode code) {
    fallBack();
    why = why == null ? code : why;
    ending = true;
    ended = true;
    forgetCursor();
    bye = null;
    if (answers != null) {
      answers.release();
      answers = null;
    }
  }

  @Override
  boolean fetch(WritableByteChannel target) throws IOException {
    return ended || write(target);
  }

  /** Returns true if nothing is left to write. */
  private boolean write(@Nullable WritableByteChannel target) throws IOException {
    Pieces pieces = loop.fanOut().pieces();
    while (true) {
      collect(pieces);
      if (pieces.count() == 0) {
        if (bye == null) {
          finished();
          return true;
        }
        if (cursor != null && !cursor.isStopped()) {
          return true;
        }
        MessageCodec.encode(bye, answers());
        bye = null;
        continue;
      }
      long taken = put(pieces, target);
      if (taken > 0) {
        progressNanos = loop.nowNanos();
        loop.counters().sent(taken);
        taken(pieces, taken, false);
      }
      if (handOver == null ? taken < pieces.bytes() : handOver.isUnderWay()) {
        return false;
      }
      if (taken == pieces.bytes() && bye == null && !pieces.isFull()) {
        // It was all that there is, and need not be asked for to be found missing.
        finished();
        return true;
      }
    }
  }

  private long put(Pieces pieces, @Nullable WritableByteChannel target) throws IOException {
    if (socket != null) {
      return loop.fanOut().writer().write(socket, pieces);
    }
    return handOver != null
        ? handOver.write(pieces, loop.allocator())
        : loop.fanOut().writer().write(Objects.requireNonNull(target, "not in a flush"), pieces);
  }

  private void collect(Pieces pieces) {
    pieces.clear();
    if (answers != null) {
      if (cursor != null) {
        cursor.collectTorn(pieces);
      }
      pieces.add(answers, answers.readerIndex(), answers.readableBytes());
    }
    if (cursor != null) {
      cursor.collect(pieces);
    }
  }

  private void taken(Pieces pieces, long bytes, boolean inCommon) {
    int whole = pieces.whole(bytes);
    int rest = pieces.rest(bytes);
    if (cursor != null && inCommon) {
      cursor.takenInCommon(pieces, whole, rest);
    } else if (cursor != null) {
      cursor.taken(pieces, whole, rest);
      loop.counters().delivered(cursor.delivered(false));
    }
    loop.told(line.channel(), pieces.missedTold(whole, rest));
    boolean answered = pieces.isCallersWithin(whole) && answers != null;
    if (answered) {
      answers().release();
      answers = null;
    }
    if (rest > 0 && pieces.isCallers(whole)) {
      answers().skipBytes(rest);
    } else if (rest > 0 && !pieces.isLog(whole)) {
      answers()
          .writeBytes(
              pieces.buffer(whole), pieces.index(whole) + rest, pieces.length(whole) - rest);
    }
    if (answered && answers == null && !ending) {
      connection.answersWritten();
    }
  }

  private void finished() {
    if (ending && !ended) {
      ended = true;
      connection.outputEnded();
    }
  }

  private void lastWord(ServerMessage.Bye last) {
    bye = last;
    ending = true;
    why = why == null ? ErrorCode.of(last.code()) : why;
  }

  /** What it delivered is counted first, unless it may be what failed. */
  private void forgetCursor() {
    Cursor last = cursor;
    cursor = null;
    if (last != null && why != ErrorCode.INTERNAL) {
      loop.counters().delivered(last.delivered(true));
    }
  }

  private ByteBuf answers() {
    if (answers == null) {
      answers = loop.allocator().directBuffer(ANSWER_MAX_BYTES);
    }
    return answers;
  }
}
