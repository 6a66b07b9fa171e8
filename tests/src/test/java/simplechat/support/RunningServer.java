package simplechat.support;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import java.io.File;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.slf4j.LoggerFactory;
import simplechat.protocol.ServerMessage.Welcome;
import simplechat.redis.RedisSettings;
import simplechat.server.ChatServer;
import simplechat.server.Opening;
import simplechat.server.ServerConfig;
import simplechat.status.ServerMetrics;
import simplechat.status.ServerMetrics.Connections;

/**
 * A server in this process on a port of its own.
 *
 * <p>Closing it ends its peers and checks the books: every connection that was opened was closed
 * for a reason, names and tokens are given back, nothing was logged as an error, the loops' threads
 * are gone, and descriptors are back at the level before, all within 5 s.
 */
public final class RunningServer implements AutoCloseable {
  private static final Duration PATIENCE = Duration.ofSeconds(Load.count(5, 60));
  private static final Duration DRAIN_PATIENCE = Duration.ofSeconds(15);
  private static final Duration POLL = Duration.ofMillis(5);

  /** A full load outlasts the silence that is allowed, and a peer answers no PING by itself. */
  private static final Duration LOAD_HEARTBEAT = Duration.ofMinutes(10);

  private static final int SLACK = 5;
  private static final List<String> ERRORS = new CopyOnWriteArrayList<>();

  static {
    Appender appender = new Appender();
    Logger root = (Logger) LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
    appender.setContext(root.getLoggerContext());
    appender.start();
    root.addAppender(appender);
    Thread.setDefaultUncaughtExceptionHandler(
        (thread, e) -> ERRORS.add("uncaught on " + thread.getName() + ": " + e));
  }

  private final ChatServer server;
  private final int descriptorsBefore;
  private final int errorsBefore;
  private final int loopsBefore;
  private final List<RawPeer> peers = new CopyOnWriteArrayList<>();
  private boolean drained;
  private boolean shared;
  private boolean toleratesErrors;

  private RunningServer(
      ChatServer server, int descriptorsBefore, int loopsBefore, int errorsBefore) {
    this.server = server;
    this.descriptorsBefore = descriptorsBefore;
    this.loopsBefore = loopsBefore;
    this.errorsBefore = errorsBefore;
  }

  /** With one loop and otherwise the defaults. */
  public static RunningServer start() {
    return start(config -> config);
  }

  public static RunningServer start(UnaryOperator<ServerConfig.Builder> tweak) {
    int descriptors = descriptors();
    int loops = loopThreads();
    ServerConfig.Builder config = ServerConfig.defaults().toBuilder().port(0).loops(1);
    if (Load.isFull()) {
      config.heartbeat(LOAD_HEARTBEAT).writeStall(LOAD_HEARTBEAT);
    }
    if (TestTls.isWanted()) {
      config.tls(TestTls.good());
    }
    ServerConfig made = tweak.apply(config).build();
    ChatServer server = get(ChatServer.start(made), PATIENCE);
    if (made.tls() != null) {
      TestTls.serve(server.address().getPort());
    }
    return new RunningServer(server, descriptors, loops, ERRORS.size());
  }

  /** One of several nodes around a Redis. */
  public static RunningServer node(RedisSettings redis, UnaryOperator<ServerConfig.Builder> tweak) {
    return node(redis::open, tweak);
  }

  /** One that takes its order from elsewhere. */
  public static RunningServer node(Opening order, UnaryOperator<ServerConfig.Builder> tweak) {
    int descriptors = descriptors();
    int loops = loopThreads();
    ServerConfig.Builder config = ServerConfig.defaults().toBuilder().port(0).loops(1);
    if (Load.isFull()) {
      config.heartbeat(LOAD_HEARTBEAT).writeStall(LOAD_HEARTBEAT);
    }
    ChatServer server = get(ChatServer.start(tweak.apply(config).build(), order), PATIENCE);
    RunningServer node = new RunningServer(server, descriptors, loops, ERRORS.size());
    node.shared = true;
    return node;
  }

  /** For tests that break the server from within. */
  public RunningServer toleratingErrors() {
    toleratesErrors = true;
    return this;
  }

  public ChatServer server() {
    return server;
  }

  public InetSocketAddress address() {
    return server.address();
  }

  /** A connection that {@link #close} ends. */
  public RawPeer connect() {
    return connect(0);
  }

  public RawPeer connect(int receiveBufferBytes) {
    RawPeer peer = RawPeer.connect(address(), receiveBufferBytes);
    peers.add(peer);
    return peer;
  }

  /** A connection that has joined and read its WELCOME. */
  public RawPeer join(String name) {
    RawPeer peer = connect();
    peer.join(name);
    return peer;
  }

  /** A new connection that resumes the session of an earlier one. */
  public RawPeer resume(RawPeer earlier) {
    RawPeer peer = connect();
    Welcome welcome = peer.resume(earlier);
    assertThat(welcome.next()).isEqualTo(earlier.stream().expected());
    return peer;
  }

  public int members() {
    return get(server.members(), PATIENCE);
  }

  /** Waits until so many are in the room. */
  public void awaitMembers(int count) {
    awaitMembersWithin(count, PATIENCE);
  }

  public void awaitMembersWithin(int count, Duration time) {
    await("members")
        .pollInterval(POLL)
        .atMost(time)
        .until(this::members, members -> members == count);
  }

  public void awaitConnections(int count) {
    await("connections")
        .pollInterval(POLL)
        .atMost(PATIENCE)
        .until(server::connections, open -> open == count);
  }

  /** The drain is part of the test; {@link #close} then checks only what is left of the books. */
  public CompletionStage<Void> drain() {
    drained = true;
    return server.drain();
  }

  /** Ends the peers. */
  public void hangUp() {
    peers.forEach(RawPeer::close);
  }

  @Override
  public void close() {
    hangUp();
    try {
      if (!drained) {
        awaitConnections(0);
        if (!shared) {
          awaitMembers(0);
        }
      }
    } finally {
      get(server.drain(), DRAIN_PATIENCE);
    }
    TestTls.close(server.address().getPort());
    assertThat(server.connections()).as("connections").isZero();
    checkBooks();
    await("threads").pollInterval(POLL).atMost(PATIENCE).until(() -> loopThreads() <= loopsBefore);
    await("descriptors, %d before".formatted(descriptorsBefore))
        .pollInterval(POLL)
        .atMost(PATIENCE)
        .until(RunningServer::descriptors, now -> now <= descriptorsBefore + SLACK);
    List<String> errors = List.copyOf(ERRORS).subList(errorsBefore, ERRORS.size());
    if (!toleratesErrors) {
      assertThat(errors).as("errors in the log").isEmpty();
    }
  }

  /** The figures of the server, which must add up whenever they are asked for. */
  public ServerMetrics metrics() {
    ServerMetrics metrics = get(server.metrics(), PATIENCE);
    Connections connections = metrics.connections();
    assertThat(connections.opened() - connections.open())
        .as("opened - open = sum of %s", connections.closed())
        .isEqualTo(connections.closed().values().stream().mapToLong(Long::longValue).sum());
    return metrics;
  }

  private void checkBooks() {
    ServerMetrics metrics = metrics();
    assertThat(metrics.connections().open()).as("open connections").isZero();
    assertThat(metrics.room().tokens())
        .as("tokens of %s", metrics.room())
        .isEqualTo(metrics.room().members() + metrics.room().away());
    if (!drained && !shared) {
      assertThat(metrics.room().members()).as("names that are taken").isZero();
    }
  }

  /** Open descriptors of this process; 0 where the system does not tell. */
  public static int descriptors() {
    String[] open = new File("/proc/self/fd").list();
    return open == null ? 0 : open.length;
  }

  /** Identifies the thread of the one loop. */
  public long loopThread() {
    return loops().findFirst().orElseThrow().getId();
  }

  private static int loopThreads() {
    return (int) loops().count();
  }

  private static Stream<Thread> loops() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(thread -> thread.getName().startsWith("chat-loop"));
  }

  private static <T> T get(CompletionStage<T> stage, Duration patience) {
    try {
      return stage.toCompletableFuture().get(patience.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError("interrupted", e);
    } catch (ExecutionException e) {
      throw new AssertionError(e.getCause());
    } catch (TimeoutException e) {
      throw new AssertionError("not done within " + patience, e);
    }
  }

  private static final class Appender extends AppenderBase<ILoggingEvent> {
    @Override
    protected void append(ILoggingEvent event) {
      boolean endedTooEarly = event.getFormattedMessage().contains("non-empty task queue");
      if (endedTooEarly || event.getLevel().isGreaterOrEqual(Level.ERROR)) {
        ERRORS.add(event.getThreadName() + ": " + event.getFormattedMessage());
      }
    }
  }
}
