package simplechat.bench;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import org.jspecify.annotations.Nullable;
import simplechat.protocol.ClientMessage;
import simplechat.protocol.FrameDecoder;
import simplechat.protocol.MessageCodec;
import simplechat.protocol.MessageType;
import simplechat.protocol.ProtocolException;
import simplechat.protocol.ServerMessage;

/** A member of our own room. */
final class ChatVoice implements Voice, FrameDecoder.Sink {
  /** Behind position, time and the name's length (PROTOCOL.md, section "MSG"). */
  private static final int MSG_NAME_INDEX = 9;

  private final BenchMember member;
  private final FrameDecoder decoder;

  ChatVoice(BenchMember member, ByteBufAllocator allocator) {
    this.member = member;
    this.decoder = new FrameDecoder(allocator);
  }

  @Override
  public void join(ByteBuf out) {
    MessageCodec.encode(new ClientMessage.Hello(member.name(), 0), out);
  }

  @Override
  public int say(ByteBuf text, ByteBuf out) {
    int bytes = text.readableBytes();
    out.writeInt(MessageType.SEND.code() << 24 | bytes);
    int index = out.writerIndex();
    out.writeBytes(text, text.readerIndex(), bytes);
    return index;
  }

  @Override
  public void read(ByteBuf in) throws ProtocolException {
    decoder.decode(in, this);
  }

  @Override
  public boolean header(int type, int length) {
    return type == MessageType.MSG.code()
        || type == MessageType.WELCOME.code()
        || type == MessageType.ERROR.code()
        || type == MessageType.BYE.code()
        || type == MessageType.SERVER_PING.code();
  }

  @Override
  public boolean frame(int type, ByteBuf buffer, int index, int length) throws ProtocolException {
    if (type == MessageType.MSG.code()) {
      int textIndex = index + MSG_NAME_INDEX + buffer.getUnsignedByte(index + MSG_NAME_INDEX - 1);
      member.heard(buffer, textIndex, index + length - textIndex);
    } else {
      hear(MessageCodec.decodeServer(type, buffer, index, length));
    }
    return true;
  }

  private void hear(@Nullable ServerMessage message) {
    if (message instanceof ServerMessage.Welcome) {
      member.joined();
    } else if (message instanceof ServerMessage.Ping ping) {
      member.answer(out -> MessageCodec.encode(new ClientMessage.Pong(ping.opaque()), out));
    } else if (message instanceof ServerMessage.Refused refused) {
      member.refused(refused.code());
    } else if (message instanceof ServerMessage.Bye bye) {
      member.refused(bye.code());
    }
  }

  @Override
  public void close() {
    decoder.close();
  }
}
