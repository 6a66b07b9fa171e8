package simplechat.server;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.FixedRecvByteBufAllocator;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.ServerChannelRecvByteBufAllocator;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.EventExecutor;
import java.net.InetSocketAddress;
import java.time.Clock;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import simplechat.room.Backplane;
import simplechat.room.Room;
import simplechat.room.RoomSettings;
import simplechat.status.ServerMetrics;

/**
 * A chat server that can be embedded.
 *
 * <pre>{@code
 * ChatServer.start(ServerConfig.defaults()).thenAccept(server -> use(server.address()));
 * }</pre>
 *
 * <p>Threading: all methods from any thread; none blocks, and the stages complete on a thread of
 * the server's. Endings: {@link #drain} and {@link #close}; after either nothing of the server is
 * left but this object and 1 MiB of direct memory for each loop, which goes when it is collected.
 */
public final class ChatServer {
  private static final Duration EXPIRE_EVERY = Duration.ofSeconds(1);

  /** Each turn in which somebody joins tells everybody: the more at once, the fewer turns. */
  private static final int ACCEPTS_PER_TURN = 1024;

  /** As much as the allocator keeps at hand for each loop: no read searches for memory. */
  private static final int READ_BYTES = 32 * 1024;

  /** A member who floods is left after so many reads, for the others' sake. A guess. */
  private static final int READS_PER_TURN = 4;

  private static final int MEMBERS_PER_RETRY_SECOND = 1000;
  static final int RETRY_MAX_SECONDS = 10;

  private final ServerConfig config;
  private final Transport transport;
  private final MultiThreadIoEventLoopGroup group;
  private final PooledByteBufAllocator allocator;

  /** For what the starting thread has made, too: what a pool hands a thread it leaves there. */
  private final UnpooledByteBufAllocator logAllocator = new UnpooledByteBufAllocator(true);

  private final Map<EventLoop, ConnectionLoop> loops = new LinkedHashMap<>();
  private final ConnectionLoop roomLoop;
  private final Room room;
  private final Door door;
  private final @Nullable Tls tls;
  private final Survey survey;
  private final KeyGuard keyGuard;
  private final Restraint restraint;
  private final InputLimit inputLimit;
  private final Backlog backlog = new Backlog();
  private final AtomicInteger open = new AtomicInteger();
  private final AtomicBoolean ending = new AtomicBoolean();
  private final AtomicBoolean freed = new AtomicBoolean();
  private final CompletableFuture<Void> closed = new CompletableFuture<>();
  private @Nullable Channel listener;
  private volatile boolean stopping;
  private volatile boolean drained;

  private ChatServer(ServerConfig config, Transport transport, int maxLost) {
    this.config = config;
    this.transport = transport;
    tls = config.tls() == null ? null : new Tls(config.tls(), Clock.systemUTC());
    group =
        new MultiThreadIoEventLoopGroup(
            config.loops(), new DefaultThreadFactory("chat-loop"), transport.ioHandlers().get());
    allocator = allocator(config.loops());
    long tickNanos = config.tickNanos();
    for (EventExecutor executor : group) {
      EventLoop eventLoop = (EventLoop) executor;
      loops.put(eventLoop, new ConnectionLoop(eventLoop, allocator, System::nanoTime, tickNanos));
    }
    roomLoop = loops.values().iterator().next();
    inputLimit = new InputLimit(loops.values(), roomLoop, config.affordableInputBytes());
    restraint = new Restraint(loops.values(), roomLoop);
    roomLoop.tell(restraint);
    keyGuard = new KeyGuard(config.key(), System::nanoTime);
    door = new Door(config, roomLoop.eventLoop(), keyGuard, backlog);
    RoomSettings settings =
        new RoomSettings(
            config.logBytes(),
            config.maxText(),
            config.heartbeat(),
            config.resumeWindow(),
            maxLost,
            config.greeting(),
            0);
    room = new Room(settings, logAllocator, this::onRoom, Clock.systemUTC(), System::nanoTime);
    // Its own loop last: publishing walks over the members there, and the others should not wait.
    loops.values().stream().filter(loop -> loop != roomLoop).forEach(room::add);
    room.add(roomLoop);
    survey = new Survey(roomLoop, loops.values(), room, this::directBytes, closed);
    // An opening has the loops, too, and may shut them down.
    roomLoop.eventLoop().terminationFuture().addListener(ended -> close());
  }

  /** Completes when connections are accepted; fails as the bind does, and then leaves nothing. */
  public static CompletionStage<ChatServer> start(ServerConfig config) {
    return new Start(config, null, Transport.candidates(config.transport())).begin();
  }

  /** The same for a room that is shared; fails also with a {@code NoRoomException}. */
  public static CompletionStage<ChatServer> start(ServerConfig config, Opening opening) {
    return new Start(config, opening, Transport.candidates(config.transport())).begin();
  }

  /** The same on one transport; fails too if that cannot be used. */
  static CompletableFuture<ChatServer> start(
      ServerConfig config, @Nullable Opening opening, Transport transport) {
    CompletableFuture<ChatServer> started = new CompletableFuture<>();
    int maxLost = opening == null ? config.maxLost() : Backplane.LOST_MAX;
    ChatServer server;
    try {
      server = new ChatServer(config, transport, maxLost);
    } catch (RuntimeException | LinkageError e) {
      started.completeExceptionally(e);
      return started;
    }
    CompletionStage<Void> open =
        opening == null
            ? CompletableFuture.completedFuture(null)
            : opening
                .open(server.room.ledger(), server.group, server.roomLoop.eventLoop())
                .thenAccept(server.room::follow);
    open.whenComplete(
        (done, e) -> server.listen(started, e == null ? server.roomLoop.obstacle() : e));
    return started;
  }

  private void listen(CompletableFuture<ChatServer> started, @Nullable Throwable obstacle) {
    if (obstacle != null) {
      close().thenRun(() -> started.completeExceptionally(obstacle));
      return;
    }
    ChannelFuture bound = bind();
    bound.addListener(
        done -> {
          if (done.isSuccess()) {
            serve(bound.channel());
            started.complete(this);
          } else {
            listen(started, done.cause());
          }
        });
  }

  /** Where it listens, with the real port. */
  public InetSocketAddress address() {
    Channel bound = listener;
    if (bound == null) {
      throw new IllegalStateException("not started");
    }
    return (InetSocketAddress) bound.localAddress();
  }

  /** How many connections are open, joined or not. */
  public int connections() {
    return open.get();
  }

  /** How many are in the room, asked on its loop; after the end those who were there last. */
  public CompletionStage<Integer> members() {
    return survey.members();
  }

  /** Why new connections are not welcome; null if they are. */
  public @Nullable String unready() {
    return stopping ? "draining" : room.unready();
  }

  /** The figures, of which each loop is asked for its own; after the end those that it left. */
  public CompletionStage<ServerMetrics> metrics() {
    return survey.ask();
  }

  /**
   * Accepts nobody and nothing more, delivers what was accepted, tells everybody SHUTDOWN, and
   * completes when all are gone, at the latest after the configured drain time. May be called
   * again.
   */
  public CompletionStage<Void> drain() {
    if (!ending.compareAndSet(false, true)) {
      return closed.minimalCompletionStage();
    }
    stopListening();
    roomLoop()
        .execute(
            () -> {
              int retryAfter = retryAfter();
              room.drain(
                  endByte -> {
                    drained = true;
                    onEachConnection(connection -> connection.shutDown(endByte, retryAfter));
                    closeIfIdle();
                  });
              roomLoop()
                  .eventLoop()
                  .schedule(this::close, config.closeAfterMillis(), TimeUnit.MILLISECONDS);
            });
    return closed.minimalCompletionStage();
  }

  /** Closes everything at once. */
  public CompletionStage<Void> close() {
    ending.set(true);
    stopListening();
    roomLoop().execute(room::close);
    onEachConnection(Connection::cut);
    // The room's loop last: what the others still tell it must find it there.
    CompletableFuture.allOf(
            loops.values().stream()
                .filter(loop -> loop != roomLoop)
                .map(loop -> loop.shutDown(transport.closingMillis()))
                .toArray(CompletableFuture[]::new))
        .thenCompose(done -> roomLoop.shutDown(transport.closingMillis()))
        .thenRun(
            () -> {
              if (freed.compareAndSet(false, true)) {
                loops.values().forEach(ConnectionLoop::free);
                room.free();
                Tls.close(tls);
                closed.complete(null);
              }
            });
    return closed.minimalCompletionStage();
  }

  ServerConfig config() {
    return config;
  }

  Room room() {
    return room;
  }

  Door door() {
    return door;
  }

  KeyGuard keyGuard() {
    return keyGuard;
  }

  InputLimit inputLimit() {
    return inputLimit;
  }

  Restraint restraint() {
    return restraint;
  }

  /** The loop on which the room lives. */
  ConnectionLoop roomLoop() {
    return roomLoop;
  }

  /** A connection is gone, with everything that it held. */
  void closed() {
    open.decrementAndGet();
    closeIfIdle();
  }

  private void onRoom(Runnable task, long delayNanos) {
    if (delayNanos > 0) {
      roomLoop.eventLoop().schedule(task, delayNanos, TimeUnit.NANOSECONDS);
    } else {
      roomLoop.eventLoop().execute(task);
    }
  }

  private ChannelFuture bind() {
    return new ServerBootstrap()
        .group(group)
        .channelFactory(() -> transport.listener().apply(config.host()))
        .option(ChannelOption.SO_BACKLOG, Backlog.SIZE)
        .option(
            ChannelOption.RECVBUF_ALLOCATOR,
            new ServerChannelRecvByteBufAllocator()
                .respectMaybeMoreData(false)
                .maxMessagesPerRead(ACCEPTS_PER_TURN))
        .option(ChannelOption.SO_REUSEADDR, true)
        .handler(door)
        .childOption(ChannelOption.ALLOCATOR, allocator)
        .childOption(
            ChannelOption.RECVBUF_ALLOCATOR,
            new FixedRecvByteBufAllocator(READ_BYTES).maxMessagesPerRead(READS_PER_TURN))
        .childOption(ChannelOption.SO_SNDBUF, config.fixedSendBuffer())
        .childOption(ChannelOption.TCP_NODELAY, true)
        .childOption(ChannelOption.ALLOW_HALF_CLOSURE, true)
        .childHandler(
            new ChannelInitializer<Channel>() {
              @Override
              protected void initChannel(Channel channel) {
                accept(channel);
              }
            })
        .bind(config.host(), config.port());
  }

  private void serve(Channel bound) {
    listener = bound;
    Tls.watch(tls);
    loops.values().forEach(ConnectionLoop::start);
    long every = EXPIRE_EVERY.toNanos();
    roomLoop.eventLoop().scheduleWithFixedDelay(room::expire, every, every, TimeUnit.NANOSECONDS);
  }

  private void accept(Channel channel) {
    ConnectionLoop loop = loopOf(channel.eventLoop());
    Line line = tls == null ? new Line(this, loop, channel) : new TlsLine(this, loop, channel, tls);
    Connection connection = line.connection();
    open.incrementAndGet();
    backlog.arrived();
    loop.add(connection);
    line.attach();
    if (stopping) {
      connection.shutDown(0, RETRY_MAX_SECONDS);
    } else if (channel.hasAttr(Door.REFUSAL)) {
      connection.turnAway(channel.attr(Door.REFUSAL).get());
    }
  }

  private ConnectionLoop loopOf(EventLoop eventLoop) {
    ConnectionLoop loop = loops.get(eventLoop);
    if (loop == null) {
      throw new IllegalStateException("not a loop of this server: " + eventLoop);
    }
    return loop;
  }

  private void stopListening() {
    stopping = true;
    Channel bound = listener;
    if (bound != null) {
      Backlog.close(bound);
    }
  }

  private void onEachConnection(Consumer<Connection> task) {
    for (ConnectionLoop loop : loops.values()) {
      loop.execute(() -> List.copyOf(loop.connections()).forEach(task));
    }
  }

  private void closeIfIdle() {
    if (drained && backlog.isEmpty() && open.get() == 0) {
      close();
    }
  }

  /** Spreads the return of those who are sent away. */
  private int retryAfter() {
    return Math.max(1, Math.min(RETRY_MAX_SECONDS, room.members() / MEMBERS_PER_RETRY_SECOND));
  }

  private long directBytes() {
    return allocator.metric().usedDirectMemory() + logAllocator.metric().usedDirectMemory();
  }

  /** Pooled and direct, one arena a loop, in chunks of 1 MiB: an idle server is small. */
  private static PooledByteBufAllocator allocator(int loops) {
    return new PooledByteBufAllocator(
        true,
        0,
        loops,
        PooledByteBufAllocator.defaultPageSize(),
        7,
        PooledByteBufAllocator.defaultSmallCacheSize(),
        PooledByteBufAllocator.defaultNormalCacheSize(),
        true);
  }
}
