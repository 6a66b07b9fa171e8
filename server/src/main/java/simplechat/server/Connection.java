package simplechat.server;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.DuplexChannel;
import java.io.IOException;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import simplechat.protocol.ClientMessage;
import simplechat.protocol.ErrorCode;
import simplechat.protocol.FrameDecoder;
import simplechat.protocol.Limits;
import simplechat.protocol.MemberName;
import simplechat.protocol.MessageCodec;
import simplechat.protocol.MessageType;
import simplechat.protocol.ProtocolException;
import simplechat.protocol.ServerMessage;
import simplechat.protocol.ServerMessage.LeftWhy;
import simplechat.protocol.Text;
import simplechat.room.Cursor;
import simplechat.room.Member;
import simplechat.room.MemberConnection;
import simplechat.room.RosterPlace;
import simplechat.room.Segment;

/**
 * One client: what it may say in which state (PROTOCOL.md, section "Life of a connection"), and its
 * deadlines.
 *
 * <p>Threading: the connection's loop, but for the calls of {@link MemberConnection}, which come on
 * the room's loop and are carried over. Bounds: of the input, what one read brought beyond a frame
 * that must wait, and one frame that is not whole; of answers {@link Limits#CONTROL_MAX_BYTES}.
 * Endings: every one passes {@link #end}, {@link #broken} or {@link #channelInactive}, and frees
 * the name at once.
 */
final class Connection extends ChannelInboundHandlerAdapter
    implements FrameDecoder.Sink, MemberConnection {
  private static final Logger LOG = LoggerFactory.getLogger(Connection.class);

  /** With anything else no client of ours begins. */
  private static final Set<MessageType> OPENINGS =
      EnumSet.of(
          MessageType.HELLO,
          MessageType.SEND,
          MessageType.LEAVE,
          MessageType.WHO,
          MessageType.CLIENT_PING);

  private static final String SHUTTING_DOWN = "the server is shutting down";

  private enum State {
    /** Nobody yet. */
    STRANGER,
    /** The room was asked and has not answered. */
    JOINING,
    JOINED,
    /** LEAVE came; the room has not answered. */
    LEAVING,
    /** The last frame is decided; input is thrown away. */
    ENDING
  }

  private final ChatServer server;
  private final ConnectionLoop loop;
  private final Channel channel;
  private final FrameDecoder decoder;
  private final Outbound outbound;
  private final long acceptedNanos;

  private State state = State.STRANGER;
  private @Nullable Member member;
  private int sendNo;
  private @Nullable ByteBuf unread;
  private @Nullable List<Sent> batch;
  private @Nullable RosterPlace rosterPlace;
  private boolean answeringWho;
  private boolean decoding;
  private boolean paused;
  private boolean inputEnded;
  private boolean outputEnded;
  private boolean pinged;
  private long inputNanos;
  private long endedNanos;
  private int index;

  /** A SEND on its way to the room's loop; no text if it was refused. */
  private record Sent(int sendNo, @Nullable ByteBuf text, int index, int length) {}

  Connection(ChatServer server, ConnectionLoop loop, Channel channel) {
    this.server = server;
    this.loop = loop;
    this.channel = channel;
    this.decoder = new FrameDecoder(loop.allocator());
    this.outbound = new Outbound(this, channel, loop);
    this.acceptedNanos = loop.nowNanos();
    this.inputNanos = acceptedNanos;
  }

  /** Place in the loop's list, which the list keeps here. */
  int index() {
    return index;
  }

  void index(int index) {
    this.index = index;
  }

  // ---- what the loop calls

  /** There may be more in the log. */
  void wake() {
    try {
      outbound.flush();
    } catch (RuntimeException e) {
      failed(e);
    }
  }

  void lapse(Segment retired) {
    if (!outbound.lapse(retired)) {
      loop.eventLoop().execute(this::slow);
    }
  }

  /** Looks at the deadlines. */
  void tick() {
    long now = loop.nowNanos();
    switch (state) {
      case STRANGER, JOINING -> {
        if (now - acceptedNanos >= server.config().joinTimeout().toNanos()) {
          end(ErrorCode.JOIN_TIMEOUT, "no join in time", LeftWhy.LOST);
        }
      }
      case JOINED, LEAVING -> {
        if (now - outbound.stalledSinceNanos() >= server.config().writeStall().toNanos()) {
          slow();
        } else {
          tickHeartbeat(now);
        }
      }
      case ENDING -> {
        long bound = outputEnded ? server.lingerNanos() : server.config().drain().toNanos();
        if (now - endedNanos >= bound) {
          channel.close();
        }
      }
    }
  }

  private void tickHeartbeat(long now) {
    long heartbeat = server.config().heartbeat().toNanos();
    if (paused) {
      inputNanos = now;
    } else if (now - inputNanos >= 2 * heartbeat) {
      end(ErrorCode.TIMEOUT, "no sign of life", LeftWhy.LOST);
    } else if (now - inputNanos >= heartbeat && !pinged) {
      pinged = true;
      answer(new ServerMessage.Ping((int) now));
    }
  }

  /** The server stops: everything up to {@code endByte} is delivered, then this connection ends. */
  void shutDown(long endByte, int retryAfter) {
    if (state != State.ENDING) {
      outbound.end(bye(ErrorCode.SHUTDOWN, retryAfter, SHUTTING_DOWN), endByte);
      ending();
    }
  }

  /** Refuses a connection that comes at the wrong time. */
  void turnAway(ErrorCode code, int retryAfter) {
    String text = code == ErrorCode.SERVER_FULL ? "the server is full" : SHUTTING_DOWN;
    outbound.end(bye(code, retryAfter, text));
    ending();
  }

  /** Ends it without a word. */
  void cut() {
    channel.close();
  }

  // ---- what Netty calls

  @Override
  public void channelActive(ChannelHandlerContext ctx) {
    outbound.flush();
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object msg) {
    inputNanos = loop.nowNanos();
    pinged = false;
    ByteBuf in = (ByteBuf) msg;
    ByteBuf before = unread;
    if (before != null) {
      unread = null;
      in = before.writeBytes(in);
      ((ByteBuf) msg).release();
    }
    decode(in);
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
    if (event == ChannelInputShutdownEvent.INSTANCE) {
      inputEnded = true;
      if (unread == null) {
        inputDone();
      }
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    detach(LeftWhy.LOST);
    state = State.ENDING;
    dropInput();
    outbound.close();
    loop.remove(this);
    server.closed();
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    if (cause instanceof IOException) {
      channel.close();
    } else {
      failed(cause);
    }
  }

  // ---- input

  private void decode(ByteBuf in) {
    decoding = true;
    try {
      if (mayRead()) {
        decoder.decode(in, this);
      }
    } catch (ProtocolException e) {
      end(e.code(), String.valueOf(e.getMessage()), LeftWhy.LOST);
    } catch (RuntimeException e) {
      failed(e);
    } finally {
      decoding = false;
    }
    flushBatch();
    if (state == State.ENDING || state == State.LEAVING || !in.isReadable()) {
      in.release();
    } else {
      unread = copyOf(in);
    }
    pause(!mayRead() && state != State.ENDING && state != State.LEAVING);
    outbound.flush();
  }

  /**
   * The rest of a read in memory of its own size: the read's own buffer is large, and may be
   * shared.
   */
  private ByteBuf copyOf(ByteBuf in) {
    ByteBuf copy = loop.allocator().buffer(in.readableBytes()).writeBytes(in);
    in.release();
    return copy;
  }

  private boolean mayRead() {
    return (state == State.STRANGER || state == State.JOINED)
        && !answeringWho
        && !outbound.isFull();
  }

  private void pause(boolean pause) {
    if (paused != pause) {
      paused = pause;
      channel.config().setAutoRead(!pause);
    }
  }

  /** Goes on where decoding stopped. */
  private void resume() {
    ByteBuf in = unread;
    if (in != null && mayRead()) {
      unread = null;
      decode(in);
    } else if (mayRead()) {
      pause(false);
    }
    if (inputEnded && unread == null) {
      inputDone();
    }
  }

  /** Everything that came before the end of the input has had its effect. */
  private void inputDone() {
    switch (state) {
      case STRANGER, JOINED -> channel.close();
      case JOINING, LEAVING -> {}
      case ENDING -> {
        if (outputEnded) {
          channel.close();
        }
      }
    }
  }

  @Override
  public boolean header(int type, int length) throws ProtocolException {
    MessageType known = MessageType.of(type);
    if (state == State.STRANGER) {
      requireOpening(type);
    } else if (known == null || known.fromServer()) {
      if ((type & MessageType.IGNORABLE) == 0) {
        throw new ProtocolException(
            ErrorCode.MALFORMED, "a frame of type " + type + " may not come here");
      }
      requireLength(length, server.config().maxText() + Limits.OVERLONG_TEXT_BYTES);
      return false;
    } else if (known == MessageType.SEND) {
      requireLength(length, server.config().maxText() + Limits.OVERLONG_TEXT_BYTES);
      return length <= server.config().maxText();
    }
    requireLength(length, Limits.SMALL_BODY_MAX_BYTES);
    return true;
  }

  @Override
  public void incomplete(int type, ByteBuf buffer, int index, int available)
      throws ProtocolException {
    if (state != State.STRANGER) {
      return;
    }
    requireOpening(type);
    if (type == MessageType.HELLO.code()) {
      for (int i = 0; i < Math.min(available, Integer.BYTES); i++) {
        if (buffer.getByte(index + i) != (byte) (Limits.MAGIC >> (24 - 8 * i))) {
          throw notChat();
        }
      }
    }
  }

  @Override
  public boolean skipped(int type, int length) {
    if (type == MessageType.SEND.code()) {
      refuse(ErrorCode.TEXT_TOO_LONG);
    }
    return mayRead();
  }

  @Override
  public boolean frame(int type, ByteBuf buffer, int at, int length) throws ProtocolException {
    if (state == State.STRANGER) {
      strangerSays(type, buffer, at, length);
    } else if (type == MessageType.SEND.code()) {
      send(buffer, at, length);
    } else if (type == MessageType.HELLO.code()) {
      answer(error(ErrorCode.UNEXPECTED, 0, "you have joined already"));
    } else {
      memberSays(MessageCodec.decodeClient(type, buffer, at, length));
    }
    return mayRead();
  }

  private void strangerSays(int type, ByteBuf buffer, int at, int length) throws ProtocolException {
    if (type == MessageType.HELLO.code()) {
      try {
        hello((ClientMessage.Hello) MessageCodec.decodeClient(type, buffer, at, length));
      } catch (ProtocolException e) {
        if (!e.code().keepsConnection()) {
          throw e;
        }
        answer(error(e.code(), 0, String.valueOf(e.getMessage())));
      }
    } else if (type == MessageType.CLIENT_PING.code()) {
      memberSays(MessageCodec.decodeClient(type, buffer, at, length));
    } else {
      answer(error(ErrorCode.JOIN_FIRST, 0, "join first"));
    }
  }

  private void hello(ClientMessage.@Nullable Hello hello) throws ProtocolException {
    if (hello == null) {
      throw notChat();
    }
    MemberName name = MemberName.of(hello.name());
    state = State.JOINING;
    onRoom(() -> server.room().join(name, hello.history(), hello.resume(), this));
  }

  private void memberSays(@Nullable ClientMessage message) {
    if (message instanceof ClientMessage.Ping ping) {
      answer(new ServerMessage.Pong(ping.opaque()));
    } else if (message instanceof ClientMessage.Who) {
      answeringWho = true;
      onRoom(() -> server.room().who(this, null));
    } else if (message instanceof ClientMessage.Leave) {
      state = State.LEAVING;
      flushBatch();
      Member leaving = member;
      if (leaving != null) {
        onRoom(() -> server.room().leave(leaving, this));
      }
    }
  }

  private void send(ByteBuf buffer, int at, int length) {
    ErrorCode refused = Text.check(buffer, at, length, server.config().maxText());
    if (refused != null) {
      refuse(refused);
      return;
    }
    sendNo++;
    Member speaker = member;
    if (speaker != null && server.roomLoop() == loop) {
      server.room().send(speaker, this, sendNo, buffer, at, length);
    } else {
      batch().add(new Sent(sendNo, buffer.retain(), at, length));
    }
  }

  private void refuse(ErrorCode code) {
    sendNo++;
    answer(error(code, sendNo, refusal(code)));
    Member speaker = member;
    if (speaker != null && server.roomLoop() == loop) {
      server.room().refusedSend(speaker, this, sendNo);
    } else {
      batch().add(new Sent(sendNo, null, 0, 0));
    }
  }

  private String refusal(ErrorCode code) {
    return switch (code) {
      case TEXT_EMPTY -> "a text must not be blank";
      case TEXT_TOO_LONG -> "a text has at most " + server.config().maxText() + " bytes";
      default -> "a text is UTF-8 without control characters";
    };
  }

  private List<Sent> batch() {
    if (batch == null) {
      batch = new ArrayList<>();
    }
    return batch;
  }

  /** Hands what one read brought to the room in one task. */
  private void flushBatch() {
    List<Sent> sent = batch;
    Member speaker = member;
    if (sent == null || speaker == null) {
      return;
    }
    batch = null;
    onRoom(
        () -> {
          for (Sent one : sent) {
            ByteBuf text = one.text();
            if (text == null) {
              server.room().refusedSend(speaker, this, one.sendNo());
            } else {
              server.room().send(speaker, this, one.sendNo(), text, one.index(), one.length());
              text.release();
            }
          }
        });
  }

  // ---- what the room answers

  @Override
  public void welcomed(Member joined, Cursor cursor, ServerMessage.Welcome welcome) {
    onLoop(
        () -> {
          if (state != State.JOINING) {
            onRoom(() -> server.room().lose(joined, this, LeftWhy.LOST));
            return;
          }
          state = State.JOINED;
          member = joined;
          sendNo = welcome.received();
          outbound.answer(welcome);
          outbound.follow(cursor);
          answered();
        });
  }

  @Override
  public void refused(ErrorCode code, String text) {
    onLoop(
        () -> {
          if (state != State.JOINING) {
            return;
          }
          state = State.STRANGER;
          if (code.keepsConnection()) {
            outbound.answer(error(code, 0, text));
            answered();
          } else {
            end(code, text, LeftWhy.LOST);
          }
        });
  }

  @Override
  public void left(long endByte) {
    onLoop(
        () -> {
          if (state == State.LEAVING) {
            outbound.end(bye(ErrorCode.LEFT, 0, "bye"), endByte);
            ending();
          }
        });
  }

  @Override
  public void dismissed(ErrorCode code, String text) {
    onLoop(
        () -> {
          member = null;
          end(code, text, LeftWhy.REPLACED);
        });
  }

  @Override
  public void roster(ServerMessage.Roster part, RosterPlace after) {
    onLoop(
        () -> {
          outbound.answer(part);
          rosterPlace = part.more() ? after : null;
          answeringWho = part.more();
          answered();
        });
  }

  /** An answer of the room is written now, or at the end of the decoding that asked for it. */
  private void answered() {
    if (!decoding) {
      outbound.flush();
      resume();
    }
  }

  // ---- output and endings

  private void answer(ServerMessage message) {
    outbound.answer(message);
  }

  /** Nothing waits to be written any more; what waited for that goes on, after this turn. */
  void outputDrained() {
    RosterPlace place = rosterPlace;
    if (place != null) {
      rosterPlace = null;
      onRoomLater(() -> server.room().who(this, place));
    } else if (paused && mayRead()) {
      loop.eventLoop().execute(this::resume);
    }
  }

  /** The last frame is written. */
  void outputEnded() {
    loop.eventLoop().execute(this::halfClose);
  }

  /** The socket cannot be written. */
  void broken() {
    loop.eventLoop().execute(() -> channel.close());
  }

  private void halfClose() {
    outputEnded = true;
    endedNanos = loop.nowNanos();
    if (inputEnded) {
      channel.close();
    } else {
      ((DuplexChannel) channel).shutdownOutput();
    }
  }

  /** Ends the connection with a last frame, of which the peer may be sure if it reads. */
  private void end(ErrorCode code, String text, LeftWhy why) {
    if (state == State.ENDING) {
      return;
    }
    detach(why);
    outbound.end(bye(code, 0, text));
    ending();
  }

  /** Ends it without a last frame: the socket takes none, or the stream stopped inside another. */
  private void slow() {
    if (state != State.ENDING) {
      detach(LeftWhy.SLOW);
      outbound.abandon();
      ending();
      outputEnded();
    }
  }

  private void failed(Throwable cause) {
    LOG.error("a connection failed", cause);
    end(ErrorCode.INTERNAL, "the server failed", LeftWhy.LOST);
  }

  private void ending() {
    state = State.ENDING;
    member = null;
    endedNanos = loop.nowNanos();
    dropInput();
    pause(false);
    outbound.flush();
  }

  private void detach(LeftWhy why) {
    flushBatch();
    Member leaving = member;
    if (leaving != null) {
      member = null;
      onRoom(() -> server.room().lose(leaving, this, why));
    }
  }

  private void dropInput() {
    decoder.close();
    if (unread != null) {
      unread.release();
      unread = null;
    }
  }

  private void onRoom(Runnable task) {
    if (server.roomLoop() == loop) {
      task.run();
    } else {
      onRoomLater(task);
    }
  }

  private void onRoomLater(Runnable task) {
    server.roomLoop().eventLoop().execute(task);
  }

  private void onLoop(Runnable task) {
    if (loop.eventLoop().inEventLoop()) {
      task.run();
    } else {
      loop.eventLoop().execute(task);
    }
  }

  private void requireOpening(int type) throws ProtocolException {
    MessageType known = MessageType.of(type);
    if (known == null || !OPENINGS.contains(known)) {
      throw notChat();
    }
  }

  private static void requireLength(int length, int max) throws ProtocolException {
    if (length > max) {
      throw new ProtocolException(
          ErrorCode.FRAME_TOO_LARGE, "a body of " + length + " bytes: at most " + max);
    }
  }

  private static ProtocolException notChat() {
    return new ProtocolException(ErrorCode.NOT_CHAT, "this is a chat server");
  }

  private static ServerMessage.Refused error(ErrorCode code, int sendNo, String text) {
    return new ServerMessage.Refused(code.number(), sendNo, text);
  }

  private static ServerMessage.Bye bye(ErrorCode code, int retryAfter, String text) {
    return new ServerMessage.Bye(code.number(), retryAfter, text);
  }
}
