package simplechat.server;

import io.netty.buffer.ByteBuf;
import io.netty.util.concurrent.EventExecutor;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import simplechat.protocol.ResumeToken;
import simplechat.protocol.ServerMessage.JoinedHow;
import simplechat.protocol.ServerMessage.LeftWhy;
import simplechat.room.Arrival;
import simplechat.room.Backplane;
import simplechat.room.Ledger;
import simplechat.room.Member;

/** An order that is made here, and tells at a drain who goes, as that of a shared room does. */
class Announcing implements Backplane {
  private @Nullable Ledger ledger;
  private @Nullable EventExecutor otherLoop;

  CompletableFuture<Announcing> open(
      Ledger of, Iterable<EventExecutor> loops, EventExecutor roomLoop) {
    ledger = of;
    loops.forEach(loop -> otherLoop = loop.equals(roomLoop) ? otherLoop : loop);
    return CompletableFuture.completedFuture(this);
  }

  EventExecutor otherLoop() {
    return required(otherLoop);
  }

  Ledger ledger() {
    return required(ledger);
  }

  private static <T> T required(@Nullable T value) {
    if (value == null) {
      throw new AssertionError("not opened");
    }
    return value;
  }

  @Override
  public void join(Arrival arrival) {
    int members = ledger().sessions().present() + 1;
    Member member = ledger().sessions().add(arrival.name(), new ResumeToken(members, members));
    ledger().joined(member, JoinedHow.JOINED, 0, members, arrival);
  }

  @Override
  public void say(Member member, int sendNo, ByteBuf text, int index, int length) {
    ledger().said(member, sendNo, 0, text, index, length);
  }

  @Override
  public void count(Member member, int sendNo) {
    ledger().counted(member, sendNo);
  }

  @Override
  public void leave(Member member, LeftWhy why) {
    ledger().left(member, why, 0, ledger().sessions().present() - 1);
  }

  @Override
  public Pressure pressure() {
    return Pressure.NONE;
  }

  @Override
  public @Nullable String closedBecause() {
    return null;
  }

  @Override
  public void drain(Iterable<Member> here, Runnable done) {
    here.forEach(member -> leave(member, LeftWhy.SHUTDOWN));
    done.run();
  }

  @Override
  public void close() {}
}
