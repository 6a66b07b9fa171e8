package simplechat.client;

import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.util.NetUtil;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.time.Duration;
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

  private final String host;
  private final int port;
  private final EventLoop loop;
  private final Function<SocketChannel, Connection> connections;
  private final CompletableFuture<Connection> result = new CompletableFuture<>();
  private final long deadlineNanos;

  /** Of the latest attempt; one that has ended by now is in no pipeline any more. */
  private @Nullable Connection made;

  Connector(
      String host,
      int port,
      Duration timeout,
      EventLoop loop,
      Function<SocketChannel, Connection> connections) {
    this.host = host;
    this.port = port;
    this.loop = loop;
    this.connections = connections;
    this.deadlineNanos = System.nanoTime() + timeout.toNanos();
  }

  CompletableFuture<Connection> connect() {
    byte[] literal = NetUtil.createByteArrayFromIpAddressString(host);
    if (literal != null) {
      tryNext(List.of(address(literal)), 0);
    } else {
      resolve();
    }
    return result;
  }

  /** The system's look-up blocks, so it gets a thread of its own, which ends with it. */
  private void resolve() {
    Thread lookup =
        new Thread(
            () -> {
              try {
                tryNext(List.of(InetAddress.getAllByName(host)), 0);
              } catch (UnknownHostException e) {
                fail(e);
              }
            },
            "chat-lookup");
    lookup.setDaemon(true);
    lookup.start();
  }

  private void tryNext(List<InetAddress> addresses, int index) {
    long leftMillis = TimeUnit.NANOSECONDS.toMillis(deadlineNanos - System.nanoTime());
    int leftAddresses = addresses.size() - index;
    int timeoutMillis = (int) Math.max(1, leftMillis / leftAddresses);
    ChannelFuture attempt =
        bootstrap(timeoutMillis).connect(new InetSocketAddress(addresses.get(index), port));
    attempt.addListener(
        done -> {
          if (done.isSuccess()) {
            result.complete(made);
          } else if (leftAddresses > 1) {
            tryNext(addresses, index + 1);
          } else {
            fail(done.cause());
          }
        });
  }

  private Bootstrap bootstrap(int timeoutMillis) {
    return new Bootstrap()
        .group(loop)
        .channel(NioSocketChannel.class)
        .disableResolver()
        .option(ChannelOption.ALLOCATOR, ALLOCATOR)
        .option(ChannelOption.TCP_NODELAY, true)
        .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, timeoutMillis)
        .handler(
            new ChannelInitializer<Channel>() {
              @Override
              protected void initChannel(Channel channel) {
                Connection connection = connections.apply((SocketChannel) channel);
                made = connection;
                channel.pipeline().addLast(connection);
              }
            });
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
