package simplechat.server;

import io.netty.channel.Channel;
import io.netty.channel.FileRegion;
import java.io.IOException;
import java.nio.channels.WritableByteChannel;

/**
 * What waits in Netty's outbound buffer for a full socket: no bytes, but somebody who fetches them
 * when the socket takes some again.
 *
 * <p>Threading: confined to the channel's event loop. Lives as long as its connection, however
 * often Netty lets go of it.
 */
abstract class LateRegion implements FileRegion {
  private boolean queued;

  /** True if the socket is to tell when it takes something. */
  final boolean isQueued() {
    return queued;
  }

  /** Waits for the socket. */
  final void queue(Channel channel) {
    queued = true;
    channel.unsafe().write(this, channel.voidPromise());
    channel.unsafe().flush();
  }

  /** Writes what there is by now; returns true if nothing is left. */
  abstract boolean fetch(WritableByteChannel target) throws IOException;

  /** Called from within Netty's flush, which goes on until this is more than 0. */
  @Override
  public final long transferTo(WritableByteChannel target, long position) throws IOException {
    queued = !fetch(target);
    return transferred();
  }

  @Override
  public final long count() {
    return 1;
  }

  @Override
  public final long transferred() {
    return queued ? 0 : 1;
  }

  @Override
  @Deprecated
  @SuppressWarnings("InlineMeSuggester") // Netty's own misspelling, which must be implemented
  public final long transfered() {
    return transferred();
  }

  @Override
  public final long position() {
    return 0;
  }

  @Override
  public final int refCnt() {
    return 1;
  }

  @Override
  public final FileRegion retain() {
    return this;
  }

  @Override
  public final FileRegion retain(int increment) {
    return this;
  }

  @Override
  public final FileRegion touch() {
    return this;
  }

  @Override
  public final FileRegion touch(Object hint) {
    return this;
  }

  @Override
  public final boolean release() {
    return false;
  }

  @Override
  public final boolean release(int decrement) {
    return false;
  }
}
