package simplechat.room;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongConsumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import simplechat.protocol.ClientMessage;
import simplechat.protocol.ErrorCode;
import simplechat.protocol.MemberName;
import simplechat.protocol.ServerMessage.LeftWhy;

/**
 * The one room, as connections know it: what they ask is put into an order by the {@link Backplane}
 * and happens in the {@link Ledger}.
 *
 * <p>The backplane alone has the ledger written, so that order and uniqueness of names need no
 * lock.
 *
 * <p>Threading: every method on the room's loop, which is where the {@link Loop} runs its tasks.
 */
public final class Room {
  private final Ledger ledger;
  private volatile Backplane backplane;
  private boolean closed;

  /** The event loop that the room lives on. */
  @FunctionalInterface
  public interface Loop {
    /** Runs a task after what runs now, and after a delay if it is more than 0. */
    void execute(Runnable task, long delayNanos);
  }

  /**
   * A room of this process alone.
   *
   * @param clock for the times that members see
   * @param nanoTime for all else; never goes back
   */
  public Room(
      RoomSettings settings,
      ByteBufAllocator allocator,
      Loop loop,
      InstantSource clock,
      LongSupplier nanoTime) {
    this.ledger = new Ledger(settings, allocator, loop, nanoTime);
    this.backplane = new LocalBackplane(ledger, clock);
  }

  /** Adds an event loop with cursors; before the first join. */
  public void add(LogReader reader) {
    ledger.add(reader);
  }

  /** Takes its order from elsewhere; before the first join. */
  public void follow(Backplane other) {
    backplane = other;
  }

  /** For the backplane alone. */
  public Ledger ledger() {
    return ledger;
  }

  /**
   * Answers with welcomed or refused (NAME_TAKEN, INTERNAL).
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
      return;
    }
    String reason = backplane.closedBecause();
    if (reason != null) {
      connection.refused(ErrorCode.INTERNAL, reason);
    } else {
      backplane.join(new Arrival(name, history, resume, connection));
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
    if (!closed && member.isConnected(from)) {
      backplane.say(member, sendNo, text, index, length);
    }
  }

  /** Counts a SEND that its connection refused: it is not to be repeated after a resume. */
  public void refusedSend(Member member, MemberConnection from, int sendNo) {
    if (!closed && member.isConnected(from)) {
      backplane.count(member, sendNo);
    }
  }

  /** Ends the session and answers with left. */
  public void leave(Member member, MemberConnection from) {
    if (!closed && member.isConnected(from)) {
      member.leaving();
      backplane.leave(member, LeftWhy.LEFT);
    }
  }

  /** The connection ended without LEAVE: the name is free, the token stays good for a while. */
  public void lose(Member member, MemberConnection from, LeftWhy why) {
    if (!closed && member.isConnected(from)) {
      member.leaving();
      backplane.leave(member, why);
    }
  }

  /** Answers with the next part of the roster, from the start if {@code place} is null. */
  public void who(MemberConnection asker, @Nullable RosterPlace place) {
    ledger.sessions().tell(asker, place == null ? new RosterPlace(-1, ledger.end()) : place);
  }

  /** Forgets lost members whose time to come back is over; to be called every now and then. */
  public void expire() {
    ledger.sessions().expire();
  }

  /** See {@link Backplane#unready}; from any thread. */
  public @Nullable String unready() {
    return backplane.unready();
  }

  /** See {@link Backplane#pressure}; from any thread. */
  public Backplane.Pressure pressure() {
    return backplane.pressure();
  }

  /**
   * Takes nothing more, and answers nothing: those who ask meanwhile are told with all others that
   * it is over, behind what is still to come for them.
   *
   * @param ended called with the end of everybody's stream, for {@link Cursor#stopAt}, when all
   *     that was accepted is published
   */
  public void drain(LongConsumer ended) {
    closed = true;
    List<Member> here = new ArrayList<>();
    for (Member member : ledger.sessions().everybody()) {
      if (member.connection() != null) {
        here.add(member);
      }
    }
    backplane.drain(
        here,
        () -> {
          ledger.publish();
          ended.accept(ledger.endByte());
        });
  }

  /** Takes and gives nothing more. */
  public void close() {
    closed = true;
    backplane.close();
  }

  /** Frees the log; after the last cursor was used. */
  public void free() {
    ledger.free();
  }

  /** How many are in the room. */
  public int members() {
    return ledger.sessions().present();
  }

  /** How the room stands. */
  public RoomStatus status() {
    return ledger.status().with(backplane.link());
  }
}
