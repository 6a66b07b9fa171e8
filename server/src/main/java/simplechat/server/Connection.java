package simplechat.server;

import io.netty.buffer.ByteBuf;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import simplechat.protocol.ClientMessage;
import simplechat.protocol.ErrorCode;
import simplechat.protocol.Limits;
import simplechat.protocol.MemberName;
import simplechat.protocol.ProtocolException;
import simplechat.protocol.ServerMessage;
import simplechat.protocol.ServerMessage.Bye;
import simplechat.protocol.ServerMessage.LeftWhy;
import simplechat.room.Cursor;
import simplechat.room.RosterPlace;

/**
 * One client: its state, what it asks of the room and is answered, its deadlines and its end.
 *
 * <p>Threading: the connection's loop. Bounds: {@link Inbound} for the input, {@link
 * Limits#CONTROL_MAX_BYTES} of answers. Endings: a last frame that is decided, a socket that fails,
 * or a peer that takes nothing; each frees the name at once, the socket once the peer could read.
 */
final class Connection {
  private static final Logger LOG = LoggerFactory.getLogger(Connection.class);

  private final ChatServer server;
  private final ConnectionLoop loop;
  private final Line line;
  private final RoomLink room;
  private final RosterAnswer roster;
  private final Inbound inbound;
  private final Speech speech;
  private final Outbound outbound;
  private final Deadlines deadlines;

  private ConnectionState state = ConnectionState.STRANGER;
  private int sendNo;
  private boolean outputEnded;
  private boolean gone;
  private int index;

  Connection(ChatServer server, ConnectionLoop loop, Line line) {
    this.server = server;
    this.loop = loop;
    this.line = line;
    this.room = new RoomLink(server, loop, this, line.channel());
    this.roster = new RosterAnswer(room);
    this.inbound = new Inbound(this, server, room, loop, line);
    this.speech = new Speech(loop, this, server.config().rate());
    this.outbound = new Outbound(this, line, loop);
    this.deadlines = new Deadlines(server.config(), loop.nowNanos());
  }

  /** Place in the loop's list, which the list keeps here. */
  int index() {
    return index;
  }

  void index(int index) {
    this.index = index;
  }

  Inbound inbound() {
    return inbound;
  }

  /** The stream cannot go on; what follows from it waits until the log is at rest. */
  void lapsed() {
    loop.eventLoop().execute(this::slow);
  }

  /** The same for a fault of ours. */
  void failedToLapse(Throwable e) {
    LOG.error("a connection failed", e);
    outbound.abandon(ErrorCode.INTERNAL);
    broken();
  }

  /** Looks at the deadlines. */
  void tick() {
    long now = loop.nowNanos();
    if (line.isShaking() && deadlines.handshakeIsOver(now)) {
      line.close();
      return;
    }
    switch (state) {
      case STRANGER, JOINING -> {
        if (deadlines.joinIsOver(now)) {
          end(ErrorCode.JOIN_TIMEOUT, "no join in time", LeftWhy.LOST);
        }
      }
      case JOINED, LEAVING -> {
        if (outbound.waits() && deadlines.stallIsOver(now, outbound.progressNanos())) {
          slow();
        } else if (inbound.isPaused()) {
          deadlines.unheard(now);
        } else if (deadlines.silenceIsOver(now)) {
          end(ErrorCode.TIMEOUT, "no sign of life", LeftWhy.LOST);
        } else if (deadlines.pingIsDue(now)) {
          outbound.answer(new ServerMessage.Ping((int) now));
          outbound.flush();
        }
      }
      case ENDING -> {
        if (deadlines.endIsOver(now, outputEnded, outbound.progressNanos())) {
          line.close();
        }
      }
    }
  }

  /** The server stops: everything up to {@code endByte} is delivered, then this connection ends. */
  void shutDown(long endByte, int retryAfter) {
    if (line.isSilent()) {
      line.close();
    } else if (state != ConnectionState.ENDING) {
      outbound.end(new Bye(ErrorCode.SHUTDOWN, retryAfter, "the server is shutting down"), endByte);
      ending();
    }
  }

  /** Refuses a connection that comes at the wrong time, or waited for too long among too many. */
  void turnAway(Door.Refusal refusal) {
    if (state == ConnectionState.STRANGER || state == ConnectionState.JOINING) {
      outbound.end(refusal.bye());
      ending();
    }
  }

  /** Ends it without a word. */
  void cut() {
    outbound.abandon(ErrorCode.SHUTDOWN);
    line.close();
  }

  /** Something may be written from now on. */
  void ready() {
    outbound.flush();
  }

  /** Takes what came. */
  void heard(ByteBuf bytes) {
    deadlines.heard(loop.nowNanos());
    inbound.read(bytes);
    outbound.flush();
  }

  /** The peer has ended its side. */
  void inputEnded() {
    if (line.isShaking()) {
      line.close();
    } else {
      inbound.end();
      closeIfDone();
    }
  }

  /** The socket is closed: lets go of everything, at the first call. */
  void gone() {
    if (!gone) {
      gone = true;
      room.lose(LeftWhy.LOST);
      state = ConnectionState.ENDING;
      inbound.close();
      outbound.close();
      loop.remove(this);
      server.closed();
    }
  }

  boolean isStranger() {
    return state == ConnectionState.STRANGER;
  }

  /** True if the next frame may be looked at. */
  boolean listens() {
    return (state == ConnectionState.STRANGER || state == ConnectionState.JOINED)
        && !(roster.isUnderWay() || outbound.isFull() || speech.waits() || room.isHeld());
  }

  /** True if nothing that comes has an effect any more. */
  boolean isDeaf() {
    return state == ConnectionState.LEAVING || state == ConnectionState.ENDING;
  }

  /** Numbers the next SEND of the session. */
  int nextSendNo() {
    return ++sendNo;
  }

  /** Takes a text into the room. */
  void say(ByteBuf text, int index, int length) {
    int number = nextSendNo();
    outbound.spoke(number);
    room.send(number, text, index, length);
    speech.spoke();
  }

  /** Answers ERROR, about a SEND unless {@code number} is 0. */
  void refuse(ErrorCode code, int number, String text) {
    loop.counters().refused(code);
    outbound.answer(new ServerMessage.Refused(code.number(), number, text));
    if (number > 0) {
      speech.spoke();
    }
  }

  void hello(ClientMessage.Hello hello) throws ProtocolException {
    MemberName name = MemberName.of(hello.name());
    state = ConnectionState.JOINING;
    room.join(name, hello.history(), hello.resume());
  }

  /** Anything but HELLO and SEND; null for what is to be ignored. */
  void hear(@Nullable ClientMessage message) {
    if (message instanceof ClientMessage.Ping ping) {
      outbound.answer(new ServerMessage.Pong(ping.opaque()));
    } else if (message instanceof ClientMessage.Who) {
      roster.begin();
      if (outbound.isAnswered()) {
        roster.ask();
      }
    } else if (message instanceof ClientMessage.Leave) {
      state = ConnectionState.LEAVING;
      outbound.spoke(Outbound.NEVER);
      room.leave();
    } else {
      speech.idled();
    }
  }

  /** The peer broke a rule. */
  void violated(ProtocolException e) {
    end(e.code(), String.valueOf(e.getMessage()), LeftWhy.LOST);
  }

  /** We broke one: this connection pays, and no other. */
  void failed(Throwable cause) {
    LOG.error("a connection failed", cause);
    try {
      end(ErrorCode.INTERNAL, "the server failed", LeftWhy.LOST);
    } catch (RuntimeException | OutOfMemoryError e) {
      // It cannot even be ended in order. Whoever walks over the members must not notice.
      failedToLapse(e);
    }
  }

  /** Returns false if the connection has ended meanwhile. */
  boolean welcomed(Cursor cursor, ServerMessage.Welcome welcome) {
    if (state != ConnectionState.JOINING) {
      return false;
    }
    state = ConnectionState.JOINED;
    sendNo = welcome.received();
    outbound.answer(welcome);
    outbound.follow(cursor);
    answered();
    return true;
  }

  void joinRefused(ErrorCode code, String text) {
    if (state == ConnectionState.JOINING) {
      state = ConnectionState.STRANGER;
      if (code.keepsConnection()) {
        refuse(code, 0, text);
        answered();
      } else {
        end(code, text, LeftWhy.LOST);
      }
    }
  }

  /** The member has left in order: its stream goes on up to there. */
  void left(long endByte) {
    if (state == ConnectionState.LEAVING) {
      outbound.end(new Bye(ErrorCode.LEFT, 0, "bye"), endByte);
      ending();
    }
  }

  /** The member's LEFT comes next, although it has not asked for it. */
  void leaves() {
    outbound.spoke(Outbound.NEVER);
  }

  void roster(ServerMessage.Roster part, RosterPlace after) {
    if (state == ConnectionState.JOINED) {
      outbound.answer(part);
      roster.told(part, after);
      answered();
    }
  }

  /** An answer of the room is written now, or behind the frames that asked for it. */
  private void answered() {
    if (!inbound.isDecoding()) {
      outbound.flush();
      // Not within the room's call: the next frame may ask the room for something.
      loop.eventLoop().execute(this::resume);
    }
  }

  /** Whatever it waited for is over. */
  void resume() {
    inbound.resume();
    outbound.flush();
    closeIfDone();
  }

  /** No answer waits to be written any more; what waited for that goes on, after this turn. */
  void answersWritten() {
    if (roster.isDue()) {
      loop.eventLoop().execute(roster::ask);
    } else if (inbound.isPaused() && listens()) {
      loop.eventLoop().execute(this::resume);
    }
  }

  /** True if nobody waits for what the peer may send. */
  boolean isUnread() {
    return inbound.isUnread();
  }

  /** The last frame is written. */
  void outputEnded() {
    loop.eventLoop().execute(this::halfClose);
  }

  /** The socket cannot be written. */
  void broken() {
    loop.eventLoop().execute(line::close);
  }

  /** Ends the connection with a last frame, of which the peer may be sure if it reads. */
  void end(ErrorCode code, String text, LeftWhy why) {
    if (state != ConnectionState.ENDING) {
      lose(why);
      outbound.end(new Bye(code, 0, text));
      ending();
    }
  }

  /** The member goes, and what the room writes of that is not for this connection. */
  private void lose(LeftWhy why) {
    outbound.spoke(Outbound.NEVER);
    room.lose(why);
  }

  /** Ends it without a last frame: the socket takes none, or the stream stopped inside another. */
  private void slow() {
    if (state != ConnectionState.ENDING) {
      lose(LeftWhy.SLOW);
      outbound.abandon(ErrorCode.SLOW);
      ending();
    }
    outputEnded();
  }

  private void ending() {
    state = ConnectionState.ENDING;
    room.forget();
    deadlines.ending(loop.nowNanos());
    inbound.close();
    outbound.flush();
  }

  /** Closes our side, so that the peer reads all of it, and waits for the other to be closed. */
  private void halfClose() {
    if (!outputEnded) {
      outputEnded = true;
      deadlines.ending(loop.nowNanos());
      line.endOutput(outbound.waits());
      closeIfDone();
    }
  }

  /** The end of the input ends a connection, when what came before it is answered. */
  private void closeIfDone() {
    if (!inbound.isDone()) {
      return;
    }
    switch (state) {
      case STRANGER, JOINED -> {
        if (!roster.isUnderWay()) {
          lose(LeftWhy.LOST);
          outbound.end();
          ending();
        }
      }
      case JOINING, LEAVING -> {}
      case ENDING -> {
        if (outputEnded) {
          line.close();
        }
      }
    }
  }
}
