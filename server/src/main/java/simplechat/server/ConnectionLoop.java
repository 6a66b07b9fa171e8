package simplechat.server;

import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.EventLoop;
import io.netty.util.NetUtil;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;
import simplechat.protocol.ErrorCode;
import simplechat.room.LogReader;
import simplechat.room.Segment;

/**
 * The connections of one event loop: keeps their time, and hears for them that the log has grown or
 * a segment retires.
 *
 * <p>Threading: {@link #published}, {@link #retired} and {@link #arrived} on any loop, everything
 * else on this one.
 */
final class ConnectionLoop implements LogReader {
  /** Whose socket took nothing for longer does not read. */
  private static final long ALIVE_NANOS = Duration.ofMillis(500).toNanos();

  /** Of what is said here and the room's loop has not taken; a part of what endangers a reader. */
  static final int UNDERWAY_MAX_BYTES = 256 * 1024;

  private static final Logger LOG = LoggerFactory.getLogger(Connection.class);

  private final EventLoop eventLoop;
  private final ByteBufAllocator allocator;
  private final LoopCounters counters = new LoopCounters();
  private final FanOut fanOut;
  private final LongSupplier nanoTime;
  private final long tickNanos;
  private final List<Connection> connections = new ArrayList<>();
  private final List<Speech> restrained = new ArrayList<>();
  private final List<RoomLink> held = new ArrayList<>();
  private final AtomicBoolean woken = new AtomicBoolean();
  private long nowNanos;
  private long tickedAtNanos;
  private final AtomicInteger underwayBytes = new AtomicInteger();
  private volatile boolean crowded;
  private boolean restrains;
  private @Nullable Restraint restraint;

  ConnectionLoop(
      EventLoop eventLoop, ByteBufAllocator allocator, LongSupplier nanoTime, long tickNanos) {
    this.eventLoop = eventLoop;
    this.allocator = allocator;
    this.fanOut = new FanOut(counters);
    this.nanoTime = nanoTime;
    this.tickNanos = tickNanos;
    this.tickedAtNanos = nanoTime.getAsLong();
  }

  /** Begins to keep time. */
  void start() {

    eventLoop.scheduleWithFixedDelay(this::tick, tickNanos, tickNanos, TimeUnit.NANOSECONDS);
  }

  /** Frees what the loop held for writing; when it does not run any more. */
  void free() {
    fanOut.free();
  }

  /** Ends when there was nothing to do for so long; completes then. From any loop. */
  CompletableFuture<Void> shutDown(int quietMillis) {
    CompletableFuture<Void> ended = new CompletableFuture<>();
    eventLoop
        .shutdownGracefully(quietMillis, Deadlines.LINGER.toMillis(), TimeUnit.MILLISECONDS)
        .addListener(done -> ended.complete(null));
    return ended;
  }

  /** Why nothing can be begun here any more; null as long as it can. */
  @Nullable Throwable obstacle() {
    return eventLoop.isShuttingDown()
        ? new IllegalStateException("the event loops were shut down")
        : null;
  }

  EventLoop eventLoop() {
    return eventLoop;
  }

  ByteBufAllocator allocator() {
    return allocator;
  }

  LoopCounters counters() {
    return counters;
  }

  FanOut fanOut() {
    return fanOut;
  }

  /**
   * Time that this loop has served, as of its last tick. Of a pause between two ticks only the
   * length of two is counted, so that nobody is closed for what the server did not do.
   */
  long nowNanos() {
    return nowNanos;
  }

  /** The time, to the nanosecond. */
  long realNanos() {
    return nanoTime.getAsLong();
  }

  /** This one, on the room's loop, is to be told when the log is full. */
  void tell(Restraint whom) {
    restraint = whom;
  }

  /** True if who speaks must wait. */
  boolean isRestrained() {
    return restrains;
  }

  /** Waits for the end of the restraint. */
  void restrain(Speech speech) {
    restrained.add(speech);
  }

  /** Whoever speaks from now on must wait, or goes on. From any loop. */
  void restrain(boolean on) {
    onLoop(
        () -> {
          restrains = on;
          if (!on) {
            List<Speech> waiting = List.copyOf(restrained);
            restrained.clear();
            waiting.forEach(speech -> eventLoop.execute(speech::goOn));
          }
        });
  }

  /** Tells how the members do, see {@link FanOut#standing}. From any loop. */
  void standing(long endangeredBelow, long abreastFrom, Consumer<Restraint.Standing> told) {
    onLoop(
        () -> told.accept(fanOut.standing(endangeredBelow, abreastFrom, nowNanos - ALIVE_NANOS)));
  }

  /** Who has held input for the longest time, null if nobody does. */
  InputLimit.@Nullable Candidate oldestInput() {
    Connection oldest = null;
    long since = 0;
    for (Connection connection : connections) {
      Inbound inbound = connection.inbound();
      if (inbound.heldBytes() > 0 && (oldest == null || inbound.heldSinceNanos() - since < 0)) {
        oldest = connection;
        since = inbound.heldSinceNanos();
      }
    }
    return oldest == null ? null : new InputLimit.Candidate(this, oldest, since);
  }

  /** Runs a task here, at once if this is where it is called. */
  void onLoop(Runnable task) {
    if (eventLoop.inEventLoop()) {
      task.run();
    } else {
      execute(task);
    }
  }

  List<Connection> connections() {
    return connections;
  }

  void add(Connection connection) {
    connection.index(connections.size());
    connections.add(connection);
    counters.opened();
  }

  void remove(Connection connection) {
    Connection last = connections.remove(connections.size() - 1);
    if (last != connection) {
      connections.set(connection.index(), last);
      last.index(connection.index());
    }
  }

  /**
   * Keeps account of the end of a connection.
   *
   * @param why the code of our last word, also of one that could not be said; null if the peer went
   *     without one
   */
  void closed(Channel channel, @Nullable ErrorCode why) {
    counters.closed(why);
    LOG.atLevel(why == ErrorCode.SLOW ? Level.INFO : Level.DEBUG)
        .setMessage("closed")
        .addKeyValue("reason", why == null ? "lost" : LoopCounters.name(why))
        .addKeyValue("address", address(channel))
        .log();
  }

  /** Keeps account of a GAP, if events are missed. */
  void told(Channel channel, long missed) {
    if (missed > 0) {
      counters.gap(missed);
      LOG.atInfo()
          .setMessage("gap")
          .addKeyValue("missed", missed)
          .addKeyValue("address", address(channel))
          .log();
    }
  }

  /** As it stands in lines. */
  static String address(Channel channel) {
    return channel.remoteAddress() instanceof InetSocketAddress known
        ? NetUtil.toSocketAddressString(known)
        : "unknown";
  }

  @Override
  public void published() {
    if (eventLoop.inEventLoop()) {
      fanOut.walk();
    } else if (woken.compareAndSet(false, true)) {
      execute(
          () -> {
            woken.set(false);
            fanOut.walk();
          });
    }
  }

  @Override
  public void full(long startByte, long endByte) {
    if (restraint != null) {
      restraint.full(startByte, endByte);
    }
  }

  @Override
  public void retired(Segment segment) {
    if (eventLoop.inEventLoop()) {
      leave(segment);
    } else if (!execute(() -> leave(segment))) {
      segment.release();
    }
  }

  @Override
  public void eased() {
    execute(
        () -> {
          List<RoomLink> waited = List.copyOf(held);
          held.clear();
          waited.forEach(RoomLink::eased);
        });
  }

  /** Who speaks there waits until {@link #eased}. */
  void hold(RoomLink speaker) {
    held.add(speaker);
  }

  /** So much is on its way to the room's loop. */
  void departs(int bytes) {
    underwayBytes.addAndGet(bytes);
  }

  /** The room's loop has it. From there. */
  void arrived(int bytes) {
    if (underwayBytes.addAndGet(-bytes) <= UNDERWAY_MAX_BYTES / 2 && crowded) {
      crowded = false;
      eased();
    }
  }

  /** True if nothing more is to depart, until {@link #eased}. */
  boolean isCrowded() {
    if (underwayBytes.get() <= UNDERWAY_MAX_BYTES) {
      return false;
    }
    crowded = true;
    // What arrived before that will not ease anybody.
    return underwayBytes.get() > UNDERWAY_MAX_BYTES / 2;
  }

  /** Runs a task here; false if the loop has ended, and so have its connections. */
  boolean execute(Runnable task) {
    try {
      eventLoop.execute(task);
      return true;
    } catch (RejectedExecutionException e) {
      return false;
    }
  }

  private void leave(Segment segment) {
    fanOut.leave(segment);
    segment.release();
  }

  /** What is known here, to be asked on this loop. */
  Survey.Report report(long endByte) {
    LoopCounters sum = new LoopCounters();
    sum.add(counters);
    return new Survey.Report(sum, connections.size(), LongStream.of(fanOut.lagBytes(endByte)));
  }

  private void tick() {
    long real = nanoTime.getAsLong();
    counters.delayed(Math.max(0, real - tickedAtNanos - tickNanos));
    nowNanos += Math.min(real - tickedAtNanos, 2 * tickNanos);
    tickedAtNanos = real;
    for (int i = connections.size() - 1; i >= 0; i--) {
      Connection connection = connections.get(i);
      try {
        connection.tick();
      } catch (RuntimeException | OutOfMemoryError e) {
        connection.failed(e);
      }
    }
  }
}
