package simplechat.bench;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.io.IOException;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;
import org.jspecify.annotations.Nullable;
import simplechat.protocol.ClientMessage;
import simplechat.protocol.FrameDecoder;
import simplechat.protocol.MessageCodec;
import simplechat.protocol.MessageType;
import simplechat.protocol.ProtocolException;
import simplechat.protocol.ServerMessage;

/** One member of the crowd. Threading: the crowd's. */
final class BenchMember implements FrameDecoder.Sink {
  /** Behind position, time and the name's length (PROTOCOL.md, section "MSG"). */
  private static final int MSG_NAME_INDEX = 9;

  private final Crowd crowd;
  private final String name;
  private final SocketChannel channel;
  private final SelectionKey key;
  private final FrameDecoder decoder;
  private final ByteBuf out;

  BenchMember(
      Crowd crowd,
      String name,
      SocketChannel channel,
      SelectionKey key,
      ByteBufAllocator allocator) {
    this.crowd = crowd;
    this.name = name;
    this.channel = channel;
    this.key = key;
    this.decoder = new FrameDecoder(allocator);
    this.out = allocator.directBuffer(64);
  }

  /** Joins; what comes back is told to the crowd. */
  void connected() throws IOException {
    channel.finishConnect();
    put(new ClientMessage.Hello(name, 0));
    key.interestOps(SelectionKey.OP_READ);
    flush();
  }

  /** Adds a SEND, which goes out with the next {@link #flush}. */
  void say(ByteBuf text, long dueNanos, int sender) {
    int bytes = text.readableBytes();
    out.writeInt(MessageType.SEND.code() << 24 | bytes);
    int index = out.writerIndex();
    out.writeBytes(text, text.readerIndex(), bytes);
    Stamp.set(out, index, dueNanos, sender);
  }

  /** Writes what the socket takes; the rest goes when it takes more. */
  void flush() throws IOException {
    if (out.isReadable()) {
      out.readBytes(channel, out.readableBytes());
      boolean rest = out.isReadable();
      if (rest) {
        out.discardSomeReadBytes();
      } else {
        out.clear();
      }
      key.interestOps(SelectionKey.OP_READ | (rest ? SelectionKey.OP_WRITE : 0));
    }
  }

  /** Reads once, into a buffer that all members share. */
  void read(ByteBuf in) throws IOException, ProtocolException {
    in.clear();
    if (in.writeBytes(channel, in.capacity()) < 0) {
      throw new IOException("the server closed the connection");
    }
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
      crowd.delivered(buffer, textIndex, index + length - textIndex);
    } else {
      hear(MessageCodec.decodeServer(type, buffer, index, length));
    }
    return true;
  }

  private void hear(@Nullable ServerMessage message) throws ProtocolException {
    if (message instanceof ServerMessage.Welcome) {
      crowd.joined();
    } else if (message instanceof ServerMessage.Ping ping) {
      put(new ClientMessage.Pong(ping.opaque()));
      crowd.answers(this);
    } else if (message instanceof ServerMessage.Refused refused) {
      crowd.refused(refused.code());
    } else if (message instanceof ServerMessage.Bye bye) {
      crowd.refused(bye.code());
    }
  }

  private void put(ClientMessage message) {
    MessageCodec.encode(message, out);
  }

  void close() {
    try {
      channel.close();
    } catch (IOException e) {
      // It is gone either way.
    }
    decoder.close();
    out.release();
  }
}
