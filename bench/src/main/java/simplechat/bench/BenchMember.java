package simplechat.bench;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.io.IOException;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;
import java.util.function.Consumer;
import simplechat.protocol.ProtocolException;

/** One member of the crowd. Threading: the crowd's. */
final class BenchMember {
  private final Crowd crowd;
  private final String name;
  private final SocketChannel channel;
  private final SelectionKey key;
  private final Voice voice;
  private final ByteBuf out;

  BenchMember(
      Crowd crowd,
      String name,
      SocketChannel channel,
      SelectionKey key,
      ByteBufAllocator allocator,
      Workload workload) {
    this.crowd = crowd;
    this.name = name;
    this.channel = channel;
    this.key = key;
    this.voice = workload.protocol().voice(this, allocator, workload.textBytes());
    this.out = allocator.directBuffer(64);
  }

  String name() {
    return name;
  }

  /** Joins; what comes back is told to the crowd. */
  void connected() throws IOException {
    channel.finishConnect();
    voice.join(out);
    key.interestOps(SelectionKey.OP_READ);
    flush();
  }

  /** Adds a message, which goes out with the next {@link #flush}. */
  void say(ByteBuf text, long dueNanos, int sender) {
    Stamp.set(out, voice.say(text, out), dueNanos, sender);
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
    voice.read(in);
  }

  /** It is in the room. */
  void joined() {
    crowd.joined();
  }

  /** A text came. */
  void heard(ByteBuf buffer, int index, int bytes) {
    crowd.delivered(buffer, index, bytes);
  }

  /** Adds something that the server wants to hear, and that is no message. */
  void answer(Consumer<ByteBuf> answer) {
    answer.accept(out);
    crowd.answers(this);
  }

  void refused(int code) {
    crowd.refused(code);
  }

  void refused(String words) {
    crowd.refused(words);
  }

  void close() {
    try {
      channel.close();
    } catch (IOException e) {
      // It is gone either way.
    }
    voice.close();
    out.release();
  }
}
