package simplechat.server;

import io.netty.util.NetUtil;
import java.io.IOException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.channels.UnresolvedAddressException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IDefaultValueProvider;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.OptionSpec;
import simplechat.log.ServerLog;
import simplechat.protocol.Limits;
import simplechat.redis.RedisSettings;
import simplechat.room.NoRoomException;
import simplechat.status.ServerMetrics;
import simplechat.status.StatusServer;

/** The server program: environment to options, signals to a drain, an exit status. */
@Command(
    name = "chat server",
    description = "One chat room over TCP.",
    mixinStandardHelpOptions = true,
    versionProvider = ServerMain.Version.class,
    sortOptions = false,
    usageHelpAutoWidth = true,
    footer = {
      "",
      "Each option can also be given by the environment: CHAT_ and its name in",
      "capitals, as in CHAT_MAX_CONNECTIONS. Times are 500ms, 30s, 2m, 1h, or",
      "seconds; sizes 64k, 16m, 1g, or bytes.",
      "",
      "Prints `listening on HOST:PORT` once it accepts; all else goes to stderr.",
      "SIGTERM or SIGINT drains and exits 0; a second one ends at once."
    })
public final class ServerMain implements Callable<Integer> {
  private static final int EXIT_FAILED = 1;
  private static final int EXIT_USAGE = 2;
  private static final int EXIT_SIGNAL = 128;
  private static final Set<String> QUESTIONS = Set.of("-h", "--help", "-V", "--version");

  /** For lines that nobody may be there to take. */
  private static final Duration LOG_PATIENCE = Duration.ofSeconds(1);

  @Mixin private final ServerOptions options = new ServerOptions();
  @Mixin private final WatchOptions watch = new WatchOptions();

  @Mixin private final RedisOptions redis = new RedisOptions();

  private final CountDownLatch stopped = new CountDownLatch(1);
  private final AtomicBoolean signalled = new AtomicBoolean();
  private volatile @Nullable ChatServer server;

  private ServerMain() {}

  public static void main(String[] args) {
    System.exit(run(args));
  }

  private static int run(String[] args) {
    PrintWriter out = utf8(System.out);
    PrintWriter err = utf8(System.err);
    CommandLine command = new CommandLine(new ServerMain()).setOut(out).setErr(err);
    command.setCaseInsensitiveEnumValuesAllowed(true);
    if (List.of(args).stream().anyMatch(one -> one.equals("--key") || one.startsWith("--key="))) {
      err.println(
          "chat server: a key on the command line is everybody's: use --key-file, CHAT_KEY");
      err.println("try: chat server --help");
      return EXIT_USAGE;
    }
    Environment environment = new Environment();
    if (List.of(args).stream().noneMatch(QUESTIONS::contains)) {
      // Else a wrong variable would hide what it should be.
      command.setDefaultValueProvider(environment);
    }
    command.setParameterExceptionHandler((e, unused) -> misused(err, environment, e));
    command.setExecutionExceptionHandler(
        (e, unused, result) -> {
          if (e instanceof IllegalArgumentException) {
            return misused(err, environment, e);
          }
          err.println("chat server: " + oneLine(e));
          return EXIT_FAILED;
        });
    return command.execute(args);
  }

  private static int misused(PrintWriter err, Environment environment, Exception e) {
    String fault =
        environment
            .blamed(oneLine(e))
            .replaceFirst(" is not an? (int|long|double)$", " is not a number")
            .replaceFirst("^Unmatched argument at index \\d+: ('.*')$", "$1 is no option");
    err.println("chat server: " + fault);
    err.println("try: chat server --help");
    return EXIT_USAGE;
  }

  @Override
  public Integer call() throws InterruptedException, IOException {
    ServerLog lines = watch.log();
    try {
      serve(lines);
      return 0;
    } finally {
      lines.close(LOG_PATIENCE);
    }
  }

  private void serve(ServerLog lines) throws InterruptedException, IOException {
    Logger log = LoggerFactory.getLogger(ServerMain.class);
    Integer metricsPort = watch.metricsPort();
    ServerConfig asked = options.config();
    long descriptors = DescriptorLimit.ofThisProcess();
    ServerConfig config = within(descriptors, asked);
    Signals.onStop(this::stop);
    Status status = new Status(new CompletableFuture<>(), lines);
    // First: who cannot have both ports opens no room.
    InetSocketAddress statusAddress = metricsPort == null ? null : listen(status, metricsPort);
    ChatServer started = get(start(config), config.host(), config.port());
    status.server().complete(started);
    // Before a signal can close it, and with it what it is bound to.
    InetSocketAddress address = started.address();
    server = started;
    if (config.maxConnections() < asked.maxConnections()) {
      log.warn(
          "max-connections is lowered from {} to {}: this process may open {} files",
          asked.maxConnections(),
          config.maxConnections(),
          descriptors);
    }
    if (config.tls() == null && !address.getAddress().isLoopbackAddress()) {
      log.warn("listening beyond this machine without TLS: the network reads along");
    }
    if (statusAddress != null) {
      String url = "http://" + format(statusAddress) + "/";
      log.atInfo().setMessage("status").addKeyValue("url", url).log();
    }
    log.atInfo()
        .setMessage("started")
        .addKeyValue("address", format(address))
        .addKeyValue("loops", config.loops())
        .addKeyValue("max-connections", config.maxConnections())
        .addKeyValue("max-text", config.maxText())
        .addKeyValue("log-bytes", config.logBytes())
        .log();
    if (signalled.get()) {
      started.drain().thenRun(stopped::countDown);
    } else {
      System.out.println("listening on " + format(address));
      System.out.flush();
    }
    stopped.await();
    try {
      Accounts.log(log, status.metrics().toCompletableFuture().get());
    } catch (ExecutionException e) {
      log.error("no accounts", e.getCause());
    }
  }

  private InetSocketAddress listen(Status status, int port) throws InterruptedException {
    String host = watch.metricsHost();
    return get(StatusServer.start(host, port, status), host, port).address();
  }

  private static <T> T get(CompletionStage<T> start, String host, int port)
      throws InterruptedException {
    try {
      return start.toCompletableFuture().get();
    } catch (ExecutionException e) {
      if (e.getCause() instanceof Tls.UnusableException unusable) {
        throw unusable;
      }
      if (e.getCause() instanceof NoRoomException none) {
        throw none;
      }
      throw new IllegalStateException(
          "cannot listen on "
              + NetUtil.toSocketAddressString(host, port)
              + ": "
              + reason(e.getCause()),
          e.getCause());
    }
  }

  /** What concerns Redis is not even loaded without it. */
  private CompletionStage<ChatServer> start(ServerConfig config) {
    String uri = redis.uri();
    if (uri == null) {
      return ChatServer.start(config);
    }
    RedisSettings settings =
        new RedisSettings(
            uri,
            redis.prefix(),
            redis.maxLength(),
            RedisSettings.LEASE,
            config.resumeWindow(),
            config.maxText());
    // A lambda here would have a type of Redis in its signature, and those of a main are all looked
    // at when its options are read.
    return ChatServer.start(config, settings::open);
  }

  private static ServerConfig within(long descriptors, ServerConfig config) {
    int granted = DescriptorLimit.connections(config.maxConnections(), descriptors);
    return config.toBuilder()
        .maxConnections(granted)
        .maxPerAddress(Math.min(config.maxPerAddress(), granted))
        .build();
  }

  private void stop(int signalNumber) {
    if (!signalled.compareAndSet(false, true)) {
      Runtime.getRuntime().halt(EXIT_SIGNAL + signalNumber);
    }
    ChatServer running = server;
    if (running != null) {
      running.drain().thenRun(stopped::countDown);
    }
  }

  private static String format(InetSocketAddress address) {
    return NetUtil.toSocketAddressString(
        NetUtil.toAddressString(address.getAddress()), address.getPort());
  }

  /** What the system said, without the system call that said it. */
  private static String reason(@Nullable Throwable cause) {
    if (cause instanceof UnresolvedAddressException || cause instanceof UnknownHostException) {
      return "unknown host";
    }
    String message = String.valueOf(cause == null ? null : cause.getMessage());
    if (message.contains("in use")) {
      return "the port is in use";
    }
    if (message.contains("Cannot assign")) {
      return "this machine does not have that address";
    }
    return message.contains("denied") ? "this port is not permitted" : message;
  }

  private static String oneLine(Throwable e) {
    return String.valueOf(e.getMessage()).lines().findFirst().orElse("");
  }

  private static PrintWriter utf8(PrintStream stream) {
    return new PrintWriter(stream, true, StandardCharsets.UTF_8);
  }

  /** What is shown of a server, once there is one, and of its log. */
  private record Status(CompletableFuture<ChatServer> server, ServerLog lines)
      implements StatusServer.Source {
    @Override
    public CompletionStage<ServerMetrics> metrics() {
      return server
          .thenCompose(ChatServer::metrics)
          .thenApply(metrics -> metrics.withLogLinesLost(lines.lost()));
    }

    @Override
    public @Nullable String unready() {
      ChatServer started = server.getNow(null);
      return started == null ? "starting" : started.unready();
    }
  }

  /** Stands in for options that are not given. A variable that is empty is none. */
  private static final class Environment implements IDefaultValueProvider {
    private final Map<String, String> used = new HashMap<>();

    @Override
    public @Nullable String defaultValue(ArgSpec argument) {
      if (!(argument instanceof OptionSpec option) || option.usageHelp() || option.versionHelp()) {
        return null;
      }
      String name = option.longestName().substring("--".length());
      String variable = "CHAT_" + name.toUpperCase(Locale.ROOT).replace('-', '_');
      String value = System.getenv(variable);
      if (value == null || value.isEmpty()) {
        return null;
      }
      used.put(name, variable);
      return value;
    }

    /** The message about a value, with the variable that it came from instead of the option. */
    String blamed(String message) {
      for (Map.Entry<String, String> entry : used.entrySet()) {
        String option = entry.getKey();
        for (String begin : List.of("Invalid value for option '--" + option + "'", option + " ")) {
          if (message.startsWith(begin)) {
            String rest = message.substring(begin.stripTrailing().length());
            return entry.getValue() + rest;
          }
        }
      }
      return message;
    }
  }

  /** The version that the jar was built as. */
  static final class Version implements CommandLine.IVersionProvider {
    @Override
    public String[] getVersion() {
      String version = ServerMain.class.getPackage().getImplementationVersion();
      return new String[] {
        "Simple Chat "
            + (version == null ? "development" : version)
            + ", protocol version "
            + Limits.VERSION
      };
    }
  }
}
