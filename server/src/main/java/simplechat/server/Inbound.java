package simplechat.server;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import java.nio.charset.StandardCharsets;
import java.util.EnumSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import simplechat.protocol.ClientMessage;
import simplechat.protocol.ErrorCode;
import simplechat.protocol.FrameDecoder;
import simplechat.protocol.Limits;
import simplechat.protocol.MessageCodec;
import simplechat.protocol.MessageType;
import simplechat.protocol.ProtocolException;
import simplechat.protocol.Text;

/**
 * What comes from a connection: cut into frames, judged by the state the connection is in
 * (PROTOCOL.md, section "Life of a connection"), and handed on.
 *
 * <p>When a frame has to wait for the room, or there is no room for an answer, decoding stops
 * behind it and the socket is not read until {@link #resume}.
 *
 * <p>Threading: confined to the connection's loop. Bounds: what one read brought beyond a frame
 * that must wait, and one frame that is not whole.
 */
final class Inbound implements FrameDecoder.Sink {
  /** With anything else no client of ours begins. */
  private static final Set<MessageType> OPENINGS =
      EnumSet.of(
          MessageType.HELLO,
          MessageType.SEND,
          MessageType.LEAVE,
          MessageType.WHO,
          MessageType.CLIENT_PING);

  /** What members say; {@code simplechat.log} keeps it silent unless it is asked for. */
  private static final Logger SAID = LoggerFactory.getLogger("simplechat.said");

  /** More of a text is not for a line. */
  private static final int SAID_MAX_BYTES = 1024;

  private final Connection connection;
  private final RoomLink room;
  private final ConnectionLoop loop;
  private final Line line;
  private final Channel channel;
  private final FrameDecoder decoder;
  private final int maxText;
  private final KeyGuard keyGuard;
  private final InputLimit limit;
  private @Nullable ByteBuf unread;
  private int heldBytes;
  private long heldSinceNanos;
  private boolean advanced;
  private boolean decoding;
  private boolean paused;
  private boolean ended;
  private boolean closed;

  Inbound(Connection connection, ChatServer server, RoomLink room, ConnectionLoop loop, Line line) {
    this.connection = connection;
    this.room = room;
    this.loop = loop;
    this.line = line;
    this.channel = line.channel();
    this.maxText = server.config().maxText();
    this.keyGuard = server.keyGuard();
    this.limit = server.inputLimit();
    this.decoder = new FrameDecoder(loop.allocator());
  }

  /** True while frames are being handed out: what they cause is written when they are done. */
  boolean isDecoding() {
    return decoding;
  }

  /** Memory for what came and could not be handed on. */
  int heldBytes() {
    return heldBytes;
  }

  /** Since when it lies there, as {@link ConnectionLoop#realNanos} tells. */
  long heldSinceNanos() {
    return heldSinceNanos;
  }

  /** True if the server chooses not to read. */
  boolean isPaused() {
    return paused;
  }

  /** True if the socket is not asked for more: the server chose so, or there is none. */
  boolean isUnread() {
    return paused || ended;
  }

  /** True if the peer has ended its side and everything before that had its effect. */
  boolean isDone() {
    return ended && unread == null;
  }

  /** Takes what a read brought. */
  void read(ByteBuf in) {
    loop.counters().received(in.readableBytes());
    ByteBuf before = unread;
    if (before == null) {
      decode(in, false);
    } else {
      unread = null;
      // A buffer that grows takes its memory from under a text on its way to the room's loop.
      ByteBuf own = before.refCnt() > 1 ? copyOf(before) : before;
      own.writeBytes(in);
      in.release();
      decode(own, true);
    }
  }

  /** The peer has ended its side. */
  void end() {
    ended = true;
  }

  /** Goes on where decoding stopped, if it may. */
  void resume() {
    ByteBuf in = unread;
    if (connection.listens()) {
      unread = null;
      if (in == null) {
        pause(false);
      } else {
        decode(in, true);
      }
    }
  }

  /** Throws away what came and what is to come, which is read so that the end of it is noticed. */
  void close() {
    closed = true;
    decoder.close();
    if (unread != null) {
      unread.release();
      unread = null;
    }
    hold();
    pause(false);
  }

  /**
   * @param own false for the buffer of a read
   */
  private void decode(ByteBuf in, boolean own) {
    decoding = true;
    try {
      if (connection.listens()) {
        decoder.decode(in, this);
      }
    } catch (ProtocolException e) {
      connection.violated(e);
    } catch (RuntimeException | OutOfMemoryError e) {
      connection.failed(e);
    } finally {
      decoding = false;
    }
    room.flush();
    if (connection.isDeaf() || !in.isReadable()) {
      in.release();
    } else {
      unread = own ? in : copyOf(in);
    }
    hold();
    pause(!connection.listens() && !connection.isDeaf());
  }

  /** Counts what is held now. */
  void hold() {
    int now = closed ? 0 : decoder.heldBytes() + line.heldBytes();
    now += unread == null ? 0 : unread.capacity();
    if (now > 0 && (heldBytes == 0 || advanced)) {
      heldSinceNanos = loop.realNanos();
    }
    advanced = false;
    if (now != heldBytes) {
      int more = now - heldBytes;
      heldBytes = now;
      limit.changed(more);
    }
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

  private void pause(boolean pause) {
    if (paused != pause) {
      paused = pause;
      if (!pause && SocketWriter.isReset(channel)) {
        connection.broken();
      } else if (!pause && SocketWriter.isForgotten(channel)) {
        line.remember(() -> channel.config().setAutoRead(!paused));
      } else {
        channel.config().setAutoRead(!pause);
      }
    }
  }

  @Override
  public boolean header(int type, int length) throws ProtocolException {
    if (connection.isStranger()) {
      requireOpening(type);
      requireLength(length, Limits.SMALL_BODY_MAX_BYTES);
      return true;
    }
    MessageType known = MessageType.of(type);
    if (known == null || known.fromServer()) {
      requireIgnorable(type);
      requireLength(length, maxText + Limits.OVERLONG_TEXT_BYTES);
      return false;
    }
    if (known == MessageType.SEND) {
      requireLength(length, maxText + Limits.OVERLONG_TEXT_BYTES);
      return length <= maxText;
    }
    requireLength(length, Limits.SMALL_BODY_MAX_BYTES);
    return true;
  }

  /** Whoever does not speak our protocol is found out by the first byte that shows it. */
  @Override
  public void incomplete(int type, ByteBuf buffer, int index, int available)
      throws ProtocolException {
    if (!connection.isStranger()) {
      return;
    }
    requireOpening(type);
    if (type == MessageType.HELLO.code()) {
      requireMagic(buffer, index, available);
    }
  }

  @Override
  public boolean skipped(int type, int length) {
    advanced = true;
    if (type == MessageType.SEND.code()) {
      refuse(ErrorCode.TEXT_TOO_LONG);
    } else {
      connection.hear(null);
    }
    return connection.listens();
  }

  @Override
  public boolean frame(int type, ByteBuf buffer, int index, int length) throws ProtocolException {
    advanced = true;
    boolean stranger = connection.isStranger();
    if (type == MessageType.SEND.code() && !stranger) {
      send(buffer, index, length);
    } else if (type == MessageType.HELLO.code() && !stranger) {
      connection.refuse(ErrorCode.UNEXPECTED, 0, "you have joined already");
    } else if (type == MessageType.HELLO.code()) {
      hello(buffer, index, length);
    } else if (stranger && type != MessageType.CLIENT_PING.code()) {
      connection.refuse(ErrorCode.JOIN_FIRST, 0, "join first");
    } else {
      connection.hear(MessageCodec.decodeClient(type, buffer, index, length));
    }
    return connection.listens();
  }

  private void hello(ByteBuf buffer, int index, int length) throws ProtocolException {
    requireMagic(buffer, index, length);
    try {
      if (MessageCodec.decodeClient(MessageType.HELLO.code(), buffer, index, length)
          instanceof ClientMessage.Hello hello) {
        switch (keyGuard.judge(Address.of(channel), hello.key())) {
          case RIGHT -> connection.hello(hello);
          case WRONG -> connection.refuse(ErrorCode.KEY_WRONG, 0, KeyGuard.wrong(hello.key()));
          case BARRED -> connection.turnAway(Door.Refusal.BARRED);
        }
      }
    } catch (ProtocolException e) {
      if (!e.code().keepsConnection()) {
        throw e;
      }
      connection.refuse(e.code(), 0, String.valueOf(e.getMessage()));
    }
  }

  private void send(ByteBuf buffer, int index, int length) {
    ErrorCode refused = Text.check(buffer, index, length, maxText);
    if (refused == null && room.isBusy()) {
      refused = ErrorCode.BUSY;
    }
    if (refused != null) {
      refuse(refused);
    } else {
      if (SAID.isTraceEnabled()) {
        int shown = Math.min(length, SAID_MAX_BYTES);
        SAID.atTrace()
            .setMessage("said")
            .addKeyValue("address", ConnectionLoop.address(channel))
            .addKeyValue("name", room.speaker())
            .addKeyValue("bytes", length)
            .addKeyValue("text", buffer.toString(index, shown, StandardCharsets.UTF_8))
            .log();
      }
      connection.say(buffer, index, length);
    }
  }

  private void refuse(ErrorCode code) {
    int sendNo = connection.nextSendNo();
    connection.refuse(code, sendNo, refusal(code));
    room.refusedSend(sendNo);
  }

  private String refusal(ErrorCode code) {
    return switch (code) {
      case TEXT_EMPTY -> "a text must not be blank";
      case TEXT_TOO_LONG -> "a text has at most " + maxText + " bytes";
      case BUSY -> "the room is out of reach, and enough waits for it already";
      default -> "a text is UTF-8 without control characters";
    };
  }

  private static void requireOpening(int type) throws ProtocolException {
    MessageType known = MessageType.of(type);
    if (known == null || !OPENINGS.contains(known)) {
      throw notChat();
    }
  }

  /** As much of it as is there, so that the first wrong byte decides however the bytes came. */
  private static void requireMagic(ByteBuf buffer, int index, int available)
      throws ProtocolException {
    for (int i = 0; i < Math.min(available, Integer.BYTES); i++) {
      if (buffer.getByte(index + i) != (byte) (Limits.MAGIC >> (24 - 8 * i))) {
        throw notChat();
      }
    }
  }

  private static void requireIgnorable(int type) throws ProtocolException {
    if ((type & MessageType.IGNORABLE) == 0) {
      throw new ProtocolException(
          ErrorCode.MALFORMED, "a frame of type " + type + " may not come here");
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
}
