package simplechat.support;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisURI;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.api.sync.RedisCommands;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import simplechat.server.TlsFiles;

/**
 * A Redis of its own for a test, on a free port, with its data in a directory of its own.
 *
 * <p>A test that needs one is skipped where there is no redis-server, and says so.
 */
public final class RedisServer implements AutoCloseable {
  private static final Duration PATIENCE = Duration.ofSeconds(10);

  static {
    // The servers under test stand on epoll, and the first to load Lettuce decides for all.
    System.setProperty("io.lettuce.core.iouring", "false");
  }

  private final Path directory;
  private final int port;
  private final List<String> options;
  private int tlsPort;
  private @Nullable Process process;
  private @Nullable RedisClient client;
  private @Nullable StatefulRedisConnection<String, String> connection;

  private RedisServer(Path directory, int port, List<String> options) {
    this.directory = directory;
    this.port = port;
    this.options = options;
  }

  /**
   * @param options as on the command line, as in {@code --maxmemory}, {@code 10mb}
   */
  public static RedisServer start(String... options) {
    assumeTrue(isInstalled(), "SKIPPED: there is no redis-server on this machine");
    try {
      RedisServer server =
          new RedisServer(Files.createTempDirectory("redis"), freePort(), List.of(options));
      server.up();
      return server;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static boolean isInstalled() {
    return Stream.of(System.getenv("PATH").split(File.pathSeparator))
        .anyMatch(path -> Files.isExecutable(Path.of(path, "redis-server")));
  }

  /** One that nobody listens on, for now. */
  static int freePort() {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** One that speaks TLS as well, and knows itself by these files. */
  public static RedisServer startWithTls(TlsFiles files) {
    int tlsPort = freePort();
    RedisServer server =
        start(
            "--tls-port",
            Integer.toString(tlsPort),
            "--tls-cert-file",
            files.certificates().toString(),
            "--tls-key-file",
            files.key().toString(),
            "--tls-auth-clients",
            "no",
            "--tls-ca-cert-file",
            files.certificates().toString());
    server.tlsPort = tlsPort;
    return server;
  }

  /** Where it speaks TLS. */
  public int tlsPort() {
    return tlsPort;
  }

  /** Watches over this one by the name {@code room}, on a port of its own. */
  public Sentinel watched() {
    return Sentinel.of(port);
  }

  public int port() {
    return port;
  }

  public String uri() {
    return "redis://127.0.0.1:" + port;
  }

  /** Starts it again, with the data that it has. */
  public void up() {
    List<String> command =
        new ArrayList<>(
            List.of("redis-server", "--bind", "127.0.0.1", "--port", Integer.toString(port)));
    command.addAll(List.of("--dir", directory.toString(), "--save", ""));
    command.addAll(List.of("--appendonly", "yes", "--appendfsync", "everysec"));
    command.addAll(options);
    try {
      process =
          new ProcessBuilder(command)
              .redirectErrorStream(true)
              .redirectOutput(directory.resolve("redis.log").toFile())
              .start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    long until = System.nanoTime() + PATIENCE.toNanos();
    while (!answers()) {
      if (System.nanoTime() > until) {
        throw new AssertionError("Redis does not answer, see " + directory);
      }
    }
  }

  private boolean answers() {
    try {
      return commands().ping().equals("PONG");
    } catch (RuntimeException e) {
      closeClient();
      return false;
    }
  }

  /** Kills it, as a crash does. */
  public void kill() {
    closeClient();
    Process running = process;
    if (running != null) {
      running.destroyForcibly();
      try {
        running.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new AssertionError(e);
      }
    }
  }

  /** Removes its data; only while it is down. */
  public void loseData() {
    try (Stream<Path> files = Files.walk(directory)) {
      files
          .sorted(Comparator.reverseOrder())
          .filter(file -> !file.equals(directory))
          .forEach(file -> file.toFile().delete());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** For what a test does to the data behind everybody's back. */
  public RedisCommands<String, String> commands() {
    RedisClient known = client;
    StatefulRedisConnection<String, String> open = connection;
    if (known == null || open == null) {
      RedisURI uri = RedisURI.create(uri());
      uri.setTimeout(PATIENCE);
      known = RedisClient.create(uri);
      client = known;
      open = known.connect();
      connection = open;
    }
    return open.sync();
  }

  private void closeClient() {
    if (client != null) {
      client.shutdown(0, 1, TimeUnit.SECONDS);
      client = null;
      connection = null;
    }
  }

  @Override
  public void close() {
    kill();
    loseData();
    directory.toFile().delete();
  }
}
