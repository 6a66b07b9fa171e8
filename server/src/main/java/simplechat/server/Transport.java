package simplechat.server;

import io.netty.channel.IoHandlerFactory;
import io.netty.channel.ServerChannel;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.kqueue.KQueue;
import io.netty.channel.kqueue.KQueueIoHandler;
import io.netty.channel.kqueue.KQueueServerSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.SocketProtocolFamily;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.uring.IoUring;
import io.netty.channel.uring.IoUringIoHandler;
import io.netty.channel.uring.IoUringServerSocketChannel;
import io.netty.util.NetUtil;
import java.nio.channels.spi.SelectorProvider;
import java.util.List;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A kind of socket that the server can stand on.
 *
 * @param name as in the option and in the log
 * @param obstacle why it cannot be used on this machine, null if it seems that it can
 * @param ioHandlers makes what the event loops wait with
 * @param listener makes the socket for a host that is to be bound
 */
record Transport(
    String name,
    Supplier<@Nullable Throwable> obstacle,
    Supplier<IoHandlerFactory> ioHandlers,
    Function<String, ServerChannel> listener) {

  static final Transport EPOLL =
      new Transport(
          "epoll",
          Epoll::unavailabilityCause,
          EpollIoHandler::newFactory,
          host ->
              isIpv4(host)
                  ? new EpollServerSocketChannel(SocketProtocolFamily.INET)
                  : new EpollServerSocketChannel());

  static final Transport KQUEUE =
      new Transport(
          "kqueue",
          KQueue::unavailabilityCause,
          KQueueIoHandler::newFactory,
          host -> {
            requireNotIpv4Alone(host);
            return new KQueueServerSocketChannel();
          });

  static final Transport IO_URING =
      new Transport(
          "io_uring",
          IoUring::unavailabilityCause,
          IoUringIoHandler::newFactory,
          host -> {
            requireNotIpv4Alone(host);
            return new IoUringServerSocketChannel();
          });

  static final Transport NIO =
      new Transport(
          "nio",
          () -> null,
          NioIoHandler::newFactory,
          host ->
              isIpv4(host)
                  ? new NioServerSocketChannel(
                      SelectorProvider.provider(), SocketProtocolFamily.INET)
                  : new NioServerSocketChannel());

  /** In the order in which they are tried, the fastest first (decision 0012). */
  private static final List<Transport> ALL = List.of(EPOLL, KQUEUE, IO_URING, NIO);

  /** What to try: the wanted one first, and behind it those that are left. */
  static List<Transport> candidates(TransportChoice choice) {
    return Stream.concat(
            ALL.stream().filter(choice::means), ALL.stream().filter(one -> !choice.means(one)))
        .toList();
  }

  /** How long a loop must have had nothing to do before it ends, so that all is closed. */
  int closingMillis() {
    return name.equals("io_uring") ? 20 : 0;
  }

  private static boolean isIpv4(String host) {
    return NetUtil.isValidIpV4Address(host);
  }

  /** The wildcard of IPv4 would let IPv6 in as well, which nobody asked for. */
  private static void requireNotIpv4Alone(String host) {
    if (host.equals("0.0.0.0")) {
      throw new UnsupportedOperationException("it cannot listen by IPv4 alone");
    }
  }
}
