package simplechat.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class FrameDecoderTest {
  private static final int SKIPPED = 0x41;
  private static final int STOPPING = 0x03;
  private static final int FORBIDDEN = 0x07;

  private final UnpooledByteBufAllocator allocator = new UnpooledByteBufAllocator(false);
  private final FrameDecoder decoder = new FrameDecoder(allocator);

  /** Writes down what it is told; skips, stops at and refuses frames by their type. */
  private static final class Recorder implements FrameDecoder.Sink {
    private final List<String> calls = new ArrayList<>();
    private int incompleteType = -1;
    private int incompleteAvailable = -1;

    @Override
    public boolean header(int type, int length) throws ProtocolException {
      calls.add("header " + type + " " + length);
      if (type == FORBIDDEN) {
        throw new ProtocolException(ErrorCode.FRAME_TOO_LARGE, "");
      }
      return type != SKIPPED;
    }

    @Override
    public void incomplete(int type, ByteBuf buffer, int index, int available) {
      incompleteType = type;
      incompleteAvailable = available;
      assertThat(available == 0 ? 0 : buffer.writerIndex() - index).isEqualTo(available);
    }

    @Override
    public boolean frame(int type, ByteBuf buffer, int index, int length) {
      calls.add("frame " + type + " " + ByteBufUtil.hexDump(buffer, index, length));
      return type != STOPPING;
    }

    @Override
    public boolean skipped(int type, int length) {
      calls.add("skipped " + type + " " + length);
      return length % 2 == 0;
    }
  }

  @AfterEach
  void nothingIsHeldAfterClose() {
    decoder.close();
    assertThat(decoder.heldBytes()).isZero();
    assertThat(allocator.metric().usedHeapMemory()).isZero();
    assertThat(allocator.metric().usedDirectMemory()).isZero();
  }

  private static byte[] frame(int type, byte[] body) {
    byte[] frame = new byte[4 + body.length];
    frame[0] = (byte) type;
    frame[1] = (byte) (body.length >> 16);
    frame[2] = (byte) (body.length >> 8);
    frame[3] = (byte) body.length;
    System.arraycopy(body, 0, frame, 4, body.length);
    return frame;
  }

  private static byte[] randomStream(Random random, int frames, int maxBody) {
    ByteArrayOutputStream stream = new ByteArrayOutputStream();
    int[] types = {0x01, 0x02, STOPPING, SKIPPED, 0xA1};
    for (int i = 0; i < frames; i++) {
      byte[] body = new byte[random.nextInt(4) == 0 ? 0 : random.nextInt(maxBody)];
      random.nextBytes(body);
      stream.writeBytes(frame(types[random.nextInt(types.length)], body));
    }
    return stream.toByteArray();
  }

  /** The calls for a stream that comes in pieces which end at these places. */
  private List<String> calls(byte[] stream, int... cuts) throws ProtocolException {
    Recorder recorder = new Recorder();
    int from = 0;
    for (int i = 0; i <= cuts.length; i++) {
      int to = i == cuts.length ? stream.length : cuts[i];
      ByteBuf piece = Unpooled.wrappedBuffer(stream, from, to - from);
      while (piece.isReadable()) {
        decoder.decode(piece, recorder);
      }
      from = to;
    }
    assertThat(decoder.heldBytes()).as("held between frames").isZero();
    return recorder.calls;
  }

  @Test
  void aStreamMeansTheSameInEverySplit() throws Exception {
    Seed.run(
        random -> {
          for (int run = 0; run < 20; run++) {
            byte[] stream = randomStream(random, 12, 60);
            List<String> whole = calls(stream);
            assertThat(whole).hasSize(24);
            for (int cut = 0; cut <= stream.length; cut++) {
              assertThat(calls(stream, cut)).isEqualTo(whole);
            }
          }
        });
  }

  @Test
  void aStreamMeansTheSameByteByByte() throws Exception {
    Seed.run(
        random -> {
          for (int run = 0; run < 200; run++) {
            byte[] stream = randomStream(random, 8, 700);
            int[] cuts = new int[stream.length];
            for (int i = 0; i < cuts.length; i++) {
              cuts[i] = i;
            }
            assertThat(calls(stream, cuts)).isEqualTo(calls(stream));
          }
        });
  }

  @Test
  void aStreamMeansTheSameInRandomSplits() throws Exception {
    Seed.run(
        random -> {
          for (int run = 0; run < 5_000; run++) {
            byte[] stream = randomStream(random, 1 + random.nextInt(8), 700);
            int[] cuts = random.ints(random.nextInt(20), 0, stream.length).sorted().toArray();
            assertThat(calls(stream, cuts)).isEqualTo(calls(stream));
          }
        });
  }

  @Test
  void aThousandFramesInOneSegmentAllCome() throws Exception {
    byte[] stream = randomStream(new Random(1), 1_000, 20);
    assertThat(calls(stream)).hasSize(2_000);
  }

  @Test
  void aFrameIsRefusedAtItsHeader() throws Exception {
    byte[] header = {FORBIDDEN, (byte) 0xFF, (byte) 0xFF, (byte) 0xFF};
    for (int cut = 0; cut < header.length; cut++) {
      FrameDecoder fresh = new FrameDecoder(allocator);
      Recorder recorder = new Recorder();
      fresh.decode(Unpooled.wrappedBuffer(header, 0, cut), recorder);
      assertThat(recorder.calls).isEmpty();
      ByteBuf rest = Unpooled.wrappedBuffer(header, cut, header.length - cut);
      assertThatThrownBy(() -> fresh.decode(rest, recorder)).isInstanceOf(ProtocolException.class);
      assertThat(recorder.calls).containsExactly("header 7 16777215");
      fresh.close();
    }
  }

  @Test
  void nothingBehindAnErrorHasAnEffect() throws Exception {
    byte[] bad = frame(FORBIDDEN, new byte[10]);
    byte[] good = frame(0x02, new byte[] {1});
    ByteArrayOutputStream stream = new ByteArrayOutputStream();
    stream.writeBytes(good);
    stream.writeBytes(bad);
    stream.writeBytes(good);
    Recorder recorder = new Recorder();
    ByteBuf in = Unpooled.wrappedBuffer(stream.toByteArray());
    assertThatThrownBy(() -> decoder.decode(in, recorder)).isInstanceOf(ProtocolException.class);
    assertThat(recorder.calls).containsExactly("header 2 1", "frame 2 01", "header 7 10");
  }

  @Test
  void anExceptionOfTheSinkLeaksNothing() {
    byte[] frame = frame(0x02, new byte[100]);
    FrameDecoder.Sink angry =
        new FrameDecoder.Sink() {
          @Override
          public boolean header(int type, int length) {
            return true;
          }

          @Override
          public boolean frame(int type, ByteBuf buffer, int index, int length)
              throws ProtocolException {
            throw new ProtocolException(ErrorCode.MALFORMED, "");
          }
        };
    assertThatThrownBy(
            () -> {
              decoder.decode(Unpooled.wrappedBuffer(frame, 0, 50), angry);
              decoder.decode(Unpooled.wrappedBuffer(frame, 50, 54), angry);
            })
        .isInstanceOf(ProtocolException.class);
    assertThat(decoder.heldBytes()).isZero();
  }

  @Test
  void anAnnouncedLengthReservesNothing() throws Exception {
    byte[] header = {0x02, (byte) 0xFF, (byte) 0xFF, (byte) 0xFF};
    for (int cut = 1; cut <= header.length; cut++) {
      FrameDecoder fresh = new FrameDecoder(allocator);
      Recorder recorder = new Recorder();
      fresh.decode(Unpooled.wrappedBuffer(header, 0, cut), recorder);
      fresh.decode(Unpooled.wrappedBuffer(header, cut, header.length - cut), recorder);
      assertThat(recorder.calls).containsExactly("header 2 16777215");
      assertThat(fresh.heldBytes()).isLessThanOrEqualTo(1024);
      assertThat(allocator.metric().usedHeapMemory()).isLessThanOrEqualTo(1024);
      fresh.close();
    }
  }

  @Test
  void whatIsHeldFollowsTheBytesThatCame() throws Exception {
    Recorder recorder = new Recorder();
    decoder.decode(Unpooled.wrappedBuffer(new byte[] {0x02, 0x10, 0, 0}), recorder);
    int came = 4;
    for (int i = 0; i < 1_000; i++) {
      decoder.decode(Unpooled.wrappedBuffer(new byte[997]), recorder);
      came += 997;
      assertThat(decoder.heldBytes()).isBetween(came, Math.max(1024, 2 * came));
      assertThat(allocator.metric().usedHeapMemory()).isEqualTo(decoder.heldBytes());
    }
  }

  @Test
  void aSkippedFrameIsNotHeld() throws Exception {
    Recorder recorder = new Recorder();
    decoder.decode(Unpooled.wrappedBuffer(new byte[] {SKIPPED, 0x10}), recorder);
    decoder.decode(Unpooled.wrappedBuffer(new byte[] {0, 0}), recorder);
    for (int left = 1 << 20; left > 0; left -= 1024) {
      assertThat(recorder.calls).containsExactly("header 65 1048576");
      decoder.decode(Unpooled.wrappedBuffer(new byte[1024]), recorder);
      assertThat(decoder.heldBytes()).isZero();
      assertThat(allocator.metric().usedHeapMemory()).isZero();
    }
    decoder.decode(Unpooled.wrappedBuffer(frame(0x02, new byte[] {9})), recorder);
    assertThat(recorder.calls)
        .containsExactly("header 65 1048576", "skipped 65 1048576", "header 2 1", "frame 2 09");
  }

  @Test
  void aStopLeavesTheBytesBehindTheFrameUnread() throws Exception {
    byte[] first = frame(STOPPING, new byte[5]);
    byte[] second = frame(0x02, new byte[] {1, 2});
    byte[] stream = new byte[first.length + second.length];
    System.arraycopy(first, 0, stream, 0, first.length);
    System.arraycopy(second, 0, stream, first.length, second.length);
    for (int cut = 0; cut < first.length; cut++) {
      Recorder recorder = new Recorder();
      decoder.decode(Unpooled.wrappedBuffer(stream, 0, cut), recorder);
      ByteBuf rest = Unpooled.wrappedBuffer(stream, cut, stream.length - cut);
      decoder.decode(rest, recorder);
      assertThat(recorder.calls).containsExactly("header 3 5", "frame 3 0000000000");
      assertThat(rest.readableBytes()).isEqualTo(second.length);
      decoder.decode(rest, recorder);
      assertThat(recorder.calls).endsWith("header 2 2", "frame 2 0102").hasSize(4);
      assertThat(rest.isReadable()).isFalse();
    }
  }

  @Test
  void aFrameThatIsNotWholeIsTold() throws Exception {
    byte[] frame = frame(0x01, new byte[20]);
    for (int length = 1; length < frame.length; length++) {
      FrameDecoder fresh = new FrameDecoder(allocator);
      Recorder recorder = new Recorder();
      for (int i = 0; i < length; i++) {
        fresh.decode(Unpooled.wrappedBuffer(frame, i, 1), recorder);
        assertThat(recorder.incompleteType).isEqualTo(1);
        assertThat(recorder.incompleteAvailable).isEqualTo(Math.max(0, i + 1 - 4));
      }
      Recorder atOnce = new Recorder();
      FrameDecoder another = new FrameDecoder(allocator);
      another.decode(Unpooled.wrappedBuffer(frame, 0, length), atOnce);
      assertThat(atOnce.incompleteAvailable).isEqualTo(recorder.incompleteAvailable);
      fresh.close();
      another.close();
    }
  }

  @Test
  void aRetainedFrameOutlivesItsCall() throws Exception {
    byte[] frame = frame(0x02, new byte[] {1, 2, 3});
    List<ByteBuf> kept = new ArrayList<>();
    FrameDecoder.Sink keeper =
        new FrameDecoder.Sink() {
          @Override
          public boolean header(int type, int length) {
            return true;
          }

          @Override
          public boolean frame(int type, ByteBuf buffer, int index, int length) {
            kept.add(buffer.retainedSlice(index, length));
            return true;
          }
        };
    decoder.decode(Unpooled.wrappedBuffer(frame, 0, 5), keeper);
    decoder.decode(Unpooled.wrappedBuffer(frame, 5, 2), keeper);
    assertThat(ByteBufUtil.hexDump(kept.get(0))).isEqualTo("010203");
    assertThat(kept.get(0).release()).isTrue();
  }

  @Test
  void nothingIsHeldBetweenFrames() throws Exception {
    calls(frame(0x02, new byte[2_000]), 1, 4, 1_000);
    assertThat(allocator.metric().usedHeapMemory()).isZero();
  }
}
