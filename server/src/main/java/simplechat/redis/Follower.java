package simplechat.redis;

import io.lettuce.core.StreamMessage;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import simplechat.protocol.MemberName;
import simplechat.protocol.ResumeToken;
import simplechat.protocol.ServerMessage.JoinedHow;
import simplechat.protocol.ServerMessage.LeftWhy;
import simplechat.room.Arrival;
import simplechat.room.Ledger;
import simplechat.room.Member;
import simplechat.room.MemberConnection;

/**
 * Does in the ledger what the stream says, entry by entry.
 *
 * <p>Threading: the room's loop.
 */
final class Follower {
  /** What an entry turned out to be. */
  enum Outcome {
    DONE,
    /** What lies before it is not in the stream any more; nothing was done. */
    BEHIND_HOLE,
    /** It stands where something else was read: another stream. */
    OTHER_STREAM
  }

  /** Whom this node's requests were for. */
  interface Desk {
    /** Who waits for the outcome of this request; null if nobody does any more. */
    @Nullable Arrival arrival(long number);

    /** A member of this node that nobody here speaks for. */
    void orphan(Member member);
  }

  private final Ledger ledger;
  private final Desk desk;

  /** Who said something in the past that is read again, and whose session is forgotten. */
  private final Map<ResumeToken, Member> forgotten = new HashMap<>();

  private String lastId = "0-0";
  private long foreign;
  private long skippedInRow;

  Follower(Ledger ledger, Desk desk) {
    this.ledger = ledger;
    this.desk = desk;
  }

  /** The next position. */
  long end() {
    return ledger.end();
  }

  /** Id of the last entry that was read. */
  String lastId() {
    return lastId;
  }

  /** How many entries were skipped because they are not ours. */
  long foreign() {
    return foreign;
  }

  /** Another room: who is in it, and where what can be read of it begins. */
  void begin(Snapshot room, long firstPosition, String why) {
    ledger.begin(Long.parseUnsignedLong(room.epoch(), 16), firstPosition, why);
    for (Snapshot.Known known : room.sessions()) {
      restore(known, new Member(known.name(), known.token()), null);
    }
    lastId = "0-0";
    skippedInRow = 0;
    forgotten.clear();
  }

  /** An entry from before the snapshot. */
  void recall(StreamMessage<byte[], byte[]> message) {
    lastId = message.getId();
    Entry entry = Entry.of(message.getId(), message.getBody());
    if (entry == null) {
      foreign++;
      return;
    }
    if (!entry.takesPosition() || entry.position() < ledger.end()) {
      return;
    }
    ledger.skipTo(entry.position());
    Member member = speaker(entry);
    switch (entry.kind()) {
      case 'J' -> ledger.recallJoined(member, JoinedHow.JOINED, entry.time(), entry.members());
      case 'B' -> ledger.recallJoined(member, JoinedHow.CAME_BACK, entry.time(), entry.members());
      case 'M' -> ledger.recallSaid(member, entry.what(), entry.time(), entry.text());
      default -> ledger.recallLeft(member, LeftWhy.of(entry.what()), entry.time(), entry.members());
    }
  }

  /** The past was read up to the snapshot. */
  void recalled(Snapshot room) {
    ledger.skipTo(room.end());
    lastId = room.lastId();
    skippedInRow = 0;
    forgotten.clear();
  }

  /** What lies before the snapshot cannot be read: who is there now is known from it. */
  void catchUp(Snapshot room, String node) {
    Map<ResumeToken, Member> before = ledger.sessions().all();
    Map<ResumeToken, MemberConnection> here = new HashMap<>();
    for (Member member : List.copyOf(ledger.sessions().everybody())) {
      MemberConnection connection = member.connection();
      if (connection != null) {
        here.put(member.token(), connection);
      }
    }
    for (Snapshot.Known known : room.sessions()) {
      Member member = before.get(known.token());
      MemberConnection connection = here.get(known.token());
      if (member != null && connection != null) {
        if (known.node().equals(node) && member.ordinal() == known.claim()) {
          here.remove(known.token());
          int own = known.received() - member.received();
          if (own > 0) {
            ledger.missed(member, room.end(), own, known.received());
          }
        }
      }
    }
    here.keySet()
        .forEach(
            token -> {
              Member member = before.get(token);
              if (member != null) {
                ledger.dismiss(member, "the room went on without you");
              }
            });
    ledger.sessions().clear();
    for (Snapshot.Known known : room.sessions()) {
      Member member = before.get(known.token());
      if (member == null) {
        member = new Member(known.name(), known.token());
      }
      restore(known, member, member.connection());
      if (known.node().equals(node) && member.connection() == null) {
        desk.orphan(member);
      }
    }
    ledger.skipTo(room.end());
    ledger.showHole();
    lastId = room.lastId();
    skippedInRow = 0;
  }

  private void restore(Snapshot.Known known, Member member, @Nullable MemberConnection connection) {
    if (known.isLost()) {
      ledger.sessions().restoreLost(member, known.received(), known.lostFor());
    } else {
      ledger.sessions().restore(member, known.received(), connection, known.claim());
    }
  }

  /** The next entry. */
  Outcome apply(StreamMessage<byte[], byte[]> message, String node) {
    Entry entry = Entry.of(message.getId(), message.getBody());
    if (entry == null) {
      foreign++;
      skippedInRow++;
      lastId = message.getId();
      return Outcome.DONE;
    }
    if (entry.kind() == 'E') {
      lastId = message.getId();
      return Outcome.DONE;
    }
    long hole = entry.position() - ledger.end();
    if (hole < 0) {
      return Outcome.OTHER_STREAM;
    }
    if (hole > skippedInRow) {
      return Outcome.BEHIND_HOLE;
    }
    lastId = message.getId();
    skippedInRow = 0;
    ledger.skipTo(entry.position());
    happen(entry, node);
    return Outcome.DONE;
  }

  private void happen(Entry entry, String node) {
    switch (entry.kind()) {
      case 'J' -> join(entry, node, JoinedHow.JOINED);
      case 'B' -> join(entry, node, JoinedHow.CAME_BACK);
      case 'M' ->
          ledger.said(
              speaker(entry),
              entry.what(),
              entry.time(),
              entry.text(),
              entry.text().readerIndex(),
              entry.text().readableBytes());
      case 'C' -> ledger.counted(speaker(entry), entry.what());
      default ->
          ledger.left(speaker(entry), LeftWhy.of(entry.what()), entry.time(), entry.members());
    }
    forgotten.clear();
  }

  private void join(Entry entry, String node, JoinedHow how) {
    Member known = ledger.sessions().of(entry.token());
    Member member = known == null ? ledger.sessions().add(nameOf(entry), entry.token()) : known;
    boolean ours = entry.node().equals(node);
    Arrival arrival = ours ? desk.arrival(entry.number()) : null;
    ledger.counted(member, entry.what());
    ledger.joined(member, how, entry.time(), entry.members(), arrival);
    if (ours && arrival == null) {
      desk.orphan(member);
    }
  }

  /** The member of a session, or somebody like it if it is forgotten here. */
  private Member speaker(Entry entry) {
    Member member = ledger.sessions().of(entry.token());
    if (member != null) {
      return member;
    }
    return forgotten.computeIfAbsent(entry.token(), token -> new Member(nameOf(entry), token));
  }

  private static MemberName nameOf(Entry entry) {
    MemberName name = entry.name();
    if (name == null) {
      throw new IllegalStateException("nobody does " + entry.kind());
    }
    return name;
  }
}
