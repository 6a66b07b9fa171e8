package simplechat.client;

import java.time.Duration;
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
 * <p>Holds all that a resume needs (token, epoch, next, texts without an answer), and outlives its
 * connections: between {@link #lose} and the next welcome it is away, and what is sent waits.
 *
 * <p>Threading: confined to the event loop, but for {@link #textMaxBytes} and {@link
 * #knownToBeAway}. Bounds: {@value #AWAY_MAX} texts may be sent while it is away.
 */
final class Session {
  static final int AWAY_MAX = 100;

  private enum State {
    STRANGER,
    JOINING,
    MEMBER,
    AWAY,
    ENDED
  }

  private final ChatListener listener;
  private final Outbox outbox;
  private final RosterCalls rosters = new RosterCalls();
  private State state = State.STRANGER;
  private Consumer<ClientMessage> out = message -> {};
  private CompletableFuture<Welcome> joined = new CompletableFuture<>();
  private @Nullable JoinRequest request;
  private @Nullable Welcome welcome;
  private @Nullable Stream stream;
  private @Nullable EndedException loss;
  private @Nullable EndedException over;
  private @Nullable Duration away;
  private boolean leaving;
  private @Nullable Replay replay;
  private boolean settled;
  private int sentAway;
  private volatile int textMaxBytes = Limits.TEXT_DEFAULT_MAX_BYTES;
  private volatile boolean knownToBeAway;

  Session(ChatListener listener, Outbox outbox) {
    this.listener = listener;
    this.outbox = outbox;
  }

  /** From now on this is where messages go. */
  void use(Consumer<ClientMessage> connection) {
    out = connection;
  }

  /** True from the first welcome on, also while it is away. */
  boolean isMember() {
    return state == State.MEMBER || isAway();
  }

  /** True between a loss and the welcome that ends it. */
  boolean isAway() {
    return state == State.AWAY || (state == State.JOINING && loss != null);
  }

  /** True if there is nothing left to come back for. */
  boolean isLeft() {
    return leaving && outbox.isEmpty();
  }

  /** May be asked by any thread, as {@link #textMaxBytes}. */
  boolean knownToBeAway() {
    return knownToBeAway;
  }

  int textMaxBytes() {
    return textMaxBytes;
  }

  ClientMessage.@Nullable Resume resumePoint() {
    return welcome == null || stream == null
        ? null
        : new ClientMessage.Resume(welcome.token(), welcome.epoch(), stream.resumeAt());
  }

  void join(JoinRequest asked, CompletableFuture<Welcome> result) {
    if (state != State.STRANGER) {
      result.completeExceptionally(over != null ? over : unexpected("joined, or about to be"));
      return;
    }
    request = asked;
    knock(asked, result);
  }

  /** Asks to go on where the lost connection was. */
  void comeBack(Duration since, CompletableFuture<Welcome> result) {
    JoinRequest first = request;
    if (state != State.AWAY || first == null) {
      throw new IllegalStateException("not lost");
    }
    away = since;
    knock(new JoinRequest(first.name(), first.history(), first.key(), resumePoint()), result);
  }

  private void knock(JoinRequest asked, CompletableFuture<Welcome> result) {
    state = State.JOINING;
    joined = result;
    out.accept(asked.hello());
  }

  /**
   * The text has been judged and booked in the outbox.
   *
   * @param knowingly whether the sender could know by then that the connection is lost
   */
  void send(String text, CompletableFuture<Long> result, boolean knowingly) {
    result.thenAccept(position -> tell(() -> listener.confirmed(position, text)));
    Exception refusal = isMember() && !leaving ? null : notMember();
    if (refusal == null && isAway() && knowingly && sentAway == AWAY_MAX) {
      refusal = new BacklogFullException(AWAY_MAX + " messages wait for the connection");
    }
    if (refusal != null) {
      outbox.release(text);
      result.completeExceptionally(refusal);
      return;
    }
    outbox.add(text, result);
    if (isAway()) {
      sentAway += knowingly ? 1 : 0;
    } else {
      outbox.written();
      out.accept(new ClientMessage.Send(text));
    }
  }

  void who(CompletableFuture<List<String>> result) {
    if (loss != null) {
      result.completeExceptionally(loss);
    } else if (state != State.MEMBER || leaving) {
      result.completeExceptionally(notMember());
    } else if (!rosters.add(result)) {
      result.completeExceptionally(new BacklogFullException("too many WHOs wait for an answer"));
    } else {
      out.accept(new ClientMessage.Who());
    }
  }

  /**
   * Leaves; a session that is away does so once it is back.
   *
   * @return false if there is nothing to leave, so that the connection is simply closed
   */
  boolean leave() {
    if (!isMember()) {
      return false;
    }
    if (state == State.MEMBER && !leaving) {
      out.accept(new ClientMessage.Leave());
    }
    leaving = true;
    return true;
  }

  /** Any message but PING, PONG and BYE, which are the connection's. */
  void receive(ServerMessage message) throws ProtocolException {
    if (message instanceof Welcome came) {
      receive(came);
    } else if (message instanceof ServerMessage.Refused refused) {
      receive(refused);
    } else {
      Stream known = stream;
      Replay repeated = replay;
      if (known == null || repeated == null || state != State.MEMBER) {
        throw lie("an event before the welcome");
      }
      repeated.count();
      receive(message, known, repeated);
      repeated.look();
    }
  }

  /** An answer to a PING. */
  void answered(int opaque) {
    if (replay != null && state == State.MEMBER && replay.answered(opaque)) {
      settle();
    }
  }

  /** The connection is gone and another one will be looked for. */
  void lose(Goodbye why) {
    boolean news = loss == null;
    EndedException reason = new EndedException(why);
    loss = reason;
    state = State.AWAY;
    out = message -> {};
    rosters.fail(reason);
    if (news) {
      sentAway = 0;
      tell(() -> listener.lost(why));
      // Not before: who has not been told yet could not have waited.
      knownToBeAway = true;
    }
    joined.completeExceptionally(reason);
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
    EndedException lost = loss;
    boolean sameRoom = isOfSameRoom(came);
    boolean goesOn = lost != null && came.resumed();
    Stream begun = new Stream(came, goesOn && stream != null ? stream.missedKnown() : 0);
    List<String> again = lost == null ? begin(came) : goOn(came);
    Replay begins =
        new Replay(
            begun,
            sameRoom && stream != null ? stream.next() : 0,
            goesOn && replay != null ? replay.missedUntold() : 0,
            out,
            () -> tellLive(came));
    state = State.MEMBER;
    loss = null;
    welcome = came;
    textMaxBytes = Math.min(came.maxText(), Limits.TEXT_MAX_BYTES);
    stream = begun;
    replay = begins;
    settled = false;
    if (lost != null && !came.resumed()) {
      outbox.fail(lost);
      outbox.begin(0);
    }
    knownToBeAway = false;
    tell(() -> listener.welcome(came));
    again.forEach(text -> out.accept(new ClientMessage.Send(text)));
    if (leaving) {
      out.accept(new ClientMessage.Leave());
    }
    begins.look();
    if (came.resumed()) {
      begins.ask();
    }
    joined.complete(came);
  }

  private List<String> begin(Welcome came) {
    outbox.begin(came.resumed() ? Integer.toUnsignedLong(came.received()) : 0);
    return List.of();
  }

  private List<String> goOn(Welcome came) throws ProtocolException {
    if (!came.resumed()) {
      return List.of();
    }
    if (!isOfSameRoom(came) || stream == null || came.next() != stream.resumeAt()) {
      throw lie("a WELCOME to another place than was asked for");
    }
    return outbox.resume(Integer.toUnsignedLong(came.received()));
  }

  private boolean isOfSameRoom(Welcome came) {
    return welcome != null && welcome.epoch() == came.epoch();
  }

  private void receive(ServerMessage.Refused refused) throws ProtocolException {
    if (!ErrorCode.keepsConnection(refused.code())) {
      throw lie("an ERROR with a code that closes");
    }
    RefusedException reason = new RefusedException(refused.code(), refused.text());
    if (ErrorCode.refusesJoin(refused.code()) && state == State.JOINING) {
      state = loss == null ? State.STRANGER : State.AWAY;
      joined.completeExceptionally(reason);
    } else if (refused.sendNo() != 0) {
      outbox.refuse(refused.sendNo(), reason);
    } else {
      tell(() -> listener.refused(refused.code(), refused.text()));
    }
  }

  private void receive(ServerMessage message, Stream known, Replay repeated)
      throws ProtocolException {
    if (message instanceof ServerMessage.Event event) {
      receive(event, known, repeated);
    } else if (message instanceof ServerMessage.Ack ack) {
      Outbox.Covered covered = outbox.covered(ack.sendNo());
      long from = known.next();
      outbox.acknowledge(ack.sendNo(), covered, from, known.ack(ack.seq(), covered.fresh()));
    } else if (message instanceof ServerMessage.Gap gap) {
      long gone = known.gap(gap);
      repeated.countMissed(gone);
      if (gone > 0) {
        tell(() -> listener.gap(gone));
      }
    } else if (message instanceof ServerMessage.Roster roster) {
      rosters.receive(roster);
    }
  }

  private void receive(ServerMessage.Event event, Stream known, Replay repeated)
      throws ProtocolException {
    long position = known.event(event.seq());
    boolean replayed = known.replayed(position);
    if (!replayed) {
      behindReplay(repeated);
    } else if (repeated.wasTold(position)) {
      return;
    }
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
  private void behindReplay(Replay repeated) {
    repeated.look();
    settle();
  }

  private void settle() {
    if (!settled) {
      settled = true;
      outbox.settle();
    }
  }

  private void tellLive(Welcome came) {
    Duration absence = away;
    Replay repeated = replay;
    if (came.resumed() && absence != null && repeated != null) {
      long gone = repeated.missed();
      tell(() -> listener.back(absence, gone));
    }
    tell(listener::live);
  }

  /** A fault in the program's code must not cost it the connection. */
  private static void tell(Runnable call) {
    try {
      call.run();
    } catch (Throwable e) {
      Thread thread = Thread.currentThread();
      thread.getUncaughtExceptionHandler().uncaughtException(thread, e);
    }
  }

  private Exception notMember() {
    if (over != null) {
      return over;
    }
    return !leaving && (state == State.STRANGER || state == State.JOINING)
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
