package simplechat.server;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.unix.Socket;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import simplechat.room.Cursor;
import simplechat.room.Pieces;
import simplechat.room.Segment;

/**
 * Brings what the room publishes to the members on one event loop.
 *
 * <p>Nearly all of them have got everything and say nothing. These are abreast: they stand at one
 * common place of the log, and a walk over them touches nothing of a member but its socket. Who
 * speaks, is answered, lags or ends goes on with a cursor of its own until it has caught up.
 *
 * <p>What is written of a member's own is known here before it is published, because its connection
 * asks for it, with two exceptions: when its session goes on in another connection, and when the
 * server of a shared room goes, the room writes its LEFT. So long as such a dismissal is on its way
 * to this loop, nobody is abreast.
 *
 * <p>Threading: confined to the event loop, but for {@link #dismissalComes}.
 */
final class FanOut {
  /** The place of who is not in the list. */
  static final int NOWHERE = -1;

  private final LoopCounters counters;
  private final SocketWriter writer = new SocketWriter();
  private final ByteBuf pieceAnswers;
  private final Pieces pieces;

  /** Those abreast first. */
  private final List<Outbound> members = new ArrayList<>();

  private final List<@Nullable Socket> sockets = new ArrayList<>();
  private final AtomicInteger dismissals = new AtomicInteger();
  private int abreast;
  private @Nullable Cursor common;

  /** Makes its buffer on the thread that starts the server, and so not from the pool. */
  FanOut(LoopCounters counters) {
    this.counters = counters;
    this.pieceAnswers = Unpooled.directBuffer(Pieces.answerBytes());
    this.pieces = new Pieces(pieceAnswers);
  }

  SocketWriter writer() {
    return writer;
  }

  /** For one write at a time. */
  Pieces pieces() {
    return pieces;
  }

  void add(Outbound member, @Nullable Socket socket) {
    member.place(members.size());
    members.add(member);
    sockets.add(socket);
  }

  /** Not within a walk. */
  void remove(Outbound member) {
    if (member.place() != NOWHERE) {
      fallBack(member);
      int last = members.size() - 1;
      swap(member.place(), last);
      members.remove(last);
      sockets.remove(last);
      member.place(NOWHERE);
    }
  }

  /** The room is about to publish a LEFT of a member whose connection is told of it here, later. */
  void dismissalComes() {
    dismissals.incrementAndGet();
  }

  /** The connection has been told. */
  void dismissalCame() {
    dismissals.decrementAndGet();
  }

  /** How many are abreast. */
  int abreast() {
    return abreast;
  }

  /** True if the member has been sent what the common cursor has passed, and nothing else. */
  boolean isAbreast(Outbound member) {
    return member.place() != NOWHERE && member.place() < abreast;
  }

  /** The member goes on by itself. */
  void fallBack(Outbound member) {
    if (isAbreast(member)) {
      member.goOnFrom(common());
      abreast--;
      swap(member.place(), abreast);
    }
  }

  /** How much of what is published up to there each member has not taken. */
  long[] lagBytes(long endByte) {
    long[] lag = new long[members.size()];
    for (int i = 0; i < lag.length; i++) {
      Cursor at = i < abreast ? common : members.get(i).cursor();
      lag[i] = at == null ? 0 : at.lagBytes(endByte);
    }
    return lag;
  }

  /** Writes to everybody what there is. */
  void walk() {
    if (abreast > 0) {
      walkAbreast();
    }
    boolean together = dismissals.get() == 0;
    for (int i = abreast; i < members.size(); i++) {
      Outbound member = members.get(i);
      member.wake();
      if (together && sockets.get(i) != null && comesAbreast(member)) {
        swap(i, abreast);
        abreast++;
      }
    }
  }

  /** Takes the members out of a segment that retires; not within a walk. */
  void leave(Segment retired) {
    Cursor behind = common;
    if (behind != null && behind.isIn(retired)) {
      allFallBack();
      common = null;
    }
    for (int i = 0; i < members.size(); i++) {
      members.get(i).lapse(retired);
    }
    pieces.forget();
  }

  /**
   * Counts the members who are about to fall out of the log, and those who keep up.
   *
   * @param endangeredBelow place in the log
   * @param abreastFrom place in the log
   * @param aliveSince who took nothing since then does not count as about to fall, who said nothing
   *     as one who speaks
   */
  Restraint.Standing standing(long endangeredBelow, long abreastFrom, long aliveSince) {
    int keepUp = abreast;
    Outbound oneWhoDoes = abreast > 0 ? members.get(0) : null;
    int endangered = 0;
    for (int i = abreast; i < members.size(); i++) {
      Outbound member = members.get(i);
      Cursor cursor = member.cursor();
      if (cursor == null) {
        continue;
      }
      long place = cursor.place();
      if (place >= abreastFrom) {
        keepUp++;
        oneWhoDoes = member;
      } else if (place < endangeredBelow && member.reads(aliveSince)) {
        endangered++;
      }
    }
    boolean listensAlone =
        keepUp == 1 && oneWhoDoes != null && !oneWhoDoes.hasSpokenSince(aliveSince);
    return new Restraint.Standing(endangered, keepUp, listensAlone);
  }

  /** Frees what was held for writing; when the loop does not run any more. */
  void free() {
    pieceAnswers.release();
    writer.free();
  }

  /** Where those abreast stand. */
  Cursor common() {
    Cursor place = common;
    if (place == null) {
      throw new IllegalStateException("nobody is abreast");
    }
    return place;
  }

  private void allFallBack() {
    while (abreast > 0) {
      fallBack(members.get(abreast - 1));
    }
  }

  private void walkAbreast() {
    Cursor place = common();
    pieces.clear();
    while (place.collect(pieces)) {
      // Asked behind the collecting: what was published before it came with its dismissals.
      if (dismissals.get() > 0) {
        allFallBack();
        return;
      }
      for (int i = abreast - 1; i >= 0; i--) {
        write(i);
      }
      place.taken(pieces, pieces.count(), 0);
      counters.delivered(abreast * place.delivered(true));
      pieces.clear();
    }
  }

  /** Whoever does not take all of it falls back. */
  private void write(int i) {
    Socket socket = sockets.get(i);
    try {
      // Of a closed socket another connection may have the descriptor by now.
      long taken = socket != null && socket.isOpen() ? writer.write(socket, pieces) : 0;
      counters.sent(taken);
      if (taken < pieces.bytes()) {
        Outbound member = members.get(i);
        fallBack(member);
        member.tookInCommon(pieces, taken);
      }
    } catch (IOException | RuntimeException | OutOfMemoryError e) {
      Outbound member = members.get(i);
      fallBack(member);
      member.failed(e);
    }
  }

  private boolean comesAbreast(Outbound member) {
    Cursor cursor = member.cursor();
    try {
      if (cursor == null || !member.isIdle() || !cursor.hasComeIn()) {
        return false;
      }
      if (abreast > 0 && !cursor.isLevelWith(common())) {
        return false;
      }
      // From here on what the member gets is counted with the common cursor.
      counters.delivered(cursor.delivered(true));
      if (abreast == 0) {
        common = cursor.fork();
      }
      return true;
    } catch (RuntimeException | OutOfMemoryError e) {
      member.failed(e);
      return false;
    }
  }

  private void swap(int i, int j) {
    Outbound member = members.get(i);
    Socket socket = sockets.get(i);
    members.set(i, members.get(j));
    sockets.set(i, sockets.get(j));
    members.get(i).place(i);
    members.set(j, member);
    sockets.set(j, socket);
    member.place(j);
  }
}
