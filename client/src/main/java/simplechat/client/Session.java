package simplechat.client;

import java.time.Instant;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import simplechat.protocol.ClientMessage;
import simplechat.protocol.ErrorCode;
import simplechat.protocol.Limits;
import simplechat.protocol.ProtocolException;
import simplechat.protocol.ServerMessage;
import simplechat.protocol.ServerMessage.JoinedHow;
import simplechat.protocol.ServerMessage.Welcome;

/**
 * What may come when, and whom it concerns: the protocol above the frames.
 *
 * <p>Holds all that a resume needs (token, epoch, next, texts without an answer), so that it can be
 * carried to another connection.
 *
 * <p>Threading: confined to the event loop.
 */
final class Session {
  private enum State {
    STRANGER,
    JOINING,
    MEMBER,
    LEAVING,
    ENDED
  }

  private final ChatListener listener;
  private final Consumer<ClientMessage> out;
  private final Outbox outbox;
  private final RosterCalls rosters = new RosterCalls();
  private State state = State.STRANGER;
  private CompletableFuture<Welcome> joined = new CompletableFuture<>();
  private @Nullable Welcome welcome;
  private @Nullable Stream stream;
  private boolean live;
  private @Nullable EndedException over;

  Session(ChatListener listener, Consumer<ClientMessage> out, Outbox outbox) {
    this.listener = listener;
    this.out = out;
    this.outbox = outbox;
  }

  /** True while a join waits for its answer. */
  boolean joining() {
    return state == State.JOINING;
  }

  /** Null before the first welcome. */
  @Nullable Welcome welcome() {
    return welcome;
  }

  ClientMessage.@Nullable Resume resumePoint() {
    return welcome == null || stream == null
        ? null
        : new ClientMessage.Resume(welcome.token(), welcome.epoch(), stream.next());
  }

  void join(JoinRequest request, CompletableFuture<Welcome> result) {
    if (state != State.STRANGER) {
      result.completeExceptionally(over != null ? over : unexpected("joined, or about to be"));
      return;
    }
    state = State.JOINING;
    joined = result;
    out.accept(request.hello());
  }

  /** The text has been judged and booked in the outbox. */
  void send(String text, CompletableFuture<Long> result) {
    if (state != State.MEMBER) {
      outbox.release(text);
      result.completeExceptionally(notMember());
      return;
    }
    outbox.add(text, result);
    out.accept(new ClientMessage.Send(text));
  }

  void who(CompletableFuture<List<String>> result) {
    if (state != State.MEMBER) {
      result.completeExceptionally(notMember());
    } else if (!rosters.add(result)) {
      result.completeExceptionally(new BacklogFullException("too many WHOs wait for an answer"));
    } else {
      out.accept(new ClientMessage.Who());
    }
  }

  /** False if there is nothing to leave, so that the connection is simply closed. */
  boolean leave() {
    if (state == State.MEMBER) {
      state = State.LEAVING;
      out.accept(new ClientMessage.Leave());
    }
    return state == State.LEAVING;
  }

  /** Any message but PING, PONG and BYE, which are the connection's. */
  void receive(ServerMessage message) throws ProtocolException {
    if (message instanceof Welcome came) {
      receive(came);
    } else if (message instanceof ServerMessage.Refused refused) {
      receive(refused);
    } else {
      Stream known = stream;
      if (known == null) {
        throw lie("an event before the welcome");
      }
      receive(message, known);
      tellLive(known);
    }
  }

  void end(Goodbye goodbye) {
    if (state == State.ENDED) {
      return;
    }
    state = State.ENDED;
    EndedException reason = new EndedException(goodbye);
    over = reason;
    joined.completeExceptionally(reason);
    outbox.fail(reason);
    rosters.fail(reason);
    tell(() -> listener.ended(goodbye));
  }

  private void receive(Welcome came) throws ProtocolException {
    if (state != State.JOINING) {
      throw lie("a WELCOME that nobody asked for");
    }
    if (came.maxText() < 1 || came.heartbeat() < 1 || came.version() != Limits.VERSION) {
      throw lie("a WELCOME with impossible limits");
    }
    Stream begun = new Stream(came);
    outbox.startAt(came.resumed() ? Integer.toUnsignedLong(came.received()) : 0);
    state = State.MEMBER;
    welcome = came;
    stream = begun;
    live = false;
    tell(() -> listener.welcome(came));
    tellLive(begun);
    joined.complete(came);
  }

  private void receive(ServerMessage.Refused refused) throws ProtocolException {
    if (!ErrorCode.keepsConnection(refused.code())) {
      throw lie("an ERROR with a code that closes");
    }
    RefusedException reason = new RefusedException(refused.code(), refused.text());
    if (ErrorCode.refusesJoin(refused.code()) && state == State.JOINING) {
      state = State.STRANGER;
      joined.completeExceptionally(reason);
    } else if (refused.sendNo() != 0) {
      outbox.refuse(refused.sendNo(), reason);
    } else {
      tell(() -> listener.refused(refused.code(), refused.text()));
    }
  }

  private void receive(ServerMessage message, Stream known) throws ProtocolException {
    if (message instanceof ServerMessage.Event event) {
      receive(event, known);
    } else if (message instanceof ServerMessage.Ack ack) {
      long count = outbox.covered(ack.sendNo());
      outbox.acknowledge(ack.sendNo(), count, known.ack(ack.seq(), count));
    } else if (message instanceof ServerMessage.Gap gap) {
      long missed = known.gap(gap);
      tell(() -> listener.gap(missed));
    } else if (message instanceof ServerMessage.Roster roster) {
      rosters.receive(roster);
    }
  }

  private void receive(ServerMessage.Event event, Stream known) throws ProtocolException {
    long position = known.event(event.seq());
    tellLiveBefore(position, known);
    boolean replayed = known.replayed(position);
    Instant time = Instant.ofEpochSecond(Integer.toUnsignedLong(event.time()));
    if (event instanceof ServerMessage.Msg msg) {
      var message = new RoomEvent.Message(position, time, replayed, msg.name(), msg.text());
      tell(() -> listener.message(message));
    } else if (event instanceof ServerMessage.Joined in) {
      long members = Integer.toUnsignedLong(in.members());
      boolean cameBack = in.how() == JoinedHow.CAME_BACK;
      var arrival = new RoomEvent.Joined(position, time, replayed, in.name(), members, cameBack);
      tell(() -> listener.joined(arrival));
    } else if (event instanceof ServerMessage.Left out) {
      long members = Integer.toUnsignedLong(out.members());
      var departure = new RoomEvent.Left(position, time, replayed, out.name(), members, out.why());
      tell(() -> listener.left(departure));
    }
  }

  /** A live event may come although the replay was shorter than announced. */
  private void tellLiveBefore(long position, Stream known) {
    if (!known.replayed(position)) {
      tellLive(known);
    }
  }

  private void tellLive(Stream known) {
    if (!live && known.live()) {
      live = true;
      tell(listener::live);
    }
  }

  /** A fault in the program's code must not cost it the connection. */
  private static void tell(Runnable call) {
    try {
      call.run();
    } catch (RuntimeException e) {
      Thread thread = Thread.currentThread();
      thread.getUncaughtExceptionHandler().uncaughtException(thread, e);
    }
  }

  private Exception notMember() {
    if (over != null) {
      return over;
    }
    return state == State.STRANGER || state == State.JOINING
        ? new RefusedException(ErrorCode.JOIN_FIRST, "not joined yet")
        : unexpected("leaving");
  }

  private static RefusedException unexpected(String text) {
    return new RefusedException(ErrorCode.UNEXPECTED, text);
  }

  private static ProtocolException lie(String what) {
    return new ProtocolException(ErrorCode.MALFORMED, what);
  }
}
