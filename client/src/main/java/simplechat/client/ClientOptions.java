package simplechat.client;

import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Random;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * What a client may be given beside the address.
 *
 * @param connectTimeout for all addresses of a name together
 * @param joinTimeout how long the server may take to answer a join
 * @param returnWithin how long a member that was lost looks for a way back, zero for not at all
 * @param trust to speak TLS, with servers that it covers and nobody else; null to speak without
 * @param keyInTheOpen whether a room's key may be sent where the network can read it
 * @param loops NIO event loops; whoever brings their own also shuts them down, at best after their
 *     clients have ended
 * @param nanoTime the clock by which silence is measured, monotonic, in nanoseconds
 * @param wallClock by which a sleep of the machine is noticed
 * @param jitter spreads the returns of many; used on the event loop only
 */
public record ClientOptions(
    Duration connectTimeout,
    Duration joinTimeout,
    Duration returnWithin,
    @Nullable Trust trust,
    boolean keyInTheOpen,
    EventLoopGroup loops,
    LongSupplier nanoTime,
    InstantSource wallClock,
    RandomGenerator jitter) {
  /** For {@link #withReturn}: as long as it takes. No time is longer than this. */
  public static final Duration FOREVER = Duration.ofDays(36_500);

  public ClientOptions {
    connectTimeout = atMostForever(connectTimeout);
    joinTimeout = atMostForever(joinTimeout);
    returnWithin = atMostForever(returnWithin);
  }

  private static Duration atMostForever(Duration time) {
    return time.compareTo(FOREVER) > 0 ? FOREVER : time;
  }

  /** 5 s to connect, 10 s to join, no return, and a daemon thread that all such clients share. */
  public static ClientOptions defaults() {
    return new ClientOptions(
        Duration.ofSeconds(5),
        Duration.ofSeconds(10),
        Duration.ZERO,
        null,
        false,
        SharedLoop.LOOP,
        System::nanoTime,
        InstantSource.system(),
        new Random());
  }

  /** The same with other limits of time. */
  public ClientOptions withTimeouts(Duration connect, Duration join) {
    return new ClientOptions(
        connect, join, returnWithin, trust, keyInTheOpen, loops, nanoTime, wallClock, jitter);
  }

  /**
   * The same for a member that comes back by itself, see {@link ChatClient}.
   *
   * @param within how long it tries, from the loss on
   */
  public ClientOptions withReturn(Duration within) {
    return new ClientOptions(
        connectTimeout,
        joinTimeout,
        within,
        trust,
        keyInTheOpen,
        loops,
        nanoTime,
        wallClock,
        jitter);
  }

  /** The same over TLS; null for without. */
  public ClientOptions withTls(@Nullable Trust other) {
    return new ClientOptions(
        connectTimeout,
        joinTimeout,
        returnWithin,
        other,
        keyInTheOpen,
        loops,
        nanoTime,
        wallClock,
        jitter);
  }

  /** The same, and whether a key may be sent without TLS beyond this machine. */
  public ClientOptions withKeyInTheOpen(boolean allowed) {
    return new ClientOptions(
        connectTimeout,
        joinTimeout,
        returnWithin,
        trust,
        allowed,
        loops,
        nanoTime,
        wallClock,
        jitter);
  }

  /** The same on other event loops. */
  public ClientOptions withLoops(EventLoopGroup other) {
    return new ClientOptions(
        connectTimeout,
        joinTimeout,
        returnWithin,
        trust,
        keyInTheOpen,
        other,
        nanoTime,
        wallClock,
        jitter);
  }

  /** The same by other clocks. */
  public ClientOptions withClocks(LongSupplier nanos, InstantSource wall) {
    return new ClientOptions(
        connectTimeout, joinTimeout, returnWithin, trust, keyInTheOpen, loops, nanos, wall, jitter);
  }

  /** The same by another chance. */
  public ClientOptions withJitter(RandomGenerator other) {
    return new ClientOptions(
        connectTimeout,
        joinTimeout,
        returnWithin,
        trust,
        keyInTheOpen,
        loops,
        nanoTime,
        wallClock,
        other);
  }

  /** Started by the first client that uses it; a daemon, so it never keeps a program alive. */
  private static final class SharedLoop {
    static final EventLoopGroup LOOP =
        new MultiThreadIoEventLoopGroup(
            1, new DefaultThreadFactory("chat-client", true), NioIoHandler.newFactory());
  }
}
