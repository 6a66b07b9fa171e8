package simplechat.room;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import simplechat.protocol.ClientMessage;
import simplechat.protocol.ErrorCode;
import simplechat.protocol.Limits;
import simplechat.protocol.MemberName;
import simplechat.protocol.MessageCodec;
import simplechat.protocol.ResumeToken;
import simplechat.protocol.ServerMessage;
import simplechat.protocol.ServerMessage.JoinedHow;
import simplechat.protocol.ServerMessage.LeftWhy;

/**
 * The one room: who is in it, and the one order of what happens there.
 *
 * <p>It alone appends to the log and owns the names, so that order and uniqueness need no lock.
 * What comes in one turn of its loop is published at the end of the turn, at once for everybody; a
 * turn that brings more than an eighth of the log is published in between. Who comes and goes in a
 * crowd is told a moment later: to tell everybody of each alone would take all the time there is.
 *
 * <p>Threading: every method on the room's loop, which is where the {@link Loop} runs its tasks.
 */
public final class Room {
  /** Comings and goings wait, since the last telling, this many times what it took. */
  private static final int ANNOUNCE_REST = 2;

  /** A telling that took longer than this was held up by something else. */
  private static final long TELLING_MAX_NANOS = Duration.ofMillis(100).toNanos();

  private static final int ROSTER_BODY_BYTES = 2048;
  private static final int EVENT_MAX_BYTES = 128;

  private final RoomSettings settings;
  private final Loop loop;
  private final InstantSource clock;
  private final LongSupplier nanoTime;
  private final SecureRandom random = new SecureRandom();
  private final long epoch = random.nextLong();
  private final RoomLog log;
  private final Map<MemberName, Member> names = new HashMap<>();
  private final NavigableMap<Long, Member> byOrdinal = new TreeMap<>();
  private final Map<ResumeToken, Member> tokens = new HashMap<>();
  private final Set<Member> lost = new LinkedHashSet<>();
  private long lastOrdinal;
  private boolean publishing;
  private boolean announcing;
  private long publishedAtNanos;
  private long tellingNanos;
  private boolean closed;

  /** The event loop that the room lives on. */
  @FunctionalInterface
  public interface Loop {
    /** Runs a task after what runs now, and after a delay if it is more than 0. */
    void execute(Runnable task, long delayNanos);
  }

  /**
   * @param clock for the times that members see
   * @param nanoTime for all else; never goes back
   */
  public Room(
      RoomSettings settings,
      ByteBufAllocator allocator,
      Loop loop,
      InstantSource clock,
      LongSupplier nanoTime) {
    this.settings = settings;
    this.loop = loop;
    this.clock = clock;
    this.nanoTime = nanoTime;
    this.publishedAtNanos = nanoTime.getAsLong();
    this.log = new RoomLog(allocator, settings.logBytes(), settings.firstPosition());
  }

  /** Adds an event loop with cursors; before the first join. */
  public void add(LogReader reader) {
    log.add(reader);
  }

  /**
   * Answers with welcomed or refused (NAME_TAKEN, SHUTDOWN).
   *
   * @param history how many past MSGs a plain join wants
   * @param resume where a returning member left off; if it cannot be granted, this is a plain join
   */
  public void join(
      MemberName name,
      int history,
      ClientMessage.@Nullable Resume resume,
      MemberConnection connection) {
    if (closed) {
      connection.refused(ErrorCode.SHUTDOWN, "the server is shutting down");
      return;
    }
    Member returning = resume == null ? null : returning(name, resume);
    Member holder = names.get(name);
    if (holder != null && holder != returning) {
      connection.refused(ErrorCode.NAME_TAKEN, "this name is taken");
      return;
    }
    if (returning != null && resume != null) {
      comeBack(returning, resume.next(), connection);
    } else {
      joinAnew(name, history, connection);
    }
  }

  /**
   * Appends a text that its connection found to be valid.
   *
   * @param from ignored if it does not speak for the member any more
   * @param sendNo the text's number in the session
   * @param text where the text lies from {@code index} on; read within the call
   */
  public void send(
      Member member, MemberConnection from, int sendNo, ByteBuf text, int index, int length) {
    if (closed || !member.isConnected(from)) {
      return;
    }
    byte[] name = member.nameUtf8();
    ByteBuf out = log.begin(MessageCodec.msgBytes(name.length, length));
    MessageCodec.writeMsg(out, (int) log.end(), time(), name, text, index, length);
    log.commit(member, sendNo);
    member.received(sendNo);
    publishSoon();
  }

  /** Counts a SEND that its connection refused: it is not to be repeated after a resume. */
  public void refusedSend(Member member, MemberConnection from, int sendNo) {
    if (!closed && member.isConnected(from)) {
      member.received(sendNo);
    }
  }

  /** Ends the session and answers with left. */
  public void leave(Member member, MemberConnection from) {
    if (!member.isConnected(from)) {
      return;
    }
    if (!closed) {
      announceLeft(member, LeftWhy.LEFT);
      tokens.remove(member.token());
      member.disconnect(nanoTime.getAsLong());
    }
    from.left(log.endByte());
  }

  /** The connection ended without LEAVE: the name is free, the token stays good for a while. */
  public void lose(Member member, MemberConnection from, LeftWhy why) {
    if (closed || !member.isConnected(from)) {
      return;
    }
    announceLeft(member, why);
    member.disconnect(nanoTime.getAsLong());
    lost.add(member);
    if (lost.size() > settings.maxLost()) {
      forget(lost.iterator().next());
    }
  }

  /** Answers with the next part of the roster, from the start if {@code place} is null. */
  public void who(MemberConnection asker, @Nullable RosterPlace place) {
    RosterPlace from = place == null ? new RosterPlace(-1, lastOrdinal) : place;
    List<String> part = new ArrayList<>();
    long after = from.after();
    int bytes = 1;
    Iterator<Member> rest = upTo(from).values().iterator();
    boolean more = false;
    while (rest.hasNext() && !more) {
      Member member = rest.next();
      bytes += 1 + member.nameUtf8().length;
      more = bytes > ROSTER_BODY_BYTES;
      if (!more) {
        part.add(member.name().shown());
        after = member.ordinal();
      }
    }
    asker.roster(new ServerMessage.Roster(more, part), new RosterPlace(after, from.until()));
  }

  /** Forgets lost members whose time to come back is over; to be called every now and then. */
  public void expire() {
    while (!lost.isEmpty()) {
      Member eldest = lost.iterator().next();
      if (!isExpired(eldest)) {
        return;
      }
      forget(eldest);
    }
  }

  /**
   * Takes nothing more; what was accepted is published. Nobody is announced as having left: nobody
   * could see the room go on without them.
   *
   * @return where everybody's stream ends, for {@link Cursor#stopAt}
   */
  public long close() {
    if (!closed) {
      closed = true;
      log.publish();
    }
    return log.endByte();
  }

  /** Frees the log; after the last cursor was used. */
  public void free() {
    log.close();
  }

  /** How many are in the room. */
  public int members() {
    return names.size();
  }

  /** How the room stands. */
  public RoomStatus status() {
    return log.status(names.size(), lost.size(), tokens.size());
  }

  private @Nullable Member returning(MemberName name, ClientMessage.Resume resume) {
    Member member = tokens.get(resume.token());
    if (member == null
        || resume.epoch() != epoch
        || Long.compareUnsigned(resume.next(), log.end()) > 0
        || !member.name().equals(name)) {
      return null;
    }
    if (member.connection() == null && isExpired(member)) {
      forget(member);
      return null;
    }
    return member;
  }

  private void comeBack(Member member, long next, MemberConnection connection) {
    MemberConnection old = member.connection();
    if (old != null) {
      old.dismissed(ErrorCode.REPLACED, "this session goes on in another connection");
      announceLeft(member, LeftWhy.REPLACED);
    }
    lost.remove(member);
    announceJoined(member, connection, JoinedHow.CAME_BACK);
    Cursor cursor = cursorAt(member, next);
    cursor.cameInAt(log.endByte());
    connection.welcomed(member, cursor, welcome(member, true, next));
  }

  private void joinAnew(MemberName name, int history, MemberConnection connection) {
    Member member = new Member(name, new ResumeToken(random.nextLong(), random.nextLong()));
    tokens.put(member.token(), member);
    long past = log.historyStart(history);
    boolean replays = past < log.end();
    announceJoined(member, connection, JoinedHow.JOINED);
    long head = log.end();
    Cursor cursor =
        replays
            ? cursorAt(member, Math.max(past, log.start()))
            : new Cursor(log.tail(), log.tailOffset(), head, member.runBefore(head));
    cursor.cameInAt(log.endByte());
    long next = replays ? Math.max(past, log.start()) : head;
    connection.welcomed(member, cursor, welcome(member, false, next));
  }

  private Cursor cursorAt(Member member, long next) {
    Run passed = member.runBefore(next);
    if (next < log.start()) {
      Cursor cursor = new Cursor(log.first(), 0, next, passed);
      cursor.skip(next, log.start(), log.first());
      return cursor;
    }
    Segment segment = log.segment(next);
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
        names.size(),
        settings.maxText(),
        (int) Math.max(1, settings.heartbeat().toSeconds()),
        member.name().shown(),
        settings.greeting());
  }

  private void announceJoined(Member member, MemberConnection connection, JoinedHow how) {
    lastOrdinal++;
    member.connect(connection, lastOrdinal);
    names.put(member.name(), member);
    byOrdinal.put(lastOrdinal, member);
    append(
        member,
        new ServerMessage.Joined(
            (int) log.end(), time(), names.size(), how, member.name().shown()));
  }

  private void announceLeft(Member member, LeftWhy why) {
    names.remove(member.name());
    byOrdinal.remove(member.ordinal());
    append(
        member,
        new ServerMessage.Left((int) log.end(), time(), names.size(), why, member.name().shown()));
  }

  private void append(Member member, ServerMessage.Event event) {
    MessageCodec.encode(event, log.begin(EVENT_MAX_BYTES));
    if (event instanceof ServerMessage.Left) {
      log.commitLeft(member);
    } else {
      log.commit(member, 0);
    }
    announceSoon();
  }

  private void announceSoon() {
    long rest = publishedAtNanos + ANNOUNCE_REST * tellingNanos - nanoTime.getAsLong();
    if (rest <= 0 || log.isPublishDue()) {
      publishSoon();
    } else if (!announcing) {
      announcing = true;
      loop.execute(
          () -> {
            announcing = false;
            publish();
          },
          rest);
    }
  }

  private void publishSoon() {
    if (log.isPublishDue()) {
      publish();
    } else if (!publishing) {
      publishing = true;
      loop.execute(this::publish, 0);
    }
  }

  private void publish() {
    publishing = false;
    if (log.isPublished()) {
      return;
    }
    long began = nanoTime.getAsLong();
    log.publish();
    publishedAtNanos = nanoTime.getAsLong();
    tellingNanos = Math.min(publishedAtNanos - began, TELLING_MAX_NANOS);
  }

  private NavigableMap<Long, Member> upTo(RosterPlace place) {
    return byOrdinal.subMap(place.after(), false, place.until(), true);
  }

  private boolean isExpired(Member member) {
    return nanoTime.getAsLong() - member.lostAtNanos() > settings.resumeWindow().toNanos();
  }

  private void forget(Member member) {
    lost.remove(member);
    tokens.remove(member.token());
  }

  private int time() {
    return (int) clock.instant().getEpochSecond();
  }
}
