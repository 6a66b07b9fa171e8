package simplechat.bench;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import simplechat.protocol.ErrorCode;
import simplechat.protocol.ProtocolException;

/** A member of an MQTT 3.1.1 broker: one topic, quality of service 0, no keep-alive. */
final class MqttVoice implements Voice {
  private static final int CONNECT = 0x10;
  private static final int CONNACK = 0x20;
  private static final int PUBLISH = 0x30;
  private static final int SUBSCRIBE = 0x82;
  private static final int SUBACK = 0x90;
  private static final String TOPIC = "c";
  private static final int TOPIC_BYTES = 3;

  private final BenchMember member;
  private final ByteBuf rest;

  MqttVoice(BenchMember member, ByteBufAllocator allocator) {
    this.member = member;
    this.rest = allocator.directBuffer(64);
  }

  @Override
  public void join(ByteBuf out) {
    String name = member.name();
    header(out, CONNECT, 12 + name.length());
    string(out, "MQTT");
    out.writeByte(4).writeByte(2).writeShort(0);
    string(out, name);
    header(out, SUBSCRIBE, 2 + TOPIC_BYTES + 1);
    out.writeShort(1);
    string(out, TOPIC);
    out.writeByte(0);
  }

  @Override
  public int say(ByteBuf text, ByteBuf out) {
    header(out, PUBLISH, TOPIC_BYTES + text.readableBytes());
    string(out, TOPIC);
    int index = out.writerIndex();
    out.writeBytes(text, text.readerIndex(), text.readableBytes());
    return index;
  }

  @Override
  public void read(ByteBuf in) throws ProtocolException {
    // What is missing of a packet that was begun is little, and is moved behind its begin.
    while (rest.isReadable() && in.isReadable()) {
      rest.writeByte(in.readByte());
      if (packet(rest)) {
        rest.clear();
      }
    }
    while (packet(in)) {}
    rest.writeBytes(in);
  }

  /** Reads one packet if it is whole, otherwise nothing. */
  private boolean packet(ByteBuf in) throws ProtocolException {
    int begin = in.readerIndex();
    int at = begin + 1;
    int length = 0;
    int shift = 0;
    int digit = 0x80;
    while ((digit & 0x80) != 0) {
      if (at >= in.writerIndex()) {
        return false;
      }
      digit = in.getUnsignedByte(at++);
      length |= (digit & 0x7F) << shift;
      shift += 7;
    }
    if (at + length > in.writerIndex()) {
      return false;
    }
    int type = in.getUnsignedByte(begin) & 0xF0;
    if (type == PUBLISH) {
      member.heard(in, at + TOPIC_BYTES, length - TOPIC_BYTES);
    } else if (type == SUBACK) {
      member.joined();
    } else if (type == CONNACK && in.getByte(at + 1) != 0) {
      throw new ProtocolException(ErrorCode.MALFORMED, "the broker refuses to be connected to");
    }
    in.readerIndex(at + length);
    return true;
  }

  private static void header(ByteBuf out, int type, int length) {
    out.writeByte(type);
    int left = length;
    while (left > 0x7F) {
      out.writeByte((left & 0x7F) | 0x80);
      left >>>= 7;
    }
    out.writeByte(left);
  }

  private static void string(ByteBuf out, String string) {
    out.writeShort(string.length()).writeCharSequence(string, US_ASCII);
  }

  @Override
  public void close() {
    rest.release();
  }
}
