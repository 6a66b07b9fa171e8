package simplechat.client;

import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.AdaptiveRecvByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.ConnectTimeoutException;
import io.netty.channel.EventLoop;
import io.netty.channel.RecvByteBufAllocator;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.ssl.SslHandler;
import io.netty.util.NetUtil;
import io.netty.util.concurrent.Future;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.channels.ClosedChannelException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Finds a way to a host: each of its addresses in turn, until one answers or the time is over. */
final class Connector {
  /**
   * One connection at human speed gains nothing from a pool, and heap buffers die with it; the JDK
   * keeps the one direct buffer through which they go.
   */
  private static final UnpooledByteBufAllocator ALLOCATOR =
      new UnpooledByteBufAllocator(false, true);

  /** One read a turn: a pause holds from the next turn on, and what comes before it is memory. */
  private static final RecvByteBufAllocator ONE_READ =
      new AdaptiveRecvByteBufAllocator().maxMessagesPerRead(1);

  private static final int PORT_MAX = 65_535;

  private final String host;
  private final int port;
  private final ClientOptions options;
  private final EventLoop loop;
  private final Function<SocketChannel, Connection> connections;
  private final Lookup lookup;
  private final CompletableFuture<Connection> result = new CompletableFuture<>();
  private final long deadlineNanos;

  /** What the system knows of a host. */
  interface Lookup {
    InetAddress[] addresses(String host) throws UnknownHostException;
  }

  /** Of the latest attempt; one that has ended by now is in no pipeline any more. */
  private @Nullable Connection made;

  Connector(
      String host,
      int port,
      ClientOptions options,
      EventLoop loop,
      Function<SocketChannel, Connection> connections) {
    this(host, port, options, loop, connections, InetAddress::getAllByName);
  }

  /**
   * @param lookup the addresses of a host; may block
   */
  Connector(
      String host,
      int port,
      ClientOptions options,
      EventLoop loop,
      Function<SocketChannel, Connection> connections,
      Lookup lookup) {
    this.host = host;
    this.port = port;
    this.loop = loop;
    this.connections = connections;
    this.lookup = lookup;
    this.options = options;
    this.deadlineNanos = System.nanoTime() + options.connectTimeout().toNanos();
  }

  CompletableFuture<Connection> connect() {
    byte[] literal = NetUtil.createByteArrayFromIpAddressString(host);
    if (port < 0 || port > PORT_MAX) {
      fail(new IllegalArgumentException("port out of range: " + port));
    } else if (literal != null && host.indexOf('%') < 0 && options.trust() == null) {
      tryNext(List.of(address(literal)), 0);
    } else {
      prepare();
    }
    return result;
  }

  /**
   * What blocks, as the system's look-up does, gets a thread of its own, which ends with it.
   * Neither has a limit that we could set, so they are left to themselves when the time is over.
   */
  private void prepare() {
    Future<?> limit =
        loop.schedule(
            () -> fail(new ConnectTimeoutException("still looking")),
            Math.max(1, leftMillis()),
            TimeUnit.MILLISECONDS);
    Thread thread =
        new Thread(
            () -> {
              try {
                if (options.trust() != null) {
                  options.trust().prepare();
                }
                List<InetAddress> addresses = List.of(lookup.addresses(host));
                if (limit.cancel(false)) {
                  tryNext(addresses, 0);
                }
              } catch (IOException | RuntimeException e) {
                limit.cancel(false);
                fail(e);
              }
            },
            "chat-lookup");
    thread.setDaemon(true);
    thread.start();
  }

  private void tryNext(List<InetAddress> addresses, int index) {
    int leftAddresses = addresses.size() - index;
    int timeoutMillis =
        (int) Math.max(1, Math.min(Integer.MAX_VALUE, leftMillis() / leftAddresses));
    ChannelFuture attempt =
        bootstrap(timeoutMillis).connect(new InetSocketAddress(addresses.get(index), port));
    attempt.addListener(
        done -> {
          if (done.isSuccess()) {
            connected(attempt.channel());
          } else if (leftAddresses > 1) {
            tryNext(addresses, index + 1);
          } else {
            fail(done.cause());
          }
        });
  }

  private void connected(Channel channel) {
    if (options.trust() == null) {
      result.complete(made);
    } else {
      shake(channel);
    }
  }

  /** Of a server that is not the right one no other address is tried. */
  private void shake(Channel channel) {
    SslHandler ssl = channel.pipeline().get(SslHandler.class);
    if (ssl == null) {
      fail(new ClosedChannelException());
      return;
    }
    ssl.handshakeFuture()
        .addListener(
            done -> {
              try {
                if (!done.isSuccess()) {
                  throw done.cause();
                }
                Trust.checkTime(ssl, options.wallClock().instant());
                result.complete(made);
              } catch (Throwable e) {
                channel.close();
                fail(e);
              }
            });
  }

  private Bootstrap bootstrap(int timeoutMillis) {
    return new Bootstrap()
        .group(loop)
        .channel(NioSocketChannel.class)
        .disableResolver()
        .option(ChannelOption.ALLOCATOR, ALLOCATOR)
        .option(ChannelOption.RECVBUF_ALLOCATOR, ONE_READ)
        .option(ChannelOption.TCP_NODELAY, true)
        .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, timeoutMillis)
        .handler(
            new ChannelInitializer<Channel>() {
              @Override
              protected void initChannel(Channel channel) {
                Connection connection = connections.apply((SocketChannel) channel);
                made = connection;
                if (options.trust() != null) {
                  long left = Math.max(1, leftMillis());
                  channel
                      .pipeline()
                      .addLast(options.trust().handler(channel.alloc(), host, port, left));
                }
                channel.pipeline().addLast(connection);
              }
            });
  }

  private long leftMillis() {
    return TimeUnit.NANOSECONDS.toMillis(deadlineNanos - System.nanoTime());
  }

  private void fail(Throwable cause) {
    result.completeExceptionally(new CannotConnectException(host, port, cause));
  }

  private static InetAddress address(byte[] literal) {
    try {
      return InetAddress.getByAddress(literal);
    } catch (UnknownHostException e) {
      throw new AssertionError(e);
    }
  }
}
