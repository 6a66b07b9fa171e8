package simplechat.room;

import io.netty.buffer.ByteBuf;
import java.security.SecureRandom;
import java.time.InstantSource;
import org.jspecify.annotations.Nullable;
import simplechat.protocol.ClientMessage;
import simplechat.protocol.ResumeToken;
import simplechat.protocol.ServerMessage.JoinedHow;
import simplechat.protocol.ServerMessage.LeftWhy;

/** The order of a room that one process has for itself: what is asked is done. */
final class LocalBackplane implements Backplane {
  private final SecureRandom random = new SecureRandom();
  private final Ledger ledger;
  private final InstantSource clock;

  LocalBackplane(Ledger ledger, InstantSource clock) {
    this.ledger = ledger;
    this.clock = clock;
  }

  @Override
  public void join(Arrival arrival) {
    Sessions sessions = ledger.sessions();
    Member returning = returning(arrival);
    Member holder = sessions.holder(arrival.name());
    if (holder != null && holder != returning) {
      arrival.nameTaken();
      return;
    }
    if (returning == null) {
      ResumeToken token = new ResumeToken(random.nextLong(), random.nextLong());
      ledger.joined(
          sessions.add(arrival.name(), token),
          JoinedHow.JOINED,
          time(),
          sessions.present() + 1,
          arrival);
      return;
    }
    if (holder != null) {
      ledger.left(holder, LeftWhy.REPLACED, time(), sessions.present() - 1);
    }
    ledger.joined(returning, JoinedHow.CAME_BACK, time(), sessions.present() + 1, arrival);
  }

  @Override
  public void say(Member member, int sendNo, ByteBuf text, int index, int length) {
    ledger.said(member, sendNo, time(), text, index, length);
  }

  @Override
  public void count(Member member, int sendNo) {
    ledger.counted(member, sendNo);
  }

  @Override
  public void leave(Member member, LeftWhy why) {
    ledger.left(member, why, time(), ledger.sessions().present() - 1);
  }

  @Override
  public Pressure pressure() {
    return Pressure.NONE;
  }

  @Override
  public @Nullable String closedBecause() {
    return null;
  }

  /** Nobody is announced as having left: nobody could see the room go on without them. */
  @Override
  public void drain(Iterable<Member> here, Runnable done) {
    done.run();
  }

  @Override
  public void close() {}

  private @Nullable Member returning(Arrival arrival) {
    ClientMessage.Resume resume = arrival.resume();
    if (resume == null
        || resume.epoch() != ledger.epoch()
        || Long.compareUnsigned(resume.next(), ledger.end()) > 0) {
      return null;
    }
    Member member = ledger.sessions().of(resume.token());
    return member == null || !member.name().equals(arrival.name()) ? null : member;
  }

  private int time() {
    return (int) clock.instant().getEpochSecond();
  }
}
