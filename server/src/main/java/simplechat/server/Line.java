package simplechat.server;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelPromise;
import io.netty.channel.EventLoop;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.DuplexChannel;
import io.netty.channel.unix.Socket;
import io.netty.channel.uring.IoUringSocketChannel;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What lies between a connection and its socket, which here is Netty alone.
 *
 * <p>Threading: confined to the channel's event loop.
 */
class Line extends ChannelInboundHandlerAdapter {
  private final Channel channel;
  private final @Nullable Socket direct;
  private final Connection connection;
  private boolean outputEnded;

  /** What waits until the channel is back in epoll, null if it is not on its way there. */
  private @Nullable List<Runnable> forRemembered;

  Line(ChatServer server, ConnectionLoop loop, Channel channel) {
    this.channel = channel;
    this.direct = SocketWriter.socket(channel);
    this.connection = new Connection(server, loop, this);
  }

  final Channel channel() {
    return channel;
  }

  final Connection connection() {
    return connection;
  }

  /** Begins to hear of the channel. */
  void attach() {
    channel.pipeline().addLast(this);
    if (!channel.isActive()) {
      // Reset before it was accepted: Netty tells nobody of the end of what never began.
      channel.closeFuture().addListener(closed -> connection.gone());
    }
  }

  /** What can be written to past Netty's outbound buffer, null if nothing can. */
  @Nullable Socket socket() {
    return direct;
  }

  /** True if what is written must be copied, because it is read later. */
  boolean isCopied() {
    return channel instanceof IoUringSocketChannel;
  }

  /** True if what is written now goes out. Of a closed socket another may have the descriptor. */
  boolean isOpen() {
    return direct == null ? channel.isActive() : direct.isOpen();
  }

  /** True if it is too early to write anything. */
  boolean isShaking() {
    return false;
  }

  /** True if nothing has come. */
  boolean isSilent() {
    return false;
  }

  /** Memory for what came and is no message yet; {@link Inbound} looks after each read. */
  int heldBytes() {
    return 0;
  }

  /** Writes a copy, if it {@link #isCopied}. */
  void write(ByteBuf copy, ChannelPromise promise) {
    channel.unsafe().write(copy, promise);
    channel.unsafe().flush();
  }

  /**
   * Ends our side of the stream, behind what was written.
   *
   * @param stuck true to forget what the socket does not take
   */
  void endOutput(boolean stuck) {
    outputEnded = true;
    ((DuplexChannel) channel).shutdownOutput();
  }

  /**
   * Puts a channel that epoll {@linkplain SocketWriter#isForgotten forgot} back into it, and then
   * calls this, unless it is closed meanwhile: such a channel never becomes inactive.
   */
  final void remember(Runnable then) {
    if (forRemembered != null) {
      forRemembered.add(then);
      return;
    }
    forRemembered = new ArrayList<>(List.of(then));
    EventLoop loop = channel.eventLoop();
    channel
        .deregister()
        .addListener(
            out -> {
              if (channel.isOpen()) {
                loop.register(channel).addListener(in -> remembered());
              } else {
                remembered();
              }
            });
  }

  private void remembered() {
    List<Runnable> due = Objects.requireNonNull(forRemembered, "nothing was to be remembered");
    forRemembered = null;
    if (channel.isOpen()) {
      // With the registration Netty lost that something may wait for the socket.
      channel.unsafe().flush();
      due.forEach(Runnable::run);
    } else {
      connection.gone();
    }
  }

  /** What was written will not come out. */
  final void failed() {
    if (!outputEnded) {
      connection.broken();
    }
  }

  /** Closes the socket at once. */
  void close() {
    channel.close();
  }

  @Override
  public void channelActive(ChannelHandlerContext ctx) {
    connection.ready();
  }

  @Override
  public final void channelRead(ChannelHandlerContext ctx, Object msg) {
    connection.heard((ByteBuf) msg);
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
    if (event == ChannelInputShutdownEvent.INSTANCE) {
      connection.inputEnded();
    } else if (event instanceof Door.Refusal refusal) {
      connection.turnAway(refusal);
    }
  }

  @Override
  public final void channelInactive(ChannelHandlerContext ctx) {
    connection.gone();
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    if (cause instanceof IOException) {
      close();
    } else {
      connection.failed(cause);
    }
  }
}
