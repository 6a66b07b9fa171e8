package simplechat.protocol;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.util.ArrayList;
import java.util.List;

/**
 * Streams that a peer may send, as a server and as a client read them.
 *
 * <p>The normal build replays the corpus in {@code src/test/resources}, which holds every frame of
 * PROTOCOL.md and what fuzzing has found. A real run, for one of the two tests at a time:
 *
 * <pre>
 *   JAZZER_FUZZ=1 mvn -pl protocol test -Dtest='DecoderFuzzTest#client' -Djazzer.max_duration=10m
 * </pre>
 */
class DecoderFuzzTest {
  private static final int LONG_TEXT_BYTES =
      Limits.TEXT_DEFAULT_MAX_BYTES + Limits.OVERLONG_TEXT_BYTES;

  @FuzzTest(maxDuration = "60s")
  void client(byte[] data) {
    sameInEverySplit(false, data);
  }

  @FuzzTest(maxDuration = "60s")
  void server(byte[] data) {
    sameInEverySplit(true, data);
  }

  /** The first byte says in which steps the rest comes. */
  private static void sameInEverySplit(boolean fromServer, byte[] data) {
    if (data.length == 0) {
      return;
    }
    List<String> whole = play(fromServer, data, data.length);
    List<String> split = play(fromServer, data, 1 + (data[0] & 0x1F));
    if (!whole.equals(split)) {
      throw new AssertionError("whole " + whole + ", split " + split);
    }
  }

  private static List<String> play(boolean fromServer, byte[] data, int step) {
    UnpooledByteBufAllocator allocator = new UnpooledByteBufAllocator(false);
    FrameDecoder decoder = new FrameDecoder(allocator);
    Reader reader = new Reader(fromServer);
    int came = 0;
    try {
      for (int from = 1; from < data.length; from += step) {
        int length = Math.min(step, data.length - from);
        came += length;
        decoder.decode(Unpooled.wrappedBuffer(data, from, length), reader);
        if (decoder.heldBytes() > Math.max(1024, 2 * came)) {
          throw new AssertionError(decoder.heldBytes() + " bytes held for " + came);
        }
      }
    } catch (ProtocolException e) {
      reader.told.add(e.code().name());
    } finally {
      decoder.close();
    }
    if (allocator.metric().usedHeapMemory() != 0) {
      throw new AssertionError("not released: " + allocator.metric());
    }
    return reader.told;
  }

  /** Judges headers as a member's server, or a client, does. */
  private static final class Reader implements FrameDecoder.Sink {
    private final boolean fromServer;
    private final List<String> told = new ArrayList<>();

    Reader(boolean fromServer) {
      this.fromServer = fromServer;
    }

    @Override
    public boolean header(int type, int length) throws ProtocolException {
      MessageType known = MessageType.of(type);
      boolean large = fromServer || known == null || known == MessageType.SEND;
      int max = fromServer ? Limits.SERVER_BODY_MAX_BYTES : LONG_TEXT_BYTES;
      if (length > (large ? max : Limits.SMALL_BODY_MAX_BYTES)) {
        throw new ProtocolException(ErrorCode.FRAME_TOO_LARGE, "a body of " + length);
      }
      return known != null || (type & MessageType.IGNORABLE) == 0;
    }

    @Override
    public boolean frame(int type, ByteBuf buffer, int index, int length) throws ProtocolException {
      if (type == MessageType.SEND.code() && !fromServer) {
        told.add("text " + Text.check(buffer, index, length, Limits.TEXT_DEFAULT_MAX_BYTES));
        return true;
      }
      int start = index - Limits.HEADER_BYTES;
      Object message = Wire.decode(fromServer, buffer, start, Limits.HEADER_BYTES + length);
      if (message != null) {
        Object again = Wire.decode(fromServer, Wire.encode(message));
        if (!message.equals(again)) {
          throw new AssertionError(ByteBufUtil.hexDump(buffer, start, 4 + length));
        }
        if (message instanceof ClientMessage.Hello hello) {
          told.add(MemberName.of(hello.name()).folded());
        }
      }
      told.add("" + message);
      return true;
    }

    @Override
    public boolean skipped(int type, int length) {
      told.add("skipped " + type + " " + length);
      return true;
    }
  }
}
