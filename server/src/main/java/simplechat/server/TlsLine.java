package simplechat.server;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelPromise;
import io.netty.channel.unix.Socket;
import io.netty.handler.codec.DecoderException;
import io.netty.handler.ssl.SslCloseCompletionEvent;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import java.util.concurrent.Executor;
import javax.net.ssl.SSLEngine;
import org.jspecify.annotations.Nullable;
import simplechat.protocol.ErrorCode;
import simplechat.protocol.ServerMessage.LeftWhy;

/**
 * TLS between a connection and its socket.
 *
 * <p>Whoever says nothing costs nothing: TLS begins with the first byte, and only if that can be
 * the first of a handshake; whoever speaks without TLS is told so and nothing else. The computing
 * of a handshake is done by {@link Tls}, and there is one: who wants another is hung up on.
 *
 * <p>Threading: confined to the channel's event loop. Endings: close_notify and then FIN; from the
 * peer either of them, or none.
 */
final class TlsLine extends Line {
  /** The type of a record that belongs to a handshake. */
  private static final int HANDSHAKE = 22;

  private enum State {
    SILENT,
    SHAKING,
    OPEN,
    /** The peer does not speak TLS. */
    PLAIN
  }

  private final Tls tls;
  private State state = State.SILENT;
  private @Nullable Records ssl;

  TlsLine(ChatServer server, ConnectionLoop loop, Channel channel, Tls tls) {
    super(server, loop, channel);
    this.tls = tls;
  }

  @Override
  void attach() {
    channel().pipeline().addLast(new FirstByte());
    super.attach();
  }

  @Override
  @Nullable Socket socket() {
    return null;
  }

  @Override
  boolean isCopied() {
    return true;
  }

  @Override
  boolean isOpen() {
    return !isShaking() && super.isOpen();
  }

  @Override
  boolean isShaking() {
    return state == State.SILENT || state == State.SHAKING;
  }

  @Override
  boolean isSilent() {
    return state == State.SILENT;
  }

  @Override
  void write(ByteBuf copy, ChannelPromise promise) {
    channel().writeAndFlush(copy, promise);
  }

  @Override
  void endOutput(boolean stuck) {
    SslHandler open = ssl;
    if (open != null && state == State.OPEN && !stuck) {
      open.closeOutbound().addListener(done -> later(this::finish));
    } else {
      finish();
    }
  }

  /** Not through TLS, which would first wait until its farewell is written. */
  @Override
  void close() {
    channel().unsafe().close(channel().voidPromise());
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
    if (event instanceof SslHandshakeCompletionEvent handshake) {
      if (handshake.isSuccess()) {
        state = State.OPEN;
        connection().ready();
      }
    } else if (event == SslCloseCompletionEvent.SUCCESS) {
      connection().inputEnded();
    } else {
      super.userEventTriggered(ctx, event);
      if (event == Door.Refusal.DOOR_FULL && isSilent()) {
        // It has had its time to begin to speak TLS, and without it cannot be told.
        close();
      }
    }
  }

  /**
   * What we hand over is far below what Netty lets wait, so it is TLS' own answers that wait, to a
   * peer that asks for new keys and does not read.
   */
  @Override
  public void channelWritabilityChanged(ChannelHandlerContext ctx) {
    if (!channel().isWritable()) {
      later(this::close);
    }
  }

  /** Of a record that came in part, which lies in the whole buffer of a read. */
  @Override
  int heldBytes() {
    return ssl == null || !channel().isOpen() ? 0 : ssl.heldBytes();
  }

  @Override
  public void channelReadComplete(ChannelHandlerContext ctx) {
    connection().inbound().hold();
  }

  /** What the peer gets wrong in TLS ends the connection; TLS has told it what. */
  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    if (cause instanceof DecoderException) {
      later(this::close);
    } else {
      super.exceptionCaught(ctx, cause);
    }
  }

  /** What comes from now on is not even decrypted. */
  private void finish() {
    if (ssl != null && channel().isOpen()) {
      channel().pipeline().remove(ssl);
      ssl = null;
    }
    super.endOutput(true);
  }

  private void begin(ChannelHandlerContext ctx) {
    Records begun = new Records(tls.context().newEngine(ctx.alloc()), this::compute);
    // Our own deadline counts from the accept.
    begun.setHandshakeTimeoutMillis(0);
    ssl = begun;
    state = State.SHAKING;
    ctx.pipeline().addAfter(ctx.name(), null, begun);
  }

  private void compute(Runnable task) {
    if (state == State.SHAKING) {
      tls.compute(
          () -> {
            if (channel().isOpen()) {
              task.run();
            }
          });
    } else {
      later(this::close);
    }
  }

  private void later(Runnable task) {
    channel().eventLoop().execute(task);
  }

  /** TLS itself, of which may be asked what it holds. */
  private static final class Records extends SslHandler {
    Records(SSLEngine engine, Executor steps) {
      super(engine, steps);
    }

    int heldBytes() {
      return actualReadableBytes() == 0 ? 0 : internalBuffer().capacity();
    }
  }

  /** Stands before TLS and makes way for it. */
  private final class FirstByte extends ChannelInboundHandlerAdapter {
    @Override
    public void channelRead(ChannelHandlerContext ctx, Object msg) {
      ByteBuf in = (ByteBuf) msg;
      if (in.isReadable() && in.getByte(in.readerIndex()) == HANDSHAKE) {
        begin(ctx);
      } else {
        state = State.PLAIN;
        connection().end(ErrorCode.NOT_CHAT, "this server speaks TLS alone", LeftWhy.LOST);
      }
      ctx.fireChannelRead(msg);
      ctx.pipeline().remove(this);
    }
  }
}
