package simplechat.server;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.DefaultChannelPromise;
import simplechat.room.Pieces;

/**
 * What a line is given that reads what is written later: copies, one at a time.
 *
 * <p>Copies, because what waits in the kernel for a member that does not read would keep the log's
 * segments alive. And as io_uring's sockets block, nothing can be written to them past it; nor is
 * what goes through TLS what is in the log.
 *
 * <p>Threading: confined to the channel's event loop. It is the promise of each of its writes in
 * turn, and never done itself.
 */
final class HandOver extends DefaultChannelPromise {
  /** What a member that does not read may cost. */
  private static final int COPY_MAX_BYTES = 16 * 1024;

  private final Runnable onTaken;
  private final Line line;
  private boolean underWay;
  private boolean writing;

  /**
   * @param onTaken not called for what is taken at once
   */
  HandOver(Line line, Runnable onTaken) {
    super(line.channel());
    this.line = line;
    this.onTaken = onTaken;
  }

  /** True until the kernel has taken what was handed over last. */
  boolean isUnderWay() {
    return underWay;
  }

  /** Returns how many bytes of the pieces are on their way now, or there already. */
  int write(Pieces pieces, ByteBufAllocator allocator) {
    int bytes = (int) Math.min(pieces.bytes(), COPY_MAX_BYTES);
    ByteBuf copy = allocator.directBuffer(bytes, bytes);
    for (int piece = 0; copy.isWritable(); piece++) {
      int part = Math.min(copy.writableBytes(), pieces.length(piece));
      copy.writeBytes(pieces.buffer(piece), pieces.index(piece), part);
    }
    underWay = true;
    writing = true;
    line.write(copy, this);
    writing = false;
    return bytes;
  }

  @Override
  public boolean trySuccess(Void result) {
    underWay = false;
    if (!writing) {
      onTaken.run();
    }
    return true;
  }

  /** The channel closes, or TLS has ended although the channel has not. */
  @Override
  public boolean tryFailure(Throwable cause) {
    line.failed();
    return true;
  }

  @Override
  public boolean setUncancellable() {
    return true;
  }
}
