package simplechat.bench;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.io.IOException;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import simplechat.protocol.ProtocolException;

/** One member of the crowd. Threading: the crowd's. */
final class BenchMember {
  private final Crowd crowd;
  private final String name;
  private final SocketChannel channel;
  private final @Nullable TlsPipe tls;
  private final SelectionKey key;
  private final Voice voice;
  private final ByteBuf out;

  BenchMember(
      Crowd crowd,
      String name,
      SocketChannel channel,
      @Nullable TlsPipe tls,
      SelectionKey key,
      ByteBufAllocator allocator,
      Workload workload) {
    this.crowd = crowd;
    this.name = name;
    this.channel = channel;
    this.tls = tls;
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
    if (tls != null) {
      tls.begin();
    }
    flush();
  }

  /** Adds a message, which goes out with the next {@link #flush}. */
  void say(ByteBuf text, long dueNanos, int sender) {
    Stamp.set(out, voice.say(text, out), dueNanos, sender);
  }

  /** Writes what the socket takes; the rest goes when it takes more. */
  void flush() throws IOException {
    boolean rest = tls != null && !tls.send();
    if (out.isReadable() && !rest && (tls == null || tls.isReady())) {
      if (tls == null) {
        out.readBytes(channel, out.readableBytes());
      } else {
        out.readBytes(tls, out.readableBytes());
        rest = tls.hasUnsent();
      }
      rest |= out.isReadable();
      if (out.isReadable()) {
        out.discardSomeReadBytes();
      } else {
        out.clear();
      }
    }
    int ops = SelectionKey.OP_READ | (rest ? SelectionKey.OP_WRITE : 0);
    if (key.interestOps() != ops) {
      key.interestOps(ops);
    }
  }

  /** Reads once, into a buffer that all members share. */
  void read(ByteBuf in) throws IOException, ProtocolException {
    in.clear();
    int count =
        tls == null ? in.writeBytes(channel, in.capacity()) : in.writeBytes(tls, in.capacity());
    if (count < 0) {
      throw new IOException("the server closed the connection");
    }
    if (tls != null && out.isReadable()) {
      // It waited for the handshake, perhaps.
      flush();
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
