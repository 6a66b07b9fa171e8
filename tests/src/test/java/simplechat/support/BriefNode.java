package simplechat.support;

import java.time.Duration;
import simplechat.redis.RedisSettings;
import simplechat.server.ChatServer;
import simplechat.server.ServerConfig;

/**
 * A server of a shared room in a process of its own, which may be stopped, and whose lease is brief
 * so that a test need not wait for long.
 *
 * <p>Arguments: URI of Redis, lease in milliseconds.
 */
public final class BriefNode {
  private BriefNode() {}

  public static ServerProcess start(RedisServer redis, Duration lease) {
    return ServerProcess.startMain(
        BriefNode.class.getName(), redis.uri(), Long.toString(lease.toMillis()));
  }

  public static void main(String[] args) throws InterruptedException {
    Duration lease = Duration.ofMillis(Long.parseLong(args[1]));
    RedisSettings settings =
        new RedisSettings(args[0], "chat", 100_000, lease, Duration.ofMinutes(2), 65_536);
    ServerConfig config = ServerConfig.defaults().toBuilder().port(0).loops(1).build();
    ChatServer server = ChatServer.start(config, settings::open).toCompletableFuture().join();
    System.out.println("listening on 127.0.0.1:" + server.address().getPort());
    Thread.currentThread().join();
  }
}
