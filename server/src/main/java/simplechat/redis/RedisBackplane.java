package simplechat.redis;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import simplechat.protocol.ClientMessage;
import simplechat.protocol.ErrorCode;
import simplechat.protocol.ResumeToken;
import simplechat.protocol.ServerMessage.LeftWhy;
import simplechat.room.Arrival;
import simplechat.room.Backplane;
import simplechat.room.Ledger;
import simplechat.room.LinkStatus;
import simplechat.room.Member;

/**
 * The order of a room that many servers share: what is asked is done when it has come back from
 * Redis.
 *
 * <p>Threading: the room's loop. Bounds: {@link #TEXTS_MAX} texts or {@link #BYTES_MAX} wait for
 * Redis; beyond, members are read more slowly while Redis keeps up, and refused while it does not.
 */
final class RedisBackplane implements Backplane, Follower.Desk, Life {
  private static final int TEXTS_MAX = 1000;
  private static final int BYTES_MAX = 1024 * 1024;

  /** What other loops had read when they were told to wait must find a place. */
  private static final int OVERSHOOT = 16;

  private static final Duration JOINS_WAIT = Duration.ofSeconds(3);
  private static final Duration DRAIN = Duration.ofSeconds(3);
  private static final byte[] NONE = {};
  private static final String OUT_OF_REACH = "the room is out of reach";

  private final Ledger ledger;
  private final EventLoop roomLoop;
  private final LettuceClient client;
  private final Follower follower;
  private final Outbox outbox = new Outbox();
  private final Node node;
  private final SecureRandom random = new SecureRandom();
  private final CompletableFuture<Void> started = new CompletableFuture<>();

  /** Who is at the door, by the number of the request that was sent. */
  private final Map<Long, Arrival> arrivals = new HashMap<>();

  /**
   * Of those, the ones whose answer was lost: taken if the stream does not say otherwise by then.
   */
  private final Map<Long, Long> unseen = new HashMap<>();

  /**
   * SENDs that were refused and have not been told, of each member the last: asked as who it was
   * then, so it has no effect on a session that has gone on elsewhere.
   */
  private final Map<Member, Request> counted = new HashMap<>();

  private final Doubts doubts = new Doubts();

  private volatile Pressure pressure = Pressure.NONE;
  private @Nullable Runnable drained;
  private long drainUntilNanos;
  private Set<Member> leaving = Set.of();

  private RedisBackplane(
      RedisSettings settings, Ledger ledger, EventLoopGroup loops, EventLoop roomLoop) {
    this.ledger = ledger;
    this.roomLoop = roomLoop;
    this.client = new LettuceClient(settings.uri(), loops);
    this.follower = new Follower(ledger, this);
    this.node = new Node(settings, client, this::onRoom, System::nanoTime, outbox, follower, this);
  }

  /** See {@link RedisSettings#open}. */
  static CompletionStage<RedisBackplane> open(
      RedisSettings settings, Ledger ledger, EventLoopGroup loops, EventLoop roomLoop) {
    RedisBackplane backplane = new RedisBackplane(settings, ledger, loops, roomLoop);
    roomLoop.execute(backplane::start);
    return backplane.started.thenApply(done -> backplane);
  }

  private void start() {
    node.start()
        .whenComplete(
            (done, e) -> {
              if (e == null) {
                started.complete(null);
              } else {
                close();
                started.completeExceptionally(e);
              }
            });
  }

  @Override
  public void join(Arrival arrival) {
    ClientMessage.Resume resume = arrival.resume();
    boolean returns =
        resume != null
            && String.format("%016x", resume.epoch()).equals(node.epoch())
            && resume.next() >= 0
            && resume.next() <= 1L << 52;
    if (returns && resume != null) {
      // The welcome counts it.
      List.copyOf(counted.keySet()).stream()
          .filter(member -> member.token().equals(resume.token()))
          .forEach(this::tellCounted);
    }
    add(
        Request.of(
            arrival,
            new byte[][] {
              Request.bytes(new ResumeToken(random.nextLong(), random.nextLong()).hex()),
              returns && resume != null ? Request.bytes(resume.token().hex()) : NONE,
              Request.bytes(returns && resume != null ? resume.next() : 0),
              Request.bytes(arrival.name().folded()),
              Request.bytes(arrival.name().shown()),
              NONE
            }));
  }

  @Override
  public void say(Member member, int sendNo, ByteBuf text, int index, int length) {
    counted.remove(member);
    add(asked('M', member, sendNo, ByteBufUtil.getBytes(text, index, length)));
  }

  @Override
  public void count(Member member, int sendNo) {
    counted.put(member, asked('C', member, sendNo, NONE));
  }

  @Override
  public void leave(Member member, LeftWhy why) {
    tellCounted(member);
    add(asked('L', member, why.number(), NONE));
  }

  @Override
  public Pressure pressure() {
    return pressure;
  }

  @Override
  public @Nullable String unready() {
    return node.isLive() ? null : OUT_OF_REACH;
  }

  @Override
  public @Nullable String closedBecause() {
    return node.downFor().compareTo(JOINS_WAIT) > 0 ? OUT_OF_REACH : null;
  }

  @Override
  public LinkStatus link() {
    return new LinkStatus(
        node.isLive(),
        outbox.texts(),
        outbox.bytes(),
        node.callNanos(),
        follower.foreign(),
        node.returns());
  }

  @Override
  public void drain(Iterable<Member> here, Runnable done) {
    Set<Member> members = new HashSet<>();
    for (Member member : here) {
      members.add(member);
      leave(member, LeftWhy.SHUTDOWN);
    }
    leaving = members;
    drained = done;
    drainUntilNanos = System.nanoTime() + DRAIN.toNanos();
    endDrain();
  }

  @Override
  public void close() {
    node.close();
    client.close();
  }

  @Override
  public @Nullable Arrival arrival(long number) {
    unseen.remove(number);
    return arrivals.remove(number);
  }

  @Override
  public void orphan(Member member) {
    leave(member, LeftWhy.LOST);
  }

  @Override
  public void done(long number, Request request, long result) {
    Arrival arrival = request.arrival();
    if (arrival != null && result != 1 && arrivals.remove(number) != null) {
      arrival.nameTaken();
    } else if (arrival == null && result != 1) {
      doubts.add(request);
    }
  }

  @Override
  public void sending(long number, List<Request> call) {
    long at = number;
    for (Request request : call) {
      Arrival arrival = request.arrival();
      if (arrival != null) {
        arrivals.put(at, arrival);
      }
      at++;
    }
  }

  @Override
  public void looked(long end) {
    doubts.looked(end);
  }

  @Override
  public void takenUnseen(long number, Request request, long end) {
    if (arrivals.containsKey(number)) {
      unseen.put(number, end);
    }
  }

  @Override
  public void forgotten(Request request) {
    turnAway(request.arrival());
  }

  @Override
  public void renamed(String why) {
    for (Member member : ledger.sessions().everybody()) {
      ledger.dismiss(member, why);
    }
    arrivals.values().forEach(RedisBackplane::turnAway);
    arrivals.clear();
    unseen.clear();
    counted.clear();
    doubts.clear();
    press();
  }

  @Override
  public void moved() {
    unseen.entrySet().removeIf(this::isSeen);
    if (doubts.settle(ledger)) {
      node.anew("a member who is there is not known to it");
    }
    press();
    endDrain();
  }

  @Override
  public void ticked() {
    if (closedBecause() != null) {
      outbox.withdraw(request -> request.arrival() != null, request -> turnAway(request.arrival()));
      arrivals.values().forEach(RedisBackplane::turnAway);
      arrivals.clear();
      unseen.clear();
    }
    if (node.isPrompt() && !counted.isEmpty()) {
      List.copyOf(counted.keySet()).forEach(this::tellCounted);
    }
    press();
    endDrain();
  }

  private void tellCounted(Member member) {
    Request request = counted.remove(member);
    if (request != null) {
      add(request);
    }
  }

  /** Nobody has joined by this request, although all that came of it has been read. */
  private boolean isSeen(Map.Entry<Long, Long> request) {
    boolean seen = request.getValue() <= ledger.end();
    Arrival refused = seen ? arrivals.remove(request.getKey()) : null;
    if (refused != null) {
      refused.nameTaken();
    }
    return seen;
  }

  private static void turnAway(@Nullable Arrival arrival) {
    if (arrival != null) {
      arrival.connection().refused(ErrorCode.INTERNAL, OUT_OF_REACH);
    }
  }

  private Request asked(char kind, Member member, int what, byte[] text) {
    return Request.of(
        kind,
        member,
        new byte[][] {
          Request.bytes(member.token().hex()),
          Request.bytes(member.ordinal()),
          Request.bytes(what),
          NONE,
          NONE,
          text
        });
  }

  private void add(Request request) {
    outbox.add(request);
    press();
    node.publish();
  }

  private void press() {
    boolean full = outbox.texts() >= TEXTS_MAX || outbox.bytes() >= BYTES_MAX;
    boolean half = outbox.texts() >= TEXTS_MAX / 2 || outbox.bytes() >= BYTES_MAX / 2;
    Pressure now = Pressure.NONE;
    if (!node.isPrompt()) {
      now = full ? Pressure.REFUSE : Pressure.NONE;
    } else if (outbox.texts() >= OVERSHOOT * TEXTS_MAX
        || outbox.bytes() >= (long) OVERSHOOT * BYTES_MAX) {
      now = Pressure.REFUSE;
    } else if (half) {
      now = Pressure.WAIT;
    }
    if (now != pressure) {
      boolean eases = pressure == Pressure.WAIT;
      pressure = now;
      if (eases) {
        ledger.eased();
      }
    }
  }

  private void endDrain() {
    Runnable then = drained;
    if (then == null) {
      return;
    }
    leaving.removeIf(member -> member.connection() == null);
    boolean all = leaving.isEmpty() && outbox.isEmpty() && arrivals.isEmpty();
    if (all || System.nanoTime() - drainUntilNanos > 0) {
      drained = null;
      node.release(then);
    }
  }

  private void onRoom(Runnable task, long delayNanos) {
    if (delayNanos > 0) {
      roomLoop.schedule(task, delayNanos, TimeUnit.NANOSECONDS);
    } else {
      roomLoop.execute(task);
    }
  }
}
