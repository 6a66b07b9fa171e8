package simplechat.room;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import simplechat.protocol.ClientMessage;
import simplechat.protocol.ErrorCode;
import simplechat.protocol.Limits;
import simplechat.protocol.MessageCodec;
import simplechat.protocol.ServerMessage;
import simplechat.protocol.ServerMessage.JoinedHow;
import simplechat.protocol.ServerMessage.LeftWhy;

/**
 * What has happened in the room, in its one order: the log, and who is there as a result of it.
 *
 * <p>Whoever keeps two ledgers from the same order has the same bytes at the same positions in
 * both. What happens is decided elsewhere, by a {@link Backplane}; here it is done, without asking
 * again.
 *
 * <p>Threading: the room's loop.
 */
public final class Ledger {
  private static final int EVENT_MAX_BYTES = 128;

  private final RoomSettings settings;
  private final ByteBufAllocator allocator;
  private final List<LogReader> readers = new ArrayList<>();
  private final Sessions sessions;
  private final Telling telling;
  private RoomLog log;
  private long epoch = new SecureRandom().nextLong();

  Ledger(RoomSettings settings, ByteBufAllocator allocator, Room.Loop loop, LongSupplier nanoTime) {
    this.settings = settings;
    this.allocator = allocator;
    this.sessions = new Sessions(settings.resumeWindow(), settings.maxLost(), nanoTime);
    this.log = new RoomLog(allocator, settings.logBytes(), settings.firstPosition());
    this.telling = new Telling(log, loop, nanoTime);
  }

  void add(LogReader reader) {
    readers.add(reader);
    log.add(reader);
  }

  public Sessions sessions() {
    return sessions;
  }

  long epoch() {
    return epoch;
  }

  /** The next position. */
  public long end() {
    return log.end();
  }

  RoomLog log() {
    return log;
  }

  /**
   * A room that is not the one before: nobody is in it, and nobody can come back to it.
   *
   * @param why told to those who are connected here
   */
  public void begin(long newEpoch, long firstPosition, String why) {
    for (Member member : sessions.everybody()) {
      dismiss(member, why);
    }
    sessions.clear();
    epoch = newEpoch;
    RoomLog before = log;
    log = new RoomLog(allocator, settings.logBytes(), firstPosition);
    readers.forEach(log::add);
    telling.of(log);
    before.abandon();
  }

  /** The member's connection here, if there is one, ends; the member stays where it is. */
  public void dismiss(Member member, String why) {
    MemberConnection connection = member.connection();
    if (connection != null) {
      connection.dismissed(ErrorCode.INTERNAL, why);
      member.connect(null, member.ordinal());
    }
  }

  /**
   * Somebody has joined or come back.
   *
   * @param members how many are there now
   * @param arrival who is welcomed; null if the member is connected elsewhere
   */
  public void joined(
      Member member, JoinedHow how, int time, int members, @Nullable Arrival arrival) {
    long past = arrival == null ? 0 : log.historyStart(arrival.history());
    boolean replays = past < log.end();
    sessions.enter(member, arrival == null ? null : arrival.connection(), log.end());
    appendJoined(member, how, time, members);
    if (arrival == null) {
      return;
    }
    ClientMessage.Resume resume = arrival.resume();
    boolean resumed = how == JoinedHow.CAME_BACK;
    long next = log.end();
    if (resumed && resume != null) {
      next = resume.next();
    } else if (replays) {
      next = Math.max(past, log.start());
    }
    Cursor cursor =
        resumed || replays
            ? cursorAt(member, next)
            : new Cursor(log.tail(), log.tailOffset(), log.end(), member.runBefore(log.end()));
    cursor.cameInAt(log.endByte());
    arrival.connection().welcomed(member, cursor, welcome(member, resumed, next));
  }

  /** A member has said something. */
  public void said(Member member, int sendNo, int time, ByteBuf text, int index, int length) {
    byte[] name = member.nameUtf8();
    ByteBuf out = log.begin(MessageCodec.msgBytes(name.length, length));
    MessageCodec.writeMsg(out, (int) log.end(), time, name, text, index, length);
    log.commit(member, sendNo);
    member.received(sendNo);
    telling.soon();
  }

  /** A SEND was taken that is not in the room, because it was refused. */
  public void counted(Member member, int sendNo) {
    member.received(sendNo);
  }

  /**
   * A member has gone.
   *
   * @param members how many are there now
   */
  public void left(Member member, LeftWhy why, int time, int members) {
    MemberConnection connection = member.connection();
    boolean asked = member.isLeaving();
    if (connection != null && why == LeftWhy.REPLACED) {
      connection.dismissed(ErrorCode.REPLACED, "this session goes on in another connection");
    } else if (connection != null && why == LeftWhy.SHUTDOWN) {
      connection.leaves();
    } else if (!asked) {
      dismiss(member, "the room has lost sight of you");
    }
    sessions.exit(member, why != LeftWhy.LEFT && why != LeftWhy.REMOVED);
    appendLeft(member, why, time, members);
    if (connection != null && asked) {
      connection.left(log.endByte());
    }
  }

  /** The events before this position are gone, if they are not here. */
  public void skipTo(long position) {
    log.skipTo(position);
  }

  /** Tells everybody at once of events that are gone, and not with the next one only. */
  public void showHole() {
    log.showHole();
  }

  /** Of those, the last so many were a member's SENDs; before {@link #skipTo}. */
  public void missed(Member member, long end, int events, int sendNo) {
    log.missed(member, end - events, events, sendNo);
    member.received(sendNo);
  }

  /** Something that happened before the sessions were as they are: it is read, and no more. */
  public void recallJoined(Member member, JoinedHow how, int time, int members) {
    appendJoined(member, how, time, members);
  }

  public void recallSaid(Member member, int sendNo, int time, ByteBuf text) {
    int received = member.received();
    said(member, sendNo, time, text, text.readerIndex(), text.readableBytes());
    member.received(received);
  }

  public void recallLeft(Member member, LeftWhy why, int time, int members) {
    appendLeft(member, why, time, members);
  }

  /** {@link Backplane.Pressure#WAIT} is over. */
  public void eased() {
    readers.forEach(LogReader::eased);
  }

  RoomStatus status() {
    return log.status(sessions.present(), sessions.lost(), sessions.tokens());
  }

  void publish() {
    log.publish();
  }

  long endByte() {
    return log.endByte();
  }

  void free() {
    log.close();
  }

  private void appendJoined(Member member, JoinedHow how, int time, int members) {
    ByteBuf out = log.begin(EVENT_MAX_BYTES);
    MessageCodec.encode(
        new ServerMessage.Joined((int) log.end(), time, members, how, member.name().shown()), out);
    log.commit(member, 0);
    telling.unhurried();
  }

  private void appendLeft(Member member, LeftWhy why, int time, int members) {
    ByteBuf out = log.begin(EVENT_MAX_BYTES);
    MessageCodec.encode(
        new ServerMessage.Left((int) log.end(), time, members, why, member.name().shown()), out);
    log.commitLeft(member);
    telling.unhurried();
  }

  private Cursor cursorAt(Member member, long next) {
    if (next < log.start()) {
      return Cursor.afterGap(log.first(), next, member);
    }
    Run passed = member.runBefore(next);
    Segment segment = log.segment(next);
    Segment behind = segment.next();
    if (behind != null && next >= segment.endPosition()) {
      Cursor cursor = new Cursor(behind, 0, next, passed);
      cursor.skip(next, behind.firstPosition(), behind);
      return cursor;
    }
    return new Cursor(segment, segment.offset(next), next, passed);
  }

  private ServerMessage.Welcome welcome(Member member, boolean resumed, long next) {
    return new ServerMessage.Welcome(
        Limits.VERSION,
        resumed,
        epoch,
        member.token(),
        next,
        log.end(),
        member.received(),
        sessions.present(),
        settings.maxText(),
        (int) Math.max(1, settings.heartbeat().toSeconds()),
        member.name().shown(),
        settings.greeting());
  }
}
