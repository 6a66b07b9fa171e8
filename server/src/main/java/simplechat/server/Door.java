package simplechat.server;

import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.EventLoop;
import io.netty.util.AttributeKey;
import java.io.IOException;
import java.time.Duration;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import simplechat.protocol.ErrorCode;
import simplechat.protocol.ServerMessage.Bye;

/**
 * Who may come in. Each connection is judged as it is accepted, what costs least first: how many
 * its address has, how many there are, how many have not joined. Those who may not are told so, by
 * a connection that knows of it from {@link #REFUSAL}, or by the event of that name.
 *
 * <p>Where the descriptors run out, as many connections as there are then are held to be all there
 * can be, and the {@link SpareDescriptors} serve to tell those who come.
 *
 * <p>Threading: the listening socket's loop, where {@link #joined} goes by itself. Bounds: an
 * address is known as long as it has connections; {@link #REFUSED_MAX} refused ones are open, the
 * oldest goes.
 */
final class Door extends ChannelInboundHandlerAdapter {
  /** Why a connection is not let in. */
  static final AttributeKey<Refusal> REFUSAL = AttributeKey.valueOf(Door.class, "refusal");

  /** Below the {@link DescriptorLimit#HEAD_ROOM}, which has to do for the rest of the program. */
  static final int REFUSED_MAX = 64;

  /**
   * Who is refused has at least so long to read why, and no more than {@link #REFUSED_MAX} are
   * refused in that time: what all those cost who try again and again is bounded by it.
   */
  private static final long REFUSED_MIN_NANOS = Duration.ofMillis(8).toNanos();

  /** Many are accepted in one turn: what they have sent already is to be read first. */
  private static final long CHOOSE_NANOS = Duration.ofMillis(10).toNanos();

  private static final long EXHAUSTED_NANOS = Duration.ofMillis(100).toNanos();
  private static final long RECOVER_NANOS = Duration.ofSeconds(1).toNanos();
  private static final long WARN_NANOS = Duration.ofMinutes(1).toNanos();

  private static final Logger LOG = LoggerFactory.getLogger(Door.class);

  enum Refusal {
    ADDRESS_FULL("too many connections from this address"),
    BARRED("too many wrong keys from this address", (int) KeyGuard.BARRED.toSeconds()),
    SERVER_FULL("the server is full"),
    DOOR_FULL("too many wait to join");

    private final String text;
    private final int retryAfterSeconds;

    Refusal(String text) {
      this(text, ChatServer.RETRY_MAX_SECONDS);
    }

    Refusal(String text, int retryAfterSeconds) {
      this.text = text;
      this.retryAfterSeconds = retryAfterSeconds;
    }

    Bye bye() {
      return new Bye(ErrorCode.SERVER_FULL, retryAfterSeconds, text);
    }
  }

  private final ServerConfig config;
  private final KeyGuard keyGuard;
  private final EventLoop loop;
  private final Backlog backlog;
  private final ChannelFutureListener onClose = future -> onLoop(() -> closed(future.channel()));
  private final Map<Address, Integer> addresses = new HashMap<>();
  private final Set<Channel> pending = new LinkedHashSet<>();
  private final Map<Channel, Long> refusedAtNanos = new LinkedHashMap<>();
  private final SpareDescriptors spare = new SpareDescriptors();
  private final int maxAdmitted;
  private boolean choosing;
  private int limit;
  private int admitted;
  private long warnedAtNanos = System.nanoTime() - WARN_NANOS;

  Door(ServerConfig config, EventLoop loop, KeyGuard keyGuard, Backlog backlog) {
    this.config = config;
    this.keyGuard = keyGuard;
    this.loop = loop;
    this.backlog = backlog;
    this.maxAdmitted = config.maxConnections();
    this.limit = maxAdmitted;
  }

  /** The connection need not be counted among those who wait to join. */
  void joined(Channel member) {
    onLoop(() -> pending.remove(member));
  }

  /** How many addresses are known. */
  int addresses() {
    return addresses.size();
  }

  /** How many connections have not joined, or wait for their end. */
  int pending() {
    return pending.size();
  }

  @Override
  public void handlerAdded(ChannelHandlerContext ctx) {
    spare.hold();
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    spare.release();
    ctx.fireChannelInactive();
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object accepted) {
    Channel visitor = (Channel) accepted;
    Refusal refusal = judge(visitor);
    if (refusal == null) {
      admitted++;
      pending.add(visitor);
      if (config.maxPerAddress() > 0) {
        addresses.merge(Address.of(visitor), 1, Integer::sum);
      }
    } else {
      visitor.attr(REFUSAL).set(refusal);
      makeRoomToRefuse(ctx.channel());
      refusedAtNanos.put(visitor, System.nanoTime());
    }
    visitor.closeFuture().addListener(onClose);
    backlog.arrives();
    ctx.fireChannelRead(visitor);
    if (pending.size() > config.maxPending() && !choosing) {
      choosing = true;
      after(CHOOSE_NANOS, this::turnAwayOldest);
    }
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    if (!(cause instanceof IOException)) {
      ctx.fireExceptionCaught(cause);
      return;
    }
    // Whatever it was, an accept that fails fails again at once: without a rest it would spin.
    pause(ctx.channel(), EXHAUSTED_NANOS);
    long now = System.nanoTime();
    if (now - warnedAtNanos >= WARN_NANOS) {
      warnedAtNanos = now;
      LOG.warn("cannot accept at {} connections: {}", admitted, cause.getMessage());
    }
    if (spare.release()) {
      limit = Math.min(limit, admitted);
      after(RECOVER_NANOS, this::recover);
    }
  }

  private @Nullable Refusal judge(Channel visitor) {
    int most = config.maxPerAddress();
    if (most > 0 && addresses.getOrDefault(Address.of(visitor), 0) >= most) {
      return Refusal.ADDRESS_FULL;
    }
    if (keyGuard.bars(Address.of(visitor))) {
      return Refusal.BARRED;
    }
    return admitted >= limit ? Refusal.SERVER_FULL : null;
  }

  private void makeRoomToRefuse(Channel listener) {
    int most = limit < maxAdmitted ? SpareDescriptors.COUNT / 2 : REFUSED_MAX;
    while (refusedAtNanos.size() >= most) {
      Iterator<Map.Entry<Channel, Long>> eldest = refusedAtNanos.entrySet().iterator();
      Map.Entry<Channel, Long> goes = eldest.next();
      if (System.nanoTime() - goes.getValue() < REFUSED_MIN_NANOS) {
        pause(listener, REFUSED_MIN_NANOS);
      }
      eldest.remove();
      goes.getKey().close();
    }
  }

  private void turnAwayOldest() {
    choosing = false;
    Iterator<Channel> eldest = pending.iterator();
    while (pending.size() > config.maxPending()) {
      Channel goes = eldest.next();
      eldest.remove();
      goes.pipeline().fireUserEventTriggered(Refusal.DOOR_FULL);
    }
  }

  private void closed(Channel visitor) {
    if (visitor.hasAttr(REFUSAL)) {
      refusedAtNanos.remove(visitor);
      return;
    }
    admitted--;
    pending.remove(visitor);
    if (config.maxPerAddress() > 0) {
      addresses.computeIfPresent(
          Address.of(visitor), (address, count) -> count == 1 ? null : count - 1);
    }
  }

  /** Tries whether there are descriptors again. */
  private void recover() {
    if (spare.hold()) {
      limit = maxAdmitted;
    } else {
      after(RECOVER_NANOS, this::recover);
    }
  }

  private void pause(Channel listener, long nanos) {
    if (listener.config().isAutoRead()) {
      listener.config().setAutoRead(false);
      after(
          nanos,
          () -> {
            if (listener.isOpen()) {
              listener.config().setAutoRead(true);
            }
          });
    }
  }

  private void after(long nanos, Runnable task) {
    loop.schedule(task, nanos, TimeUnit.NANOSECONDS);
  }

  private void onLoop(Runnable task) {
    if (loop.inEventLoop()) {
      task.run();
      return;
    }
    try {
      loop.execute(task);
    } catch (RejectedExecutionException e) {
      // The server has ended, and with it what was counted.
    }
  }
}
