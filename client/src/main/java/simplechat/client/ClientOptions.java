package simplechat.client;

import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.time.Duration;
import java.util.function.LongSupplier;

/**
 * What a client may be given beside the address.
 *
 * @param connectTimeout for all addresses of a name together
 * @param joinTimeout how long the server may take to answer a join
 * @param loops NIO event loops; whoever brings their own also shuts them down
 * @param nanoTime the clock by which silence is measured, monotonic, in nanoseconds
 */
public record ClientOptions(
    Duration connectTimeout, Duration joinTimeout, EventLoopGroup loops, LongSupplier nanoTime) {

  /** 5 s to connect, 10 s to join, and the one daemon thread that all such clients share. */
  public static ClientOptions defaults() {
    return new ClientOptions(
        Duration.ofSeconds(5), Duration.ofSeconds(10), SharedLoop.LOOP, System::nanoTime);
  }

  /** The same with other limits of time. */
  public ClientOptions withTimeouts(Duration connect, Duration join) {
    return new ClientOptions(connect, join, loops, nanoTime);
  }

  /** The same on other event loops. */
  public ClientOptions withLoops(EventLoopGroup other) {
    return new ClientOptions(connectTimeout, joinTimeout, other, nanoTime);
  }

  /** The same by another clock. */
  public ClientOptions withNanoTime(LongSupplier clock) {
    return new ClientOptions(connectTimeout, joinTimeout, loops, clock);
  }

  /** Started by the first client that uses it; a daemon, so it never keeps a program alive. */
  private static final class SharedLoop {
    static final EventLoopGroup LOOP =
        new MultiThreadIoEventLoopGroup(
            1, new DefaultThreadFactory("chat-client", true), NioIoHandler.newFactory());
  }
}
