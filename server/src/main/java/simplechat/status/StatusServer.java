package simplechat.status;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.codec.http.HttpDecoderConfig;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Shows the figures of a server by HTTP: to Prometheus, to whoever asks whether it lives, and to
 * people.
 *
 * <p>Threading: one event loop of its own, which the room's never wait for; all methods from any
 * thread. Bounds: {@value #CONNECTIONS_MAX} connections, each for one request of at most 8 KiB and
 * for {@link #PATIENCE}, whether its peer reads or not. Endings: {@link #close}.
 */
public final class StatusServer {
  private static final int CONNECTIONS_MAX = 16;
  private static final int LINE_MAX_BYTES = 1024;
  private static final int HEADERS_MAX_BYTES = 7 * 1024;
  private static final Duration PATIENCE = Duration.ofSeconds(5);

  /** What is shown. */
  public interface Source {
    /** The figures, soon; for who asks whether the server lives, that they come is the answer. */
    CompletionStage<ServerMetrics> metrics();

    /** Why new connections are not welcome; null if they are. */
    @Nullable String unready();
  }

  private final MultiThreadIoEventLoopGroup group =
      new MultiThreadIoEventLoopGroup(
          1, new DefaultThreadFactory("chat-status", true), NioIoHandler.newFactory());

  private final StatusPages pages;
  private final Duration patience;
  private @Nullable Channel listener;
  private int open;

  private StatusServer(Source source, Duration patience) {
    this.patience = patience;
    pages = new StatusPages(source, group.next(), patience.dividedBy(2), System::nanoTime);
  }

  /** Completes when it listens; fails as the bind does, and then leaves nothing. */
  public static CompletionStage<StatusServer> start(String host, int port, Source source) {
    return start(host, port, source, PATIENCE);
  }

  static CompletionStage<StatusServer> start(
      String host, int port, Source source, Duration patience) {
    StatusServer server = new StatusServer(source, patience);
    CompletableFuture<StatusServer> started = new CompletableFuture<>();
    ChannelFuture bound = server.bind(host, port);
    bound.addListener(
        done -> {
          if (done.isSuccess()) {
            server.listener = bound.channel();
            started.complete(server);
          } else {
            server.close();
            started.completeExceptionally(done.cause());
          }
        });
    return started;
  }

  /** Where it listens, with the real port. */
  public InetSocketAddress address() {
    Channel bound = listener;
    if (bound == null) {
      throw new IllegalStateException("not started");
    }
    return (InetSocketAddress) bound.localAddress();
  }

  /** Ends it at once, with whoever is connected. */
  public void close() {
    Channel bound = listener;
    if (bound != null) {
      // Its loop may end before it looks for what it still has.
      bound.close();
    }
    group.shutdownGracefully(0, 1, TimeUnit.SECONDS);
  }

  private ChannelFuture bind(String host, int port) {
    return new ServerBootstrap()
        .group(group)
        .channel(NioServerSocketChannel.class)
        .option(ChannelOption.SO_REUSEADDR, true)
        .childOption(
            ChannelOption.WRITE_BUFFER_WATER_MARK, new WriteBufferWaterMark(1024, 64 << 10))
        .childHandler(
            new ChannelInitializer<Channel>() {
              @Override
              protected void initChannel(Channel channel) {
                accept(channel);
              }
            })
        .bind(host, port);
  }

  private void accept(Channel channel) {
    if (open >= CONNECTIONS_MAX) {
      channel.close();
      return;
    }
    open++;
    channel.closeFuture().addListener(closed -> open--);
    channel.eventLoop().schedule(() -> channel.close(), patience.toMillis(), TimeUnit.MILLISECONDS);
    channel
        .pipeline()
        .addLast(
            new HttpServerCodec(
                new HttpDecoderConfig()
                    .setMaxInitialLineLength(LINE_MAX_BYTES)
                    .setMaxHeaderSize(HEADERS_MAX_BYTES)),
            new StatusExchange(pages));
  }
}
