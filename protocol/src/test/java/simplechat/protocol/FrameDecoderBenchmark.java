package simplechat.protocol;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** What the wire costs for a message of 64 bytes, apart from moving it: framing, and the check. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class FrameDecoderBenchmark implements FrameDecoder.Sink {
  private static final int FRAMES = 100;

  private final UnpooledByteBufAllocator allocator = new UnpooledByteBufAllocator(true, true);
  private final FrameDecoder decoder = new FrameDecoder(allocator);
  private final ByteBuf read = allocator.directBuffer();
  private int good;

  @Setup
  public void fill() {
    for (int i = 0; i < FRAMES; i++) {
      MessageCodec.encode(new ClientMessage.Send("x".repeat(64)), read);
    }
  }

  @TearDown
  public void free() {
    decoder.close();
    read.release();
  }

  /** As a server takes what a member sends. */
  @Benchmark
  @OperationsPerInvocation(FRAMES)
  public int decode() throws ProtocolException {
    decoder.decode(read.readerIndex(0), this);
    return good;
  }

  @Override
  public boolean header(int type, int length) {
    return true;
  }

  @Override
  public boolean frame(int type, ByteBuf buffer, int index, int length) {
    if (Text.check(buffer, index, length, Limits.TEXT_DEFAULT_MAX_BYTES) == null) {
      good++;
    }
    return true;
  }
}
