package simplechat.redis;

import io.lettuce.core.StreamMessage;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import simplechat.room.Room;

/**
 * This server's life as a node of the room: finds Redis and finds it again, keeps the lease, sends
 * what the {@link Outbox} holds and hands to the {@link Follower} what the stream brings.
 *
 * <p>Threading: the room's loop, but for {@link #isLive}. Endings: {@link #close}.
 */
final class Node {
  private static final Logger LOG = LoggerFactory.getLogger(Node.class);
  private static final Duration TICK = Duration.ofMillis(100);
  private static final Duration TRY_EVERY = Duration.ofMillis(250);

  // Entries that are read at once take about so much memory at most.
  private static final int READ_BYTES = 4 * 1024 * 1024;
  private static final int READ_MAX_ENTRIES = 256;
  private static final int READ_MIN_ENTRIES = 8;
  private static final String BEGUN_ANEW = "the room has begun anew";

  private enum State {
    DOWN,
    /** There is a link, and this node finds out where it stands. */
    ARRIVING,
    LIVE,
    CLOSED
  }

  private final RedisSettings settings;
  private final RedisKeys keys;
  private final LettuceClient client;
  private final Room.Loop loop;
  private final LongSupplier nanoTime;
  private final Publisher publisher;
  private final Follower follower;
  private final Life life;
  private final Lease lease;
  private final CompletableFuture<Void> started = new CompletableFuture<>();
  private volatile State state = State.DOWN;
  private @Nullable RedisLink link;
  private String epoch = "";
  private boolean looking;
  private long lookedAtNanos;
  private long callNanos;
  private long returns;
  private long downSinceNanos;

  Node(
      RedisSettings settings,
      LettuceClient client,
      Room.Loop loop,
      LongSupplier nanoTime,
      Outbox outbox,
      Follower follower,
      Life life) {
    this.settings = settings;
    this.keys = new RedisKeys(settings.prefix());
    this.client = client;
    this.loop = loop;
    this.nanoTime = nanoTime;
    this.follower = follower;
    this.life = life;
    this.lease = new Lease(settings.lease());
    this.publisher = new Publisher(settings, keys, this, outbox, life);
    this.downSinceNanos = nanoTime.getAsLong();
  }

  /** Completes when the room's past has been read and its present is being followed. */
  CompletionStage<Void> start() {
    rename();
    connect();
    tick();
    return started;
  }

  String name() {
    return lease.name();
  }

  String epoch() {
    return epoch;
  }

  boolean isLive() {
    return state == State.LIVE;
  }

  /** True if what is asked now will be answered soon. */
  boolean isPrompt() {
    return isLive() && publisher.isPrompt();
  }

  /** For how long the room has been out of reach. */
  Duration downFor() {
    return isLive() ? Duration.ZERO : Duration.ofNanos(nanoTime.getAsLong() - downSinceNanos);
  }

  /** How long Redis took to answer the last look. */
  long callNanos() {
    return callNanos;
  }

  /** How often the room was found again. */
  long returns() {
    return returns;
  }

  /** Sends the next requests, if none are on their way. */
  void publish() {
    RedisLink to = link;
    if (state == State.LIVE && to != null) {
      publisher.publish(to);
    }
  }

  /** The room is not what it was found to be. */
  void anew(String why) {
    LOG.error("the room begins anew: {}", why);
    String broken = epoch;
    rename();
    life.renamed(BEGUN_ANEW);
    open(broken);
  }

  /** Gives the lease back, and lets go of Redis: nothing is asked any more. */
  void release(Runnable then) {
    state = State.CLOSED;
    if (link == null) {
      then.run();
    } else {
      link.release(lease.name()).whenComplete((closed, e) -> loop.execute(then, 0));
      link = null;
    }
  }

  void close() {
    state = State.CLOSED;
    drop();
    started.completeExceptionally(new IllegalStateException("closed"));
  }

  private void drop() {
    if (link != null) {
      link.close();
      link = null;
    }
  }

  private void rename() {
    lease.anew();
    looking = false;
    publisher.clear();
  }

  private void connect() {
    if (state != State.CLOSED) {
      RedisLink.open(client, keys)
          .whenComplete((opened, e) -> loop.execute(() -> connected(opened, e), 0));
    }
  }

  private void connected(@Nullable RedisLink opened, @Nullable Throwable e) {
    if (opened == null) {
      failed(e == null ? new IllegalStateException() : e);
    } else if (state == State.CLOSED) {
      opened.close();
    } else {
      link = opened;
      state = State.ARRIVING;
      if (lease.isHeld()) {
        look();
      } else {
        open("");
      }
    }
  }

  /** Runs a step with what a link answered, if it is still the link. */
  <T> void on(RedisLink from, CompletionStage<T> answer, Consumer<T> step) {
    String asked = lease.name();
    answer.whenComplete(
        (value, e) ->
            loop.execute(
                () -> {
                  if (from != link || state == State.CLOSED || !asked.equals(lease.name())) {
                    return;
                  }
                  if (e != null) {
                    failed(e);
                    return;
                  }
                  try {
                    step.accept(value);
                  } catch (RuntimeException fault) {
                    LOG.error("a node failed", fault);
                    failed(fault);
                  }
                },
                0));
  }

  private void failed(Throwable e) {
    if (state == State.CLOSED) {
      return;
    }
    boolean atOnce = state == State.LIVE;
    if (atOnce) {
      downSinceNanos = nanoTime.getAsLong();
      LOG.warn("lost the room at {}: {}", settings.place(), Calls.reason(e));
    }
    drop();
    state = State.DOWN;
    looking = false;
    publisher.giveUp();
    if (epoch.isEmpty()) {
      started.completeExceptionally(Calls.noRoom(settings, e));
      return;
    }
    life.moved();
    loop.execute(this::connect, atOnce ? 0 : TRY_EVERY.toNanos());
  }

  private void open(String broken) {
    RedisLink to = link;
    if (to == null) {
      return;
    }
    long asked = nanoTime.getAsLong();
    downSinceNanos = isLive() ? asked : downSinceNanos;
    state = State.ARRIVING;
    String name = lease.name();
    on(
        to,
        to.run(Script.OPEN, name, Calls.open(settings, keys, broken, name)),
        reply -> opened(to, reply, asked));
  }

  private void opened(RedisLink from, List<Object> reply, long askedAtNanos) {
    if (reply.size() == 1) {
      leaseIsOver();
      return;
    }
    Snapshot room = Snapshot.of(reply);
    boolean first = lease.granted(askedAtNanos);
    if (!room.epoch().equals(epoch)) {
      boolean again = !epoch.isEmpty();
      new Recall(this, from, follower, room)
          .begin(
              () -> {
                epoch = room.epoch();
                if (again) {
                  life.renamed(BEGUN_ANEW);
                }
              },
              this::live);
    } else if (first) {
      live();
    } else {
      LOG.warn("{} events were gone before they could be read", room.end() - follower.end());
      follower.catchUp(room, lease.name());
      if (settle(room.taken(), room.end())) {
        live();
      }
    }
  }

  private void live() {
    LOG.info("follows the room at {}", settings.place());
    if (!started.complete(null)) {
      returns++;
    } else if (link != null) {
      link.warnOfEviction();
    }
    state = State.LIVE;
    life.moved();
    read();
    publish();
  }

  private void read() {
    RedisLink from = link;
    if (state != State.LIVE || from == null) {
      return;
    }
    int count = Math.min(READ_MAX_ENTRIES, READ_BYTES / settings.maxText());
    on(from, from.read(follower.lastId(), Math.max(READ_MIN_ENTRIES, count)), this::came);
  }

  private void came(@Nullable List<StreamMessage<byte[], byte[]>> entries) {
    if (state != State.LIVE) {
      return;
    }
    if (entries == null) {
      read();
      return;
    }
    for (StreamMessage<byte[], byte[]> entry : entries) {
      switch (follower.apply(entry, lease.name())) {
        case DONE -> {}
        case BEHIND_HOLE -> {
          open("");
          return;
        }
        case OTHER_STREAM -> {
          anew("its stream is an older one");
          return;
        }
      }
    }
    life.moved();
    read();
  }

  /** A script has nothing done. */
  void refused(long verdict) {
    if (verdict == -1) {
      anew("it is not the one that was read");
    } else if (verdict == -2) {
      leaseIsOver();
    } else {
      failed(new IllegalStateException("an earlier call came late"));
    }
  }

  private boolean settle(long taken, long end) {
    if (publisher.settle(taken, end)) {
      return true;
    }
    anew("it has forgotten what it took");
    return false;
  }

  private void look() {
    RedisLink to = link;
    if (to == null || looking) {
      return;
    }
    looking = true;
    long asked = nanoTime.getAsLong();
    String name = lease.name();
    var call = Calls.look(settings, keys, epoch, name, follower.lastId(), follower.end());
    on(to, to.run(Script.LOOK, name, call), reply -> looked(reply, asked));
  }

  private void looked(List<Object> reply, long askedAtNanos) {
    looking = false;
    lookedAtNanos = nanoTime.getAsLong();
    callNanos = lookedAtNanos - askedAtNanos;
    long verdict = Snapshot.number(reply, 0);
    if (verdict < 0) {
      refused(verdict);
    } else {
      lease.granted(askedAtNanos);
      long end = Snapshot.number(reply, 1);
      if (state == State.LIVE) {
        life.looked(end);
      } else if (settle(Snapshot.number(reply, 2), end)) {
        live();
      }
    }
  }

  private void leaseIsOver() {
    LOG.warn("this node was away for too long");
    rename();
    life.renamed("this server was cut off from the room");
    if (state != State.DOWN) {
      open("");
    }
  }

  private void tick() {
    if (state == State.CLOSED) {
      return;
    }
    loop.execute(this::tick, TICK.toNanos()); // first, so that a fault does not cost the lease
    long now = nanoTime.getAsLong();
    if (lease.isOver(now)) {
      leaseIsOver();
    }
    if (state == State.LIVE && now - lookedAtNanos > settings.lookEvery().toNanos()) {
      look();
    }
    publisher.ticked();
    life.ticked();
  }
}
