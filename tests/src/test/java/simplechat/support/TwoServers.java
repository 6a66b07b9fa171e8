package simplechat.support;

import java.time.Duration;
import java.util.List;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import simplechat.protocol.ServerMessage.Joined;
import simplechat.redis.RedisSettings;

/**
 * A room of two servers: alice is at one, and bob, who came after her, at the other, whose way to
 * Redis may be cut. Both servers may log errors.
 */
public final class TwoServers implements AutoCloseable {
  private final RedisServer redis = RedisServer.start();
  private final @Nullable Strait strait;
  private final RunningServer one;
  private final RunningServer two;
  private final RawPeer alice;
  private final RawPeer bob;

  private TwoServers(boolean apart, Duration lease) {
    strait = apart ? Strait.to(redis.port()) : null;
    one = node(redis.uri(), lease);
    two = node(strait == null ? redis.uri() : strait.uri(), lease);
    alice = one.join("alice");
    bob = two.join("bob");
    alice.expect(Joined.class);
    long from = bob.stream().welcome().head();
    alice.chainFrom(from);
    bob.chainFrom(from);
  }

  public static TwoServers start() {
    return new TwoServers(false, RedisSettings.LEASE);
  }

  /** With a strait between the second server and Redis. */
  public static TwoServers apart() {
    return apart(RedisSettings.LEASE);
  }

  public static TwoServers apart(Duration lease) {
    return new TwoServers(true, lease);
  }

  /** A server that may log errors. */
  public static RunningServer node(String uri, Duration lease) {
    RedisSettings settings =
        new RedisSettings(uri, "chat", 100_000, lease, Duration.ofMinutes(2), 65_536);
    return RunningServer.node(settings, UnaryOperator.identity()).toleratingErrors();
  }

  public RedisServer redis() {
    return redis;
  }

  public Strait strait() {
    if (strait == null) {
      throw new IllegalStateException("not apart");
    }
    return strait;
  }

  public RunningServer one() {
    return one;
  }

  public RunningServer two() {
    return two;
  }

  public RawPeer alice() {
    return alice;
  }

  public RawPeer bob() {
    return bob;
  }

  /** Until both have folded so many texts; their chains must be the same. */
  public void awaitSameChains(int texts) {
    try (Together threads = new Together()) {
      for (RawPeer peer : List.of(alice, bob)) {
        threads.run(
            () -> {
              while (peer.chain().count() < texts) {
                peer.next();
              }
            });
      }
      threads.join();
    }
    if (alice.chain().hash() != bob.chain().hash()) {
      throw new AssertionError("alice has " + alice.chain() + ", bob " + bob.chain());
    }
  }

  @Override
  public void close() {
    try (RedisServer last = redis;
        Strait before = strait;
        RunningServer first = one;
        RunningServer second = two) {
      first.hangUp();
      second.hangUp();
    }
  }
}
