package simplechat.server;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.ServerChannel;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.SocketProtocolFamily;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.unix.IovArray;
import io.netty.channel.unix.Socket;
import io.netty.channel.unix.UnixChannel;
import java.io.IOException;
import java.nio.channels.WritableByteChannel;
import java.nio.channels.spi.SelectorProvider;
import org.jspecify.annotations.Nullable;
import simplechat.room.Pieces;

/** The kinds of socket that the server can stand on. */
enum Transport {
  EPOLL {
    @Override
    ServerChannel listener(boolean ipv4) {
      return ipv4
          ? new EpollServerSocketChannel(SocketProtocolFamily.INET)
          : new EpollServerSocketChannel();
    }

    @Override
    IoHandlerFactory ioHandlers() {
      return EpollIoHandler.newFactory();
    }

    @Override
    Writer writer() {
      return new VectorWriter();
    }
  },

  NIO {
    @Override
    ServerChannel listener(boolean ipv4) {
      return ipv4
          ? new NioServerSocketChannel(SelectorProvider.provider(), SocketProtocolFamily.INET)
          : new NioServerSocketChannel();
    }

    @Override
    IoHandlerFactory ioHandlers() {
      return NioIoHandler.newFactory();
    }

    @Override
    Writer writer() {
      return new ChannelWriter();
    }
  };

  /** The peer has reset the connection; as Linux numbers the states. */
  private static final int TCP_CLOSE = 7;

  /** The peer has ended its side of the stream. */
  private static final int TCP_CLOSE_WAIT = 8;

  /** The native one where there is one. */
  static Transport best() {
    return Epoll.isAvailable() ? EPOLL : NIO;
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
   * @param ipv4 true to listen by IPv4 alone, as {@code 0.0.0.0} asks for; otherwise the wildcard
   *     address stands for IPv6 too
   */
  abstract ServerChannel listener(boolean ipv4);

  abstract IoHandlerFactory ioHandlers();

  /** One for each event loop. */
  abstract Writer writer();

  /** Puts pieces into a socket. Confined to one event loop. */
  interface Writer {
    /**
     * @param target the channel to write to when called from within Netty's flush, otherwise null
     * @return how many bytes the socket took; less than there are if it is full
     */
    long write(Channel channel, Pieces pieces, @Nullable WritableByteChannel target)
        throws IOException;

    /** False if it can only write within a flush. */
    boolean isDirect();

    void free();
  }

  /**
   * One system call for all pieces, past Netty's outbound buffer; {@code send} where there is but
   * one, which is the rule and is cheaper for the kernel than a vector of one.
   */
  private static final class VectorWriter implements Writer {
    private final IovArray vector = new IovArray(Pieces.MAX);

    @Override
    public long write(Channel channel, Pieces pieces, @Nullable WritableByteChannel target)
        throws IOException {
      ByteBuf first = pieces.buffer(0);
      if (pieces.count() == 1 && first.hasMemoryAddress()) {
        int from = pieces.index(0);
        Socket socket = (Socket) ((UnixChannel) channel).fd();
        return socket.sendAddress(first.memoryAddress(), from, from + pieces.length(0));
      }
      vector.clear();
      for (int piece = 0; piece < pieces.count(); piece++) {
        vector.add(pieces.buffer(piece), pieces.index(piece), pieces.length(piece));
      }
      return ((UnixChannel) channel).fd().writevAddresses(vector.memoryAddress(0), vector.count());
    }

    @Override
    public boolean isDirect() {
      return true;
    }

    @Override
    public void free() {
      vector.release();
    }
  }

  private static final class ChannelWriter implements Writer {
    @Override
    public long write(Channel channel, Pieces pieces, @Nullable WritableByteChannel target)
        throws IOException {
      if (target == null) {
        throw new IllegalStateException("not within a flush");
      }
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

    @Override
    public boolean isDirect() {
      return false;
    }

    @Override
    public void free() {}
  }
}
