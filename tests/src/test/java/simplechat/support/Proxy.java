package simplechat.support;

import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;

/**
 * A way to a server that is as bad as the test wants: it cuts at a chosen byte, by a reset, in
 * order or without a word, hands bytes on in slices, and slowly.
 *
 * <p>Threading: any thread may call; the bytes go over one event loop.
 */
public final class Proxy implements AutoCloseable {
  /** How a connection through the proxy ends. */
  public enum End {
    RESET,
    FIN,
    /** Nothing is handed on any more, and both ends stay open. */
    SILENCE
  }

  /**
   * What becomes of one connection.
   *
   * @param end what happens behind either of the two limits
   * @param upBytes how many bytes go to the server before that
   * @param downBytes how many come from it before that
   * @param sliceBytes at most so many are handed on at once
   * @param pauseMillis after each of them that come from the server
   */
  public record Fate(End end, long upBytes, long downBytes, int sliceBytes, int pauseMillis) {
    /** A connection like any other. */
    public static final Fate CALM =
        new Fate(End.RESET, Long.MAX_VALUE, Long.MAX_VALUE, Integer.MAX_VALUE, 0);
  }

  private static final int SILENCE_SECONDS = 8;

  /** Of its own, so that it is known when somebody came, however busy the rest is. */
  private final EventLoopGroup door = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());

  private final EventLoopGroup loop = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
  private final InetSocketAddress target;
  private final Channel listening;
  private final Set<Link> links = ConcurrentHashMap.newKeySet();
  private final List<Long> acceptedNanos = Collections.synchronizedList(new ArrayList<>());
  private final List<Link> waiting = new ArrayList<>();
  private volatile boolean held;
  private volatile Supplier<Fate> fates = () -> Fate.CALM;
  private final AtomicInteger ended = new AtomicInteger();

  public Proxy(InetSocketAddress target) {
    this.target = target;
    this.listening =
        new ServerBootstrap()
            .group(door, loop)
            .channel(NioServerSocketChannel.class)
            .option(ChannelOption.SO_BACKLOG, 4096)
            .handler(
                new ChannelInboundHandlerAdapter() {
                  @Override
                  public void channelRead(ChannelHandlerContext ctx, Object accepted) {
                    acceptedNanos.add(System.nanoTime());
                    ctx.fireChannelRead(accepted);
                  }
                })
            .childOption(ChannelOption.AUTO_READ, false)
            .childOption(ChannelOption.TCP_NODELAY, true)
            .childHandler(
                new ChannelInitializer<Channel>() {
                  @Override
                  protected void initChannel(Channel client) {
                    Link link = new Link(client, fates.get());
                    if (held) {
                      waiting.add(link);
                    } else {
                      link.open();
                    }
                  }
                })
            .bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
            .syncUninterruptibly()
            .channel();
  }

  public int port() {
    return ((InetSocketAddress) listening.localAddress()).getPort();
  }

  /** Decides for each connection that comes from now on; called on the proxy's loop. */
  public void fates(Supplier<Fate> next) {
    fates = next;
  }

  /** From now on whoever comes is let in, but no further. */
  public void hold() {
    held = true;
  }

  /** Takes back {@link #hold}. */
  public void release() {
    held = false;
    loop.execute(
        () -> {
          waiting.forEach(Link::open);
          waiting.clear();
        });
  }

  /** How many connections have met their end so far. */
  public int ended() {
    return ended.get();
  }

  /** When each connection was accepted. */
  public List<Long> acceptedNanos() {
    return List.copyOf(acceptedNanos);
  }

  /** Ends all connections that there are. */
  public void cut(End end) {
    loop.execute(() -> List.copyOf(links).forEach(link -> link.end(end)));
  }

  @Override
  public void close() {
    door.shutdownGracefully(0, 5, TimeUnit.SECONDS).syncUninterruptibly();
    loop.shutdownGracefully(0, 5, TimeUnit.SECONDS).syncUninterruptibly();
  }

  /** One connection of a client, and the one to the server that belongs to it. */
  private final class Link {
    private final Channel client;
    private final Fate fate;
    private Channel server;
    private boolean over;

    Link(Channel client, Fate fate) {
      this.client = client;
      this.fate = fate;
    }

    void open() {
      links.add(this);
      new Bootstrap()
          .group(client.eventLoop())
          .channel(NioSocketChannel.class)
          .option(ChannelOption.AUTO_READ, false)
          .option(ChannelOption.TCP_NODELAY, true)
          .handler(new ChannelInboundHandlerAdapter())
          .connect(target)
          .addListener(
              done -> {
                if (done.isSuccess()) {
                  relay(((ChannelFuture) done).channel());
                } else {
                  end(End.RESET);
                }
              });
    }

    private void relay(Channel connected) {
      server = connected;
      server.pipeline().addLast(new Relay(this, client, fate.downBytes, fate.pauseMillis));
      client.pipeline().addLast(new Relay(this, server, fate.upBytes, 0));
      if (!over) {
        server.config().setAutoRead(true);
        client.config().setAutoRead(true);
      }
    }

    void end(End how) {
      if (over) {
        return;
      }
      over = true;
      ended.incrementAndGet();
      if (how == End.SILENCE) {
        client.config().setAutoRead(false);
        if (server != null) {
          server.config().setAutoRead(false);
        }
        // Longer than anybody listens to it.
        loop.schedule(() -> closeBoth(End.RESET), SILENCE_SECONDS, TimeUnit.SECONDS);
        return;
      }
      closeBoth(how);
    }

    private void closeBoth(End how) {
      close(client, how);
      if (server != null) {
        close(server, how);
      }
      forget();
    }

    void forget() {
      links.remove(this);
    }

    private void close(Channel channel, End how) {
      if (how == End.RESET) {
        channel.config().setOption(ChannelOption.SO_LINGER, 0);
      }
      channel.close();
    }
  }

  /** One direction of a link. */
  private static final class Relay extends ChannelInboundHandlerAdapter {
    private final Link link;
    private final Channel to;
    private final int pauseMillis;
    private long leftBytes;

    Relay(Link link, Channel to, long leftBytes, int pauseMillis) {
      this.link = link;
      this.to = to;
      this.leftBytes = leftBytes;
      this.pauseMillis = pauseMillis;
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
      ByteBuf bytes = (ByteBuf) message;
      while (bytes.isReadable() && leftBytes > 0 && !link.over) {
        int slice = Math.min(link.fate.sliceBytes, bytes.readableBytes());
        slice = (int) Math.min(slice, leftBytes);
        leftBytes -= slice;
        to.writeAndFlush(bytes.readRetainedSlice(slice));
      }
      bytes.release();
      if (leftBytes == 0) {
        link.end(link.fate.end);
      } else if (pauseMillis > 0) {
        ctx.channel().config().setAutoRead(false);
        ctx.executor().schedule(() -> resume(ctx.channel()), pauseMillis, TimeUnit.MILLISECONDS);
      } else if (!to.isWritable()) {
        ctx.channel().config().setAutoRead(false);
      }
    }

    /** The other side of this channel may go on: it is our output that is writable again. */
    @Override
    public void channelWritabilityChanged(ChannelHandlerContext ctx) {
      if (ctx.channel().isWritable()) {
        resume(to);
      }
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
      // What was read is on its way already; the close goes behind it.
      if (!link.over) {
        link.over = true;
        to.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(written -> to.close());
      }
      link.forget();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
      ctx.close();
    }

    private void resume(Channel channel) {
      if (!link.over) {
        channel.config().setAutoRead(true);
      }
    }
  }
}
