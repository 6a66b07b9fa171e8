package simplechat.support;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import simplechat.redis.RedisSettings;
import simplechat.server.ServerConfig;

/** Several servers in this process that are one room. */
public final class Nodes implements AutoCloseable {
  private final List<RunningServer> nodes = new ArrayList<>();

  private Nodes() {}

  public static Nodes start(RedisServer redis, int count) {
    return start(settings(redis.uri()), count, UnaryOperator.identity());
  }

  public static Nodes start(
      RedisSettings settings, int count, UnaryOperator<ServerConfig.Builder> tweak) {
    Nodes room = new Nodes();
    for (int i = 0; i < count; i++) {
      room.nodes.add(RunningServer.node(settings, tweak));
    }
    return room;
  }

  /** As the program has them, by default. */
  public static RedisSettings settings(String uri) {
    return new RedisSettings(
        uri, "chat", 100_000, RedisSettings.LEASE, Duration.ofMinutes(2), 65_536);
  }

  public RunningServer node(int index) {
    return nodes.get(index);
  }

  @Override
  public void close() {
    nodes.forEach(RunningServer::hangUp);
    for (int i = nodes.size() - 1; i >= 0; i--) {
      nodes.get(i).close();
    }
  }
}
