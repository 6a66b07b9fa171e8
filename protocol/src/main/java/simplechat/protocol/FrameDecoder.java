package simplechat.protocol;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import org.jspecify.annotations.Nullable;

/**
 * Cuts the bytes of one connection into frames.
 *
 * <p>A frame that lies whole in one read is handed out where it lies; only a frame that is cut by
 * the end of a read is copied, into a buffer that grows with the bytes that came, never with the
 * length that was announced. Between frames nothing is held.
 *
 * <p>Threading: confined to the connection's event loop. Endings: after an exception, or {@link
 * #close}, it must not be used again.
 */
public final class FrameDecoder {
  private static final int PARTIAL_INITIAL_BYTES = 256;

  private final ByteBufAllocator allocator;
  private @Nullable ByteBuf partial;
  private int skippedType;
  private int skippedLength;
  private int skipBytes;

  /** What becomes of the frames; all methods are called within {@link #decode}. */
  public interface Sink {
    /**
     * A frame begins whose header is whole.
     *
     * @param length of the body, in bytes
     * @return false to drop the body as it comes and be told by {@link #skipped}
     * @throws ProtocolException if such a frame may not come now; before anything is held for it
     */
    boolean header(int type, int length) throws ProtocolException;

    /**
     * A frame has begun and is not whole; called again whenever more of it came.
     *
     * @param type the type byte
     * @param available how many bytes of the body lie at {@code index}, 0 also if even the header
     *     is not whole
     */
    default void incomplete(int type, ByteBuf buffer, int index, int available)
        throws ProtocolException {}

    /**
     * A whole frame. The buffer is the decoder's: its indices must not be changed, and it must be
     * retained to outlive the call.
     *
     * @return false to stop after this frame
     */
    boolean frame(int type, ByteBuf buffer, int index, int length) throws ProtocolException;

    /**
     * The end of a frame that {@link #header} declined.
     *
     * @return false to stop after this frame
     */
    default boolean skipped(int type, int length) throws ProtocolException {
      return true;
    }
  }

  public FrameDecoder(ByteBufAllocator allocator) {
    this.allocator = allocator;
  }

  /**
   * Hands out all frames that are whole, and keeps the beginning of one that is not.
   *
   * @param in read from its reader index on; left as it is behind a frame at which the sink
   *     stopped, otherwise read to its end
   * @throws ProtocolException as the sink throws it; of the bytes behind it none has an effect
   */
  public void decode(ByteBuf in, Sink sink) throws ProtocolException {
    while (in.isReadable()) {
      boolean goOn;
      if (skipBytes > 0) {
        goOn = skip(in, sink);
      } else if (partial != null) {
        goOn = complete(in, sink, partial);
      } else {
        goOn = decodeInPlace(in, sink);
      }
      if (!goOn) {
        return;
      }
    }
  }

  /** Bytes held for a frame that is not whole. */
  public int heldBytes() {
    return partial == null ? 0 : partial.capacity();
  }

  /** Lets go of what is held. */
  public void close() {
    if (partial != null) {
      partial.release();
      partial = null;
    }
  }

  private boolean decodeInPlace(ByteBuf in, Sink sink) throws ProtocolException {
    int start = in.readerIndex();
    int available = in.readableBytes();
    if (available >= Limits.HEADER_BYTES) {
      int type = in.getUnsignedByte(start);
      int length = in.getUnsignedMedium(start + 1);
      int index = start + Limits.HEADER_BYTES;
      if (!sink.header(type, length)) {
        in.readerIndex(index);
        return beginSkip(type, length, in, sink);
      }
      if (available - Limits.HEADER_BYTES >= length) {
        in.readerIndex(index + length);
        return sink.frame(type, in, index, length);
      }
    }
    hold(in, available);
    announce(sink);
    return true;
  }

  private boolean complete(ByteBuf in, Sink sink, ByteBuf held) throws ProtocolException {
    if (held.readableBytes() < Limits.HEADER_BYTES) {
      held.writeBytes(in, Math.min(in.readableBytes(), Limits.HEADER_BYTES - held.readableBytes()));
      if (held.readableBytes() < Limits.HEADER_BYTES) {
        announce(sink);
        return true;
      }
      int type = held.getUnsignedByte(held.readerIndex());
      int length = held.getUnsignedMedium(held.readerIndex() + 1);
      if (!sink.header(type, length)) {
        close();
        return beginSkip(type, length, in, sink);
      }
    }
    int start = held.readerIndex();
    int length = held.getUnsignedMedium(start + 1);
    int missing = Limits.HEADER_BYTES + length - held.readableBytes();
    held.writeBytes(in, Math.min(missing, in.readableBytes()));
    if (held.readableBytes() < Limits.HEADER_BYTES + length) {
      announce(sink);
      return true;
    }
    partial = null;
    try {
      return sink.frame(held.getUnsignedByte(start), held, start + Limits.HEADER_BYTES, length);
    } finally {
      held.release();
    }
  }

  private void hold(ByteBuf in, int available) {
    partial = allocator.buffer(Math.max(PARTIAL_INITIAL_BYTES, available));
    partial.writeBytes(in, available);
  }

  private void announce(Sink sink) throws ProtocolException {
    ByteBuf held = partial;
    if (held != null) {
      int start = held.readerIndex();
      int available = Math.max(0, held.readableBytes() - Limits.HEADER_BYTES);
      sink.incomplete(held.getUnsignedByte(start), held, start + Limits.HEADER_BYTES, available);
    }
  }

  private boolean beginSkip(int type, int length, ByteBuf in, Sink sink) throws ProtocolException {
    skippedType = type;
    skippedLength = length;
    skipBytes = length;
    return length == 0 ? sink.skipped(type, 0) : skip(in, sink);
  }

  private boolean skip(ByteBuf in, Sink sink) throws ProtocolException {
    int count = Math.min(skipBytes, in.readableBytes());
    in.skipBytes(count);
    skipBytes -= count;
    return skipBytes > 0 || sink.skipped(skippedType, skippedLength);
  }
}
