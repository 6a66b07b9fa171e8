package simplechat.server;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.DefaultChannelPromise;
import io.netty.channel.uring.IoUringSocketChannel;
import org.jspecify.annotations.Nullable;
import simplechat.room.Pieces;

/**
 * What a transport is given that completes its writes later: copies, one at a time.
 *
 * <p>Copies, because what waits in the kernel for a member that does not read would keep the log's
 * segments alive. And as io_uring's sockets block, nothing can be written to them past it.
 *
 * <p>Threading: confined to the channel's event loop. It is the promise of each of its writes in
 * turn, and never done itself.
 */
final class HandOver extends DefaultChannelPromise {
  /** What a member that does not read may cost. */
  private static final int COPY_MAX_BYTES = 16 * 1024;

  private final Runnable onTaken;
  private boolean underWay;

  private HandOver(Channel channel, Runnable onTaken) {
    super(channel);
    this.onTaken = onTaken;
  }

  /** Null for a channel whose sockets can be written to at once. */
  static @Nullable HandOver of(Channel channel, Runnable onTaken) {
    return channel instanceof IoUringSocketChannel ? new HandOver(channel, onTaken) : null;
  }

  /** True until the kernel has taken what was handed over last. */
  boolean isUnderWay() {
    return underWay;
  }

  /** Returns how many bytes of the pieces are on their way now. */
  int write(Pieces pieces, ByteBufAllocator allocator) {
    int bytes = (int) Math.min(pieces.bytes(), COPY_MAX_BYTES);
    ByteBuf copy = allocator.directBuffer(bytes, bytes);
    for (int piece = 0; copy.isWritable(); piece++) {
      int part = Math.min(copy.writableBytes(), pieces.length(piece));
      copy.writeBytes(pieces.buffer(piece), pieces.index(piece), part);
    }
    underWay = true;
    channel().unsafe().write(copy, this);
    channel().unsafe().flush();
    return bytes;
  }

  @Override
  public boolean trySuccess(Void result) {
    underWay = false;
    onTaken.run();
    return true;
  }

  /** The channel closes, and whoever holds this hears of it from there. */
  @Override
  public boolean tryFailure(Throwable cause) {
    return true;
  }

  @Override
  public boolean setUncancellable() {
    return true;
  }
}
