package simplechat.protocol;

import static simplechat.protocol.ErrorCode.MALFORMED;
import static simplechat.protocol.ErrorCode.NAME_INVALID;
import static simplechat.protocol.ErrorCode.NOT_CHAT;
import static simplechat.protocol.ErrorCode.UNSUPPORTED_VERSION;

import io.netty.buffer.ByteBuf;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Messages to bytes and back: the only code that knows the order of fields (PROTOCOL.md, section
 * "Messages").
 *
 * <p>Pure functions. Decoding reads only within the body it is given, ignores bytes behind the
 * fields that it knows, and throws {@link ProtocolException} for a body that is too short or not
 * valid.
 */
public final class MessageCodec {
  private static final int HELLO_RESUME = 1;
  private static final int HELLO_KEY = 2;
  private static final int WELCOME_RESUMED = 1;

  /** What the 24 bits of the header can say; no peer takes as much. */
  private static final int FRAME_BODY_MAX_BYTES = (1 << 24) - 1;

  private MessageCodec() {}

  /** Appends the whole frame of a message. */
  public static void encode(ClientMessage message, ByteBuf out) {
    int start = begin(out, message.type());
    if (message instanceof ClientMessage.Hello hello) {
      encodeHello(hello, out);
    } else if (message instanceof ClientMessage.Send send) {
      out.writeBytes(utf8(send.text()));
    } else if (message instanceof ClientMessage.Ping ping) {
      out.writeInt(ping.opaque());
    } else if (message instanceof ClientMessage.Pong pong) {
      out.writeInt(pong.opaque());
    }
    end(out, start);
  }

  /** Appends the whole frame of a message. */
  public static void encode(ServerMessage message, ByteBuf out) {
    int start = begin(out, message.type());
    if (message instanceof ServerMessage.Welcome welcome) {
      encodeWelcome(welcome, out);
    } else if (message instanceof ServerMessage.Refused refused) {
      out.writeShort(refused.code()).writeInt(refused.sendNo()).writeBytes(utf8(refused.text()));
    } else if (message instanceof ServerMessage.Bye bye) {
      out.writeShort(bye.code()).writeShort(bye.retryAfter()).writeBytes(utf8(bye.text()));
    } else if (message instanceof ServerMessage.Ping ping) {
      out.writeInt(ping.opaque());
    } else if (message instanceof ServerMessage.Pong pong) {
      out.writeInt(pong.opaque());
    } else if (message instanceof ServerMessage.Roster roster) {
      out.writeByte(roster.more() ? 1 : 0);
      roster.names().forEach(name -> writeStr8(out, name));
    } else if (message instanceof ServerMessage.Ack ack) {
      out.writeInt(ack.seq()).writeInt(ack.sendNo());
    } else if (message instanceof ServerMessage.Gap gap) {
      out.writeLong(gap.next()).writeInt(gap.missed());
    } else if (message instanceof ServerMessage.Msg msg) {
      out.writeInt(msg.seq()).writeInt(msg.time());
      writeStr8(out, msg.name());
      out.writeBytes(utf8(msg.text()));
    } else if (message instanceof ServerMessage.Joined joined) {
      out.writeInt(joined.seq()).writeInt(joined.time()).writeInt(joined.members());
      out.writeByte(joined.how().number()).writeBytes(utf8(joined.name()));
    } else if (message instanceof ServerMessage.Left left) {
      out.writeInt(left.seq()).writeInt(left.time()).writeInt(left.members());
      out.writeByte(left.why().number()).writeBytes(utf8(left.name()));
    }
    end(out, start);
  }

  /** Bytes of a MSG frame, for {@link #writeMsg}. */
  public static int msgBytes(int nameBytes, int textBytes) {
    return Limits.HEADER_BYTES + Integer.BYTES + Integer.BYTES + 1 + nameBytes + textBytes;
  }

  /**
   * Appends a MSG frame without an object in between: the room's path for every message.
   *
   * @param name valid UTF-8, at most 255 bytes
   * @param text where the text lies from {@code index} on; its indices stay as they are
   */
  public static void writeMsg(
      ByteBuf out, int seq, int time, byte[] name, ByteBuf text, int index, int length) {
    int bodyBytes = msgBytes(name.length, length) - Limits.HEADER_BYTES;
    out.writeInt(MessageType.MSG.code() << 24 | bodyBytes).writeInt(seq).writeInt(time);
    out.writeByte(name.length).writeBytes(name).writeBytes(text, index, length);
  }

  /**
   * The message of a frame that came from a client, null for a type to be skipped.
   *
   * @throws ProtocolException MALFORMED for a body or type that may not come; for HELLO also
   *     NOT_CHAT, UNSUPPORTED_VERSION and NAME_INVALID
   */
  public static @Nullable ClientMessage decodeClient(
      int type, ByteBuf buffer, int index, int length) throws ProtocolException {
    MessageType known = MessageType.of(type);
    if (known == null || known.fromServer()) {
      checkIgnorable(type);
      return null;
    }
    Body body = new Body(buffer, index, length);
    return switch (known) {
      case HELLO -> decodeHello(body);
      case SEND -> new ClientMessage.Send(body.rest());
      case LEAVE -> new ClientMessage.Leave();
      case CLIENT_PING -> new ClientMessage.Ping(body.u32());
      case CLIENT_PONG -> new ClientMessage.Pong(body.u32());
      case WHO -> new ClientMessage.Who();
      default -> throw new AssertionError(known);
    };
  }

  /**
   * The message of a frame that came from the server, null for a type to be skipped.
   *
   * @throws ProtocolException MALFORMED for a body or type that may not come
   */
  public static @Nullable ServerMessage decodeServer(
      int type, ByteBuf buffer, int index, int length) throws ProtocolException {
    MessageType known = MessageType.of(type);
    if (known == null || !known.fromServer()) {
      checkIgnorable(type);
      return null;
    }
    Body body = new Body(buffer, index, length);
    return switch (known) {
      case WELCOME -> decodeWelcome(body);
      case ERROR -> new ServerMessage.Refused(body.u16(), body.u32(), body.rest());
      case BYE -> new ServerMessage.Bye(body.u16(), body.u16(), body.rest());
      case SERVER_PING -> new ServerMessage.Ping(body.u32());
      case SERVER_PONG -> new ServerMessage.Pong(body.u32());
      case ROSTER -> decodeRoster(body);
      case ACK -> new ServerMessage.Ack(body.u32(), body.u32());
      case GAP -> new ServerMessage.Gap(body.u64(), body.u32());
      case MSG -> new ServerMessage.Msg(body.u32(), body.u32(), body.str8(MALFORMED), body.rest());
      case JOINED ->
          new ServerMessage.Joined(
              body.u32(),
              body.u32(),
              body.u32(),
              ServerMessage.JoinedHow.of(body.u8()),
              body.rest());
      case LEFT ->
          new ServerMessage.Left(
              body.u32(), body.u32(), body.u32(), ServerMessage.LeftWhy.of(body.u8()), body.rest());
      default -> throw new AssertionError(known);
    };
  }

  private static void encodeHello(ClientMessage.Hello hello, ByteBuf out) {
    RoomKey key = hello.key();
    ClientMessage.Resume resume = hello.resume();
    out.writeInt(Limits.MAGIC).writeByte(hello.versionMin()).writeByte(hello.versionMax());
    out.writeByte((resume == null ? 0 : HELLO_RESUME) | (key == null ? 0 : HELLO_KEY));
    out.writeShort(hello.history());
    writeStr8(out, hello.name());
    if (key != null) {
      out.writeByte(key.bytes().length).writeBytes(key.bytes());
    }
    if (resume != null) {
      writeToken(out, resume.token());
      out.writeLong(resume.epoch()).writeLong(resume.next());
    }
  }

  /** Versions are looked at first: behind them another version may have another layout. */
  private static ClientMessage.Hello decodeHello(Body body) throws ProtocolException {
    if (body.u32() != Limits.MAGIC) {
      throw new ProtocolException(NOT_CHAT, "this is a chat server");
    }
    int versionMin = body.u8();
    int versionMax = body.u8();
    if (versionMin > Limits.VERSION || versionMax < Limits.VERSION) {
      throw new ProtocolException(
          UNSUPPORTED_VERSION, "this server speaks version " + Limits.VERSION);
    }
    int flags = body.u8();
    int history = body.u16();
    int nameIndex = body.skipStr8();
    RoomKey key = (flags & HELLO_KEY) == 0 ? null : body.key();
    ClientMessage.Resume resume = null;
    if ((flags & HELLO_RESUME) != 0) {
      resume = new ClientMessage.Resume(body.token(), body.u64(), body.u64());
    }
    String name = new Body(body.buffer, nameIndex, body.end - nameIndex).str8(NAME_INVALID);
    return new ClientMessage.Hello(versionMin, versionMax, history, name, key, resume);
  }

  private static void encodeWelcome(ServerMessage.Welcome welcome, ByteBuf out) {
    out.writeByte(welcome.version()).writeByte(welcome.resumed() ? WELCOME_RESUMED : 0);
    out.writeLong(welcome.epoch());
    writeToken(out, welcome.token());
    out.writeLong(welcome.next()).writeLong(welcome.head());
    out.writeInt(welcome.received()).writeInt(welcome.members()).writeInt(welcome.maxText());
    out.writeShort(welcome.heartbeat());
    writeStr8(out, welcome.name());
    out.writeBytes(utf8(welcome.greeting()));
  }

  private static ServerMessage.Welcome decodeWelcome(Body body) throws ProtocolException {
    return new ServerMessage.Welcome(
        body.u8(),
        (body.u8() & WELCOME_RESUMED) != 0,
        body.u64(),
        body.token(),
        body.u64(),
        body.u64(),
        body.u32(),
        body.u32(),
        body.u32(),
        body.u16(),
        body.str8(MALFORMED),
        body.rest());
  }

  private static ServerMessage.Roster decodeRoster(Body body) throws ProtocolException {
    boolean more = body.u8() != 0;
    List<String> names = new ArrayList<>();
    while (body.hasMore()) {
      names.add(body.str8(MALFORMED));
    }
    return new ServerMessage.Roster(more, names);
  }

  private static void checkIgnorable(int type) throws ProtocolException {
    if ((type & MessageType.IGNORABLE) == 0) {
      throw new ProtocolException(MALFORMED, "a frame of type " + type + " may not come here");
    }
  }

  private static int begin(ByteBuf out, MessageType type) {
    int start = out.writerIndex();
    out.writeByte(type.code()).writeMedium(0);
    return start;
  }

  private static void end(ByteBuf out, int start) {
    int bodyBytes = out.writerIndex() - start - Limits.HEADER_BYTES;
    if (bodyBytes > FRAME_BODY_MAX_BYTES) {
      throw new IllegalArgumentException(
          "a body has at most " + FRAME_BODY_MAX_BYTES + " bytes, not " + bodyBytes);
    }
    out.setMedium(start + 1, bodyBytes);
  }

  private static void writeToken(ByteBuf out, ResumeToken token) {
    out.writeLong(token.high()).writeLong(token.low());
  }

  private static void writeStr8(ByteBuf out, String text) {
    byte[] bytes = utf8(text);
    if (bytes.length > 255) {
      throw new IllegalArgumentException("a str8 has at most 255 bytes, not " + bytes.length);
    }
    out.writeByte(bytes.length).writeBytes(bytes);
  }

  private static byte[] utf8(String text) {
    byte[] bytes = Text.encode(text);
    if (bytes == null) {
      throw new IllegalArgumentException("a string with a lone surrogate has no UTF-8");
    }
    return bytes;
  }

  /** The unread fields of one body. */
  private static final class Body {
    private final ByteBuf buffer;
    private final int end;
    private int at;

    Body(ByteBuf buffer, int index, int length) {
      this.buffer = buffer;
      this.at = index;
      this.end = index + length;
    }

    boolean hasMore() {
      return at < end;
    }

    int u8() throws ProtocolException {
      return buffer.getUnsignedByte(take(1));
    }

    int u16() throws ProtocolException {
      return buffer.getUnsignedShort(take(2));
    }

    int u32() throws ProtocolException {
      return buffer.getInt(take(4));
    }

    long u64() throws ProtocolException {
      return buffer.getLong(take(8));
    }

    ResumeToken token() throws ProtocolException {
      return new ResumeToken(u64(), u64());
    }

    RoomKey key() throws ProtocolException {
      int length = u8();
      if (length == 0) {
        throw new ProtocolException(MALFORMED, "a key of no bytes");
      }
      byte[] bytes = new byte[length];
      buffer.getBytes(take(length), bytes);
      return new RoomKey(bytes);
    }

    String str8(ErrorCode ifNotUtf8) throws ProtocolException {
      int length = u8();
      return Text.decode(buffer, take(length), length, ifNotUtf8, "a name");
    }

    /** Returns where the string began. */
    int skipStr8() throws ProtocolException {
      int start = at;
      take(u8());
      return start;
    }

    String rest() throws ProtocolException {
      int length = end - at;
      return Text.decode(buffer, take(length), length, MALFORMED, "a text");
    }

    private int take(int count) throws ProtocolException {
      if (count > end - at) {
        throw new ProtocolException(MALFORMED, "a body is too short for its fields");
      }
      int start = at;
      at += count;
      return start;
    }
  }
}
