package simplechat.server;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.kqueue.KQueueSocketChannel;
import io.netty.channel.unix.IovArray;
import io.netty.channel.unix.Socket;
import java.io.IOException;
import java.nio.channels.WritableByteChannel;
import org.jspecify.annotations.Nullable;
import simplechat.room.Pieces;

/** Puts pieces into sockets. Confined to one event loop. */
final class SocketWriter {
  /** The peer has reset the connection; as Linux numbers the states. */
  private static final int TCP_CLOSE = 7;

  /** The peer has ended its side of the stream. */
  private static final int TCP_CLOSE_WAIT = 8;

  /** Made when it is needed: it is native, and where only NIO works there is nothing native. */
  private @Nullable IovArray vector;

  /** What can be written to past Netty's outbound buffer, null if nothing can. */
  static @Nullable Socket socket(Channel channel) {
    if (channel instanceof EpollSocketChannel epoll) {
      return (Socket) epoll.fd();
    }
    return channel instanceof KQueueSocketChannel kqueue ? (Socket) kqueue.fd() : null;
  }

  /**
   * True if epoll may not know of the socket any more. Netty (4.2.18) takes one out that waits for
   * nothing, as a socket does that is not read and whose peer has ended its side, and then fails to
   * put it back. It must be registered anew.
   */
  static boolean isForgotten(Channel channel) {
    return tcpState(channel) == TCP_CLOSE_WAIT;
  }

  /** True if the peer has reset the connection, of which epoll may not speak (again) either. */
  static boolean isReset(Channel channel) {
    return tcpState(channel) == TCP_CLOSE;
  }

  private static int tcpState(Channel channel) {
    return channel instanceof EpollSocketChannel epoll && epoll.isOpen()
        ? epoll.tcpInfo().state()
        : 0;
  }

  /**
   * One system call for all pieces: {@code send} where there is but one, which is the rule, and
   * cheaper for the kernel than a vector of one.
   *
   * @return how many bytes the socket took; less than there are if it is full
   */
  long write(Socket socket, Pieces pieces) throws IOException {
    ByteBuf first = pieces.buffer(0);
    if (pieces.count() == 1 && first.hasMemoryAddress()) {
      int from = pieces.index(0);
      return socket.sendAddress(first.memoryAddress(), from, from + pieces.length(0));
    }
    IovArray vector = vector();
    vector.clear();
    for (int piece = 0; piece < pieces.count(); piece++) {
      vector.add(pieces.buffer(piece), pieces.index(piece), pieces.length(piece));
    }
    return socket.writevAddresses(vector.memoryAddress(0), vector.count());
  }

  /** The same within Netty's flush, piece by piece. */
  long write(WritableByteChannel target, Pieces pieces) throws IOException {
    long taken = 0;
    for (int piece = 0; piece < pieces.count(); piece++) {
      int length = pieces.length(piece);
      int wrote = target.write(pieces.buffer(piece).nioBuffer(pieces.index(piece), length));
      taken += wrote;
      if (wrote < length) {
        break;
      }
    }
    return taken;
  }

  private IovArray vector() {
    if (vector == null) {
      vector = new IovArray(Pieces.MAX);
    }
    return vector;
  }

  void free() {
    if (vector != null) {
      vector.release();
    }
  }
}
