package simplechat.protocol;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** The codec's messages of both directions under one roof, in the terms of the document. */
final class Wire {
  private Wire() {}

  static byte[] encode(Object message) {
    ByteBuf out = Unpooled.buffer();
    if (message instanceof ClientMessage client) {
      MessageCodec.encode(client, out);
    } else {
      MessageCodec.encode((ServerMessage) message, out);
    }
    return ByteBufUtil.getBytes(out);
  }

  /** The message of one whole frame, null if it is to be skipped. */
  static Object decode(boolean fromServer, byte[] frame) throws ProtocolException {
    return decode(fromServer, Unpooled.wrappedBuffer(frame), 0, frame.length);
  }

  static Object decode(boolean fromServer, ByteBuf buffer, int index, int length)
      throws ProtocolException {
    int type = buffer.getUnsignedByte(index);
    int body = index + Limits.HEADER_BYTES;
    return fromServer
        ? MessageCodec.decodeServer(type, buffer, body, length - Limits.HEADER_BYTES)
        : MessageCodec.decodeClient(type, buffer, body, length - Limits.HEADER_BYTES);
  }

  static MessageType type(Object message) {
    return message instanceof ClientMessage client
        ? client.type()
        : ((ServerMessage) message).type();
  }

  /** Field values as {@link DocCodec} has them. */
  static Map<String, Object> fields(Object message) {
    Map<String, Object> fields = new LinkedHashMap<>();
    if (message instanceof ClientMessage client) {
      clientFields(client, fields);
    } else if (message instanceof ServerMessage.Event event) {
      eventFields(event, fields);
    } else {
      serverFields((ServerMessage) message, fields);
    }
    return fields;
  }

  private static void clientFields(ClientMessage message, Map<String, Object> fields) {
    if (message instanceof ClientMessage.Hello hello) {
      fields.put("verMin", (long) hello.versionMin());
      fields.put("verMax", (long) hello.versionMax());
      fields.put("flags", (hello.resume() == null ? 0L : 1L) | (hello.key() == null ? 0L : 2L));
      fields.put("history", (long) hello.history());
      fields.put("name", hello.name());
      if (hello.key() != null) {
        fields.put("key", "0x" + HexFormat.of().formatHex(hello.key().bytes()));
      }
      if (hello.resume() != null) {
        fields.put("token", "0x" + hello.resume().token().hex());
        fields.put("epoch", hello.resume().epoch());
        fields.put("next", hello.resume().next());
      }
    } else if (message instanceof ClientMessage.Send send) {
      fields.put("text", send.text());
    } else if (message instanceof ClientMessage.Ping ping) {
      fields.put("opaque", u32(ping.opaque()));
    } else if (message instanceof ClientMessage.Pong pong) {
      fields.put("opaque", u32(pong.opaque()));
    }
  }

  private static void serverFields(ServerMessage message, Map<String, Object> fields) {
    if (message instanceof ServerMessage.Welcome welcome) {
      fields.put("version", (long) welcome.version());
      fields.put("flags", welcome.resumed() ? 1L : 0L);
      fields.put("epoch", welcome.epoch());
      fields.put("token", "0x" + welcome.token().hex());
      fields.put("next", welcome.next());
      fields.put("head", welcome.head());
      fields.put("received", u32(welcome.received()));
      fields.put("members", u32(welcome.members()));
      fields.put("maxText", u32(welcome.maxText()));
      fields.put("heartbeat", (long) welcome.heartbeat());
      fields.put("name", welcome.name());
      fields.put("greeting", welcome.greeting());
    } else if (message instanceof ServerMessage.Refused refused) {
      fields.put("code", (long) refused.code());
      fields.put("sendNo", u32(refused.sendNo()));
      fields.put("text", refused.text());
    } else if (message instanceof ServerMessage.Bye bye) {
      fields.put("code", (long) bye.code());
      fields.put("retryAfter", (long) bye.retryAfter());
      fields.put("text", bye.text());
    } else if (message instanceof ServerMessage.Ping ping) {
      fields.put("opaque", u32(ping.opaque()));
    } else if (message instanceof ServerMessage.Pong pong) {
      fields.put("opaque", u32(pong.opaque()));
    } else if (message instanceof ServerMessage.Roster roster) {
      fields.put("more", roster.more() ? 1L : 0L);
      fields.put("names", roster.names());
    } else if (message instanceof ServerMessage.Ack ack) {
      fields.put("seq", u32(ack.seq()));
      fields.put("sendNo", u32(ack.sendNo()));
    } else if (message instanceof ServerMessage.Gap gap) {
      fields.put("next", gap.next());
      fields.put("missed", u32(gap.missed()));
    } else {
      throw new AssertionError("no fields known for " + message.type());
    }
  }

  private static void eventFields(ServerMessage.Event event, Map<String, Object> fields) {
    fields.put("seq", u32(event.seq()));
    fields.put("time", u32(event.time()));
    if (event instanceof ServerMessage.Msg msg) {
      fields.put("name", msg.name());
      fields.put("text", msg.text());
    } else if (event instanceof ServerMessage.Joined joined) {
      fields.put("members", u32(joined.members()));
      fields.put("how", (long) joined.how().number());
      fields.put("name", joined.name());
    } else if (event instanceof ServerMessage.Left left) {
      fields.put("members", u32(left.members()));
      fields.put("why", (long) left.why().number());
      fields.put("name", left.name());
    }
  }

  private static long u32(int bits) {
    return Integer.toUnsignedLong(bits);
  }

  /** A message of the type with random fields; the switch makes a new type a compile error. */
  static Object random(MessageType type, Random random) {
    return switch (type) {
      case HELLO -> randomHello(random);
      case SEND -> new ClientMessage.Send(text(random, 300));
      case LEAVE -> new ClientMessage.Leave();
      case CLIENT_PING -> new ClientMessage.Ping(random.nextInt());
      case CLIENT_PONG -> new ClientMessage.Pong(random.nextInt());
      case WHO -> new ClientMessage.Who();
      case WELCOME ->
          new ServerMessage.Welcome(
              random.nextInt(256),
              random.nextBoolean(),
              random.nextLong(),
              token(random),
              random.nextLong(),
              random.nextLong(),
              random.nextInt(),
              random.nextInt(),
              random.nextInt(),
              random.nextInt(65536),
              name(random),
              text(random, 100));
      case ERROR ->
          new ServerMessage.Refused(random.nextInt(65536), random.nextInt(), text(random, 100));
      case BYE ->
          new ServerMessage.Bye(random.nextInt(65536), random.nextInt(65536), text(random, 100));
      case SERVER_PING -> new ServerMessage.Ping(random.nextInt());
      case SERVER_PONG -> new ServerMessage.Pong(random.nextInt());
      case ROSTER -> {
        List<String> names = new ArrayList<>();
        for (int i = random.nextInt(6); i > 0; i--) {
          names.add(name(random));
        }
        yield new ServerMessage.Roster(random.nextBoolean(), names);
      }
      case ACK -> new ServerMessage.Ack(random.nextInt(), random.nextInt());
      case GAP -> new ServerMessage.Gap(random.nextLong(), random.nextInt());
      case MSG ->
          new ServerMessage.Msg(
              random.nextInt(), random.nextInt(), name(random), text(random, 300));
      case JOINED ->
          new ServerMessage.Joined(
              random.nextInt(),
              random.nextInt(),
              random.nextInt(),
              pick(random, ServerMessage.JoinedHow.values()),
              name(random));
      case LEFT ->
          new ServerMessage.Left(
              random.nextInt(),
              random.nextInt(),
              random.nextInt(),
              pick(random, ServerMessage.LeftWhy.values()),
              name(random));
    };
  }

  private static ClientMessage.Hello randomHello(Random random) {
    byte[] key = new byte[1 + random.nextInt(255)];
    random.nextBytes(key);
    return new ClientMessage.Hello(
        random.nextInt(2),
        1 + random.nextInt(255),
        random.nextInt(65536),
        name(random),
        random.nextBoolean() ? new RoomKey(key) : null,
        random.nextBoolean()
            ? new ClientMessage.Resume(token(random), random.nextLong(), random.nextLong())
            : null);
  }

  private static ResumeToken token(Random random) {
    return new ResumeToken(random.nextLong(), random.nextLong());
  }

  private static <T> T pick(Random random, T[] values) {
    return values[random.nextInt(values.length)];
  }

  /** At most 255 bytes. */
  private static String name(Random random) {
    return text(random, 60);
  }

  /** Any text that has UTF-8, of at most so many code points. */
  static String text(Random random, int maxCodePoints) {
    StringBuilder text = new StringBuilder();
    for (int i = random.nextInt(maxCodePoints + 1); i > 0; i--) {
      int codePoint =
          switch (random.nextInt(4)) {
            case 0, 1 -> random.nextInt(0x80);
            case 2 -> random.nextInt(0x800);
            default -> random.nextInt(Character.MAX_CODE_POINT + 1);
          };
      boolean surrogate = codePoint >= 0xD800 && codePoint <= 0xDFFF;
      text.appendCodePoint(surrogate ? 'x' : codePoint);
    }
    return text.toString();
  }

  static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
