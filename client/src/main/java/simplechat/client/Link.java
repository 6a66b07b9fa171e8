package simplechat.client;

import io.netty.channel.EventLoop;
import io.netty.util.concurrent.Future;
import io.netty.util.concurrent.FutureListener;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import simplechat.protocol.ServerMessage.Welcome;

/**
 * The way from a session to its server: the connection of the moment and, for a member that lost
 * it, the next one.
 *
 * <pre>
 *   connect --> connection --- lost or BYE 3xx, as a member ---> waiting --> connecting --> HELLO
 *                   ^  |                                            ^            |            |
 *                   |  +-- any other end --> over                   +-- failed --+-- lost ----+
 *                   +------------------- WELCOME ---------------------------------------------+
 * </pre>
 *
 * <p>Threading: confined to its event loop, but for {@link #connect} and {@link #ended}. Bounds:
 * one connection at a time, tried for as seldom as {@link BackOff} says whatever the server does,
 * and for {@link ClientOptions#returnWithin} after a loss.
 *
 * <p>Endings: told to the session first, then by {@link #ended}; if the loop has ended before, on
 * another thread.
 */
final class Link {
  private static final long FAREWELL_MILLIS = 2_000;

  /** With the wait for the next look and the longest first wait below 5 s after a sleep. */
  private static final long PROBE_MILLIS = 1_500;

  private final String host;
  private final int port;
  private final ClientOptions options;
  private final EventLoop loop;
  private final Session session;
  private final BackOff backOff;
  private final FutureListener<Object> loopEnd = done -> loopEnded();
  private final CompletableFuture<Link> connected = new CompletableFuture<>();
  private final CompletableFuture<Goodbye> ended = new CompletableFuture<>();
  private @Nullable Connection connection;
  private @Nullable Future<?> retry;
  private @Nullable Future<?> giveUp;
  private @Nullable Future<?> looking;
  private @Nullable Wakefulness wakefulness;
  private boolean reading = true;
  private boolean closing;
  private boolean heldOff;
  private long attempt;
  private long lostNanos;
  private long lostWallMillis;

  Link(String host, int port, ClientOptions options, EventLoop loop, Session session) {
    this.host = host;
    this.port = port;
    this.options = options;
    this.loop = loop;
    this.session = session;
    this.backOff = new BackOff(options.jitter(), options.nanoTime());
  }

  EventLoop loop() {
    return loop;
  }

  CompletableFuture<Goodbye> ended() {
    return ended;
  }

  /** The first connection. Its failure is the caller's to tell. */
  CompletableFuture<Link> connect() {
    loop.terminationFuture().addListener(loopEnd);
    try {
      connector().connect().whenCompleteAsync(this::connected, loop);
    } catch (RejectedExecutionException e) {
      // The end of the loop is told in any case.
    }
    return connected;
  }

  private void connected(@Nullable Connection made, @Nullable Throwable failure) {
    if (made != null) {
      use(made);
      connected.complete(this);
    } else if (failure != null) {
      loop.terminationFuture().removeListener(loopEnd);
      connected.completeExceptionally(failure);
    }
  }

  /** Nothing more comes from there: neither a timer nor the end of what was begun. */
  private void loopEnded() {
    Goodbye why = Goodbye.closed(Goodbye.LOOP_ENDED);
    Exception cause = new RejectedExecutionException(why.text());
    if (!connected.completeExceptionally(new CannotConnectException(host, port, cause))) {
      finish(why);
    }
  }

  void join(JoinRequest request, CompletableFuture<Welcome> result) {
    if (connection != null) {
      connection.limit(result);
    }
    result.thenAccept(welcome -> welcomed());
    session.join(request, result);
  }

  /** Leaves in order, also if a way back must be found for it; closes if there is nothing to do. */
  void leave() {
    boolean member = session.leave();
    if (!member || (session.isAway() && session.isLeft())) {
      end(Goodbye.closed("closed"));
    }
  }

  /** Leaves, but waits neither for a way back nor longer than for a farewell. */
  void close() {
    closing = true;
    if (session.isAway() || !session.leave()) {
      end(Goodbye.closed("closed"));
    } else {
      after(FAREWELL_MILLIS, () -> end(Goodbye.closed("closed")));
    }
  }

  void reading(boolean on) {
    reading = on;
    // At the door it is read whatever was asked: whoever reads nothing sees no welcome either.
    boolean inside = session.isMember() && !session.isAway();
    if (connection != null && (on || inside)) {
      connection.reading(on);
    }
  }

  private Connector connector() {
    return new Connector(
        host, port, options, loop, channel -> new Connection(channel, session, options));
  }

  private void use(Connection made) {
    connection = made;
    session.use(made::write);
    made.ended().thenAccept(this::over);
  }

  private void over(Goodbye goodbye) {
    connection = null;
    boolean returns = !options.returnWithin().isZero() && session.isMember();
    if (!returns || closing || !goodbye.allowsReturn() || session.isLeft()) {
      finish(goodbye);
      return;
    }
    if (!session.isAway()) {
      lostNanos = options.nanoTime().getAsLong();
      lostWallMillis = options.wallClock().millis();
      giveUp = after(options.returnWithin().toMillis(), () -> end(goodbye));
    }
    session.lose(goodbye);
    heldOff = goodbye.retryAfterSeconds() > 0;
    tryAgain(backOff.next(goodbye.retryAfterSeconds()));
  }

  private void tryAgain(Duration wait) {
    long current = ++attempt;
    retry = after(wait.toMillis(), () -> comeBack(current));
  }

  private void comeBack(long current) {
    heldOff = false;
    connector()
        .connect()
        .whenCompleteAsync(
            (made, failure) -> {
              if (current != attempt || ended.isDone()) {
                abandon(made);
              } else if (made == null) {
                tryAgain(backOff.next(0));
              } else {
                comeBack(made);
              }
            },
            loop);
  }

  private void comeBack(Connection made) {
    use(made);
    CompletableFuture<Welcome> result = new CompletableFuture<>();
    result.whenComplete(
        (welcome, failure) -> {
          if (failure instanceof RefusedException refused) {
            end(
                new Goodbye(
                    Goodbye.Ending.REFUSED,
                    refused.code(),
                    0,
                    String.valueOf(refused.getMessage())));
          } else if (welcome != null) {
            welcomed();
          }
        });
    made.limit(result);
    session.comeBack(sinceLoss(), result);
  }

  private void welcomed() {
    cancel(giveUp);
    if (connection != null && !reading) {
      connection.reading(false);
    }
    if (looking == null && !options.returnWithin().isZero()) {
      wakefulness = new Wakefulness(options.nanoTime(), options.wallClock());
      // Not at a fixed rate: what a sleep left out is not to be made up for.
      looking =
          loop.scheduleWithFixedDelay(
              this::look, Wakefulness.LOOK_MILLIS, Wakefulness.LOOK_MILLIS, TimeUnit.MILLISECONDS);
    }
  }

  /** By whichever clock went on. */
  private Duration sinceLoss() {
    Duration awake = Duration.ofNanos(options.nanoTime().getAsLong() - lostNanos);
    Duration asleepToo = Duration.ofMillis(options.wallClock().millis() - lostWallMillis);
    return awake.compareTo(asleepToo) > 0 ? awake : asleepToo;
  }

  private void look() {
    if (wakefulness == null || !wakefulness.slept() || ended.isDone()) {
      return;
    }
    backOff.slept();
    if (connection != null) {
      connection.probe(PROBE_MILLIS);
    } else if (!heldOff) {
      cancel(retry);
      tryAgain(backOff.next(0));
    }
  }

  private void end(Goodbye goodbye) {
    if (connection != null) {
      closing = true;
      connection.end(goodbye);
    } else {
      finish(goodbye);
    }
  }

  private void finish(Goodbye goodbye) {
    if (ended.isDone()) {
      return;
    }
    attempt++;
    cancel(retry);
    cancel(giveUp);
    cancel(looking);
    loop.terminationFuture().removeListener(loopEnd);
    session.end(goodbye);
    ended.complete(goodbye);
  }

  private Future<?> after(long millis, Runnable task) {
    return loop.schedule(task, millis, TimeUnit.MILLISECONDS);
  }

  private void cancel(@Nullable Future<?> timer) {
    if (timer != null && !loop.isShutdown()) {
      timer.cancel(false);
    }
  }

  /** Somebody else has found the way meanwhile, or it is not looked for any more. */
  private static void abandon(@Nullable Connection made) {
    if (made != null) {
      made.end(Goodbye.closed("not needed"));
    }
  }
}
