package simplechat.support;

import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisURI;
import io.lettuce.core.sentinel.api.StatefulRedisSentinelConnection;
import io.lettuce.core.sentinel.api.sync.RedisSentinelCommands;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** A Redis Sentinel that knows where the Redis called {@code room} is. */
public final class Sentinel implements AutoCloseable {
  private static final Duration PATIENCE = Duration.ofSeconds(10);

  private final int port;
  private final Path file;
  private final Process process;
  private final RedisClient client;
  private @Nullable StatefulRedisSentinelConnection<String, String> connection;

  private Sentinel(int port, Path file, Process process) {
    this.port = port;
    this.file = file;
    this.process = process;
    this.client = RedisClient.create();
  }

  static Sentinel of(int redisPort) {
    int port = RedisServer.freePort();
    try {
      Path file = Files.createTempFile("sentinel", ".conf");
      Files.writeString(
          file,
          "bind 127.0.0.1\nport %d\nsentinel monitor room 127.0.0.1 %d 1\n"
              .formatted(port, redisPort));
      Process process =
          new ProcessBuilder("redis-server", file.toString(), "--sentinel")
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start();
      Sentinel sentinel = new Sentinel(port, file, process);
      sentinel.awaitUp();
      return sentinel;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  public int port() {
    return port;
  }

  /** What it may be asked. */
  public RedisSentinelCommands<String, String> commands() {
    StatefulRedisSentinelConnection<String, String> open = connection;
    if (open == null) {
      open =
          client.connectSentinel(
              RedisURI.Builder.sentinel("127.0.0.1", port, "room").withTimeout(PATIENCE).build());
      connection = open;
    }
    return open.sync();
  }

  private void awaitUp() {
    long until = System.nanoTime() + PATIENCE.toNanos();
    while (true) {
      try {
        commands().ping();
        return;
      } catch (RuntimeException e) {
        if (System.nanoTime() - until > 0) {
          throw e;
        }
      }
    }
  }

  @Override
  public void close() {
    client.shutdown(Duration.ZERO, Duration.ofSeconds(1));
    process.destroyForcibly().onExit().join();
    file.toFile().delete();
  }
}
