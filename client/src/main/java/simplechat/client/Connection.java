package simplechat.client;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.SocketChannel;
import io.netty.util.concurrent.Future;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import simplechat.protocol.ClientMessage;
import simplechat.protocol.ErrorCode;
import simplechat.protocol.FrameDecoder;
import simplechat.protocol.Limits;
import simplechat.protocol.MessageCodec;
import simplechat.protocol.MessageType;
import simplechat.protocol.ProtocolException;
import simplechat.protocol.ServerMessage;

/**
 * The Netty side of a client: bytes to messages and back, signs of life, and the ways it ends.
 *
 * <p>Threading: confined to its event loop.
 *
 * <p>Endings: the server's BYE, its FIN, a reset, silence, a lie, or {@link #close}. Whichever
 * comes first is the {@link Goodbye}; it is told once the socket is closed. After a BYE we
 * half-close and read until FIN, so that nothing which either side still has on the way is
 * destroyed by a reset.
 */
final class Connection extends ChannelInboundHandlerAdapter implements FrameDecoder.Sink {
  private static final long FAREWELL_MILLIS = 2_000;

  private final ClientOptions options;
  private final SocketChannel channel;
  private final Session session;
  private final FrameDecoder decoder;
  private final CompletableFuture<Goodbye> ended = new CompletableFuture<>();
  private @Nullable Goodbye goodbye;
  private @Nullable Liveness liveness;
  private @Nullable Future<?> ticking;
  private ClientMessage.@Nullable Pong owedPong;
  private boolean recognised;
  private boolean flushDue;
  private boolean probing;

  Connection(SocketChannel channel, Session session, ClientOptions options) {
    this.channel = channel;
    this.options = options;
    this.session = session;
    this.decoder = new FrameDecoder(channel.alloc());
  }

  /** Completed once the socket is closed. */
  CompletableFuture<Goodbye> ended() {
    return ended;
  }

  /** Hangs up if the answer to a join does not come in time. */
  void limit(CompletableFuture<ServerMessage.Welcome> result) {
    Future<?> deadline =
        channel
            .eventLoop()
            .schedule(
                () -> end(Goodbye.lost("no answer to the join")),
                options.joinTimeout().toMillis(),
                TimeUnit.MILLISECONDS);
    result.whenComplete((welcome, refusal) -> deadline.cancel(false));
  }

  /** Asks for a sign of life, and hangs up if there is none within this time. */
  void probe(long patienceMillis) {
    if (probing || goodbye != null || !channel.config().isAutoRead()) {
      return;
    }
    probing = true;
    write(new ClientMessage.Ping(0));
    channel
        .eventLoop()
        .schedule(
            () -> {
              if (probing) {
                end(Goodbye.lost("no sign of life after a sleep"));
              }
            },
            patienceMillis,
            TimeUnit.MILLISECONDS);
  }

  void reading(boolean on) {
    channel.config().setAutoRead(on);
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object read) {
    ByteBuf bytes = (ByteBuf) read;
    probing = false;
    try {
      if (liveness != null) {
        liveness.heard(options.nanoTime().getAsLong());
      }
      if (goodbye == null) {
        decoder.decode(bytes, this);
      }
    } catch (ProtocolException lie) {
      end(Goodbye.violation(lie.code(), String.valueOf(lie.getMessage())));
    } finally {
      bytes.release();
    }
  }

  @Override
  public boolean header(int type, int length) throws ProtocolException {
    if (!recognised && (type & MessageType.FROM_SERVER) == 0) {
      throw new ProtocolException(ErrorCode.NOT_CHAT, "not a chat server");
    }
    recognised = true;
    if (MessageType.of(type) == null) {
      // Unknown: dropped as it comes, however long, if it may be skipped at all.
      MessageCodec.decodeServer(type, Unpooled.EMPTY_BUFFER, 0, 0);
      return false;
    }
    if (length > Limits.SERVER_BODY_MAX_BYTES) {
      throw new ProtocolException(ErrorCode.FRAME_TOO_LARGE, "a frame of " + length + " bytes");
    }
    return true;
  }

  @Override
  public boolean frame(int type, ByteBuf buffer, int index, int length) throws ProtocolException {
    ServerMessage message = MessageCodec.decodeServer(type, buffer, index, length);
    if (message instanceof ServerMessage.Ping ping) {
      owedPong = new ClientMessage.Pong(ping.opaque());
      payPong();
    } else if (message instanceof ServerMessage.Bye bye) {
      farewell(new Goodbye(Goodbye.Ending.BYE, bye.code(), bye.retryAfter(), bye.text()));
    } else if (message instanceof ServerMessage.Pong pong) {
      session.answered(pong.opaque());
    } else if (message != null) {
      session.receive(message);
      if (message instanceof ServerMessage.Welcome welcome) {
        startTicking(welcome);
      }
    }
    return goodbye == null;
  }

  @Override
  public void channelWritabilityChanged(ChannelHandlerContext ctx) {
    payPong();
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    decoder.close();
    if (ticking != null) {
      ticking.cancel(false);
    }
    if (goodbye == null) {
      goodbye =
          channel.eventLoop().isShuttingDown()
              ? Goodbye.closed(Goodbye.LOOP_ENDED)
              : Goodbye.lost("the server closed the connection");
    }
    ended.complete(goodbye);
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    end(Goodbye.lost("the connection broke"));
  }

  void write(ClientMessage message) {
    if (goodbye != null) {
      return;
    }
    if (message instanceof ClientMessage.Hello hello && hello.key() != null && !isPrivate()) {
      end(Goodbye.closed("the key would be readable on the way"));
      return;
    }
    ByteBuf frame = channel.alloc().buffer();
    MessageCodec.encode(message, frame);
    channel.write(frame, channel.voidPromise());
    if (!flushDue) {
      flushDue = true;
      // Behind whatever else is waiting to be written, so that a burst leaves in one piece.
      channel.eventLoop().execute(this::flush);
    }
  }

  /** True if a key may be sent. */
  private boolean isPrivate() {
    return options.trust() != null
        || options.keyInTheOpen()
        || channel.remoteAddress().getAddress().isLoopbackAddress();
  }

  private void flush() {
    flushDue = false;
    channel.flush();
  }

  /** One PONG is owed at most: a server that asks and does not read gets no queue of answers. */
  private void payPong() {
    if (owedPong != null && channel.isWritable()) {
      write(owedPong);
      owedPong = null;
    }
  }

  private void startTicking(ServerMessage.Welcome welcome) {
    liveness = new Liveness(welcome.heartbeat(), options.nanoTime().getAsLong());
    long period = liveness.tickNanos();
    ticking =
        channel.eventLoop().scheduleAtFixedRate(this::tick, period, period, TimeUnit.NANOSECONDS);
  }

  private void tick() {
    if (liveness == null) {
      return;
    }
    long now = options.nanoTime().getAsLong();
    switch (channel.config().isAutoRead() ? liveness.tick(now) : liveness.deafTick(now)) {
      case ALIVE -> {}
      case ASK -> write(new ClientMessage.Ping(0));
      case LOST -> end(Goodbye.lost("no sign of life from the server"));
    }
  }

  /** The server said BYE: it reads until our FIN, so it gets one, and its own is waited for. */
  private void farewell(Goodbye said) {
    goodbye = said;
    reading(true);
    if (options.trust() == null) {
      channel.shutdownOutput();
    } else {
      Trust.endOutput(channel);
    }
    channel.eventLoop().schedule(() -> channel.close(), FAREWELL_MILLIS, TimeUnit.MILLISECONDS);
  }

  void end(Goodbye reason) {
    if (goodbye == null) {
      goodbye = reason;
    }
    channel.close();
  }
}
