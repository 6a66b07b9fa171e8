package simplechat.support;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A program of this project in a process of its own, and what it prints.
 *
 * <p>Endings: {@link #close} kills it if it still runs.
 */
public final class ServerProcess implements AutoCloseable {
  private static final Pattern LISTENING =
      Pattern.compile("listening on (\\[[0-9a-f:]+]|[0-9.]+):([0-9]+)");
  private static final Pattern ORDINARY = Pattern.compile("\\S+ INFO (ServerMain|Start): ");
  private static final Pattern ACCOUNTS =
      Pattern.compile(" INFO ServerMain: stopped opened=(\\d+) open=(\\d+) closed=(\\S+) ");
  private static final Pattern STATUS = Pattern.compile(" status url=(\\S+)");

  /** Of the line of sums in a histogram of classes. */
  private static final Pattern HEAP_BYTES = Pattern.compile("\nTotal +\\d+ +(\\d+)");

  private static final HttpClient HTTP = HttpClient.newHttpClient();
  private static final Pattern COUNT = Pattern.compile(":(\\d+)");
  private static final Duration PATIENCE = Duration.ofSeconds(20);

  /** As that of a build in the background of a shell; a JVM keeps to what it was given. */
  private static final boolean INTERRUPT_IGNORED = isInterruptIgnored();

  private final Process process;
  private final List<String> out = new CopyOnWriteArrayList<>();
  private final List<String> err = new CopyOnWriteArrayList<>();
  private final CompletableFuture<String> firstLine = new CompletableFuture<>();
  private static final Set<String> OPTIONS =
      Set.of("JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS", "JDK_JAVA_OPTIONS", "JAVA_OPTS", "NO_COLOR");

  private final CompletableFuture<Void> outEnd;
  private final CompletableFuture<Void> errEnd;

  private ServerProcess(Process process) {
    this.process = process;
    outEnd = collect(process.getInputStream(), this::addOut);
    errEnd = collect(process.getErrorStream(), err::add);
    outEnd.thenRun(() -> firstLine.complete(""));
  }

  /** The server from this class path. */
  public static ServerProcess start(String... options) {
    return start(Map.of(), options);
  }

  public static ServerProcess start(Map<String, String> environment, String... options) {
    return run(environment, command(options));
  }

  /**
   * The server under a shell that first does something to itself, such as {@code ulimit -n 512}.
   */
  public static ServerProcess startAfter(String shell, String... options) {
    List<String> command = new ArrayList<>(List.of("sh", "-c", shell + "; exec \"$@\"", "chat"));
    command.addAll(command(options));
    return run(Map.of(), command);
  }

  public static ServerProcess run(Map<String, String> environment, List<String> command) {
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().keySet().removeIf(ServerProcess::isOurs);
    builder.environment().putAll(environment);
    try {
      return new ServerProcess(builder.start());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** What would have the programs do or say something else than they do by themselves. */
  static boolean isOurs(String variable) {
    return variable.startsWith("CHAT_") || OPTIONS.contains(variable);
  }

  /** Another program from this class path, which says in the same way where it listens. */
  public static ServerProcess startMain(String main, String... arguments) {
    return run(Map.of(), commandOf(main, arguments));
  }

  /** How the server is started from this class path. */
  public static List<String> command(String... options) {
    return commandOf("simplechat.server.ServerMain", options);
  }

  private static List<String> commandOf(String main, String... options) {
    List<String> command = new ArrayList<>();
    if (INTERRUPT_IGNORED) {
      command.addAll(List.of("env", "--default-signal=INT"));
    }
    command.add(java());
    command.addAll(List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx128m"));
    if (Runtime.version().feature() >= 24) {
      // The program's jar says this in its manifest; a class path cannot.
      command.add("--enable-native-access=ALL-UNNAMED");
    }
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.add(main);
    command.addAll(List.of(options));
    return command;
  }

  private static boolean isInterruptIgnored() {
    Path status = Path.of("/proc/self/status");
    try (Stream<String> lines = Files.exists(status) ? Files.lines(status) : Stream.of()) {
      return lines
          .filter(line -> line.startsWith("SigIgn:"))
          .map(line -> Long.parseUnsignedLong(line.substring(7).strip(), 16))
          .anyMatch(mask -> (mask & 1 << 1) != 0);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The JVM that runs the tests. */
  public static String java() {
    return Path.of(System.getProperty("java.home"), "bin", "java").toString();
  }

  /** Waits for the line that says where it listens. */
  public InetSocketAddress address() {
    String line = get(firstLine, "a line on stdout");
    Matcher matcher = LISTENING.matcher(line);
    if (!matcher.matches()) {
      throw new AssertionError("not where it listens: '" + line + "', stderr " + err);
    }
    return new InetSocketAddress(
        matcher.group(1).replaceAll("[\\[\\]]", ""), Integer.parseInt(matcher.group(2)));
  }

  public long pid() {
    return process.pid();
  }

  /** True once a SIGSTOP has come to the last of its threads. */
  public boolean isStopped() {
    try (Stream<Path> threads = Files.list(Path.of("/proc", Long.toString(pid()), "task"))) {
      return threads.allMatch(ServerProcess::isStopped);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static boolean isStopped(Path thread) {
    try {
      return Files.readAllLines(thread.resolve("status")).contains("State:\tT (stopped)");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Memory that it has in the machine's, in bytes; 0 where the system does not tell. */
  public long residentBytes() {
    try {
      return Files.readAllLines(Path.of("/proc", Long.toString(pid()), "status")).stream()
          .filter(line -> line.startsWith("VmRSS:"))
          .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) * 1024)
          .findFirst()
          .orElse(0);
    } catch (IOException e) {
      return 0;
    }
  }

  /** Open descriptors; 0 where the system does not tell. */
  public int descriptors() {
    String[] open = new File("/proc/" + pid() + "/fd").list();
    return open == null ? 0 : open.length;
  }

  /**
   * Heap that is reachable and direct memory in use, in bytes, once what it was told lately has
   * been collected; it needs a metrics port for that.
   */
  public long heldBytes() {
    try {
      Process jcmd =
          new ProcessBuilder(
                  Path.of(System.getProperty("java.home"), "bin", "jcmd").toString(),
                  Long.toString(pid()),
                  "GC.class_histogram")
              .redirectErrorStream(true)
              .start();
      String classes = new String(jcmd.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      Matcher heap = HEAP_BYTES.matcher(classes);
      assertThat(heap.find()).as(classes).isTrue();
      return (long) metric("chat_direct_memory_bytes") + Long.parseLong(heap.group(1));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** One of the figures that it gives at its metrics port, by the name with its label. */
  public double metric(String name) {
    try {
      HttpRequest request = HttpRequest.newBuilder(status().resolve("/metrics")).build();
      return HTTP.send(request, HttpResponse.BodyHandlers.ofString())
          .body()
          .lines()
          .filter(line -> line.startsWith(name + " "))
          .mapToDouble(line -> Double.parseDouble(line.substring(name.length())))
          .findFirst()
          .orElseThrow();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError(e);
    }
  }

  /** Where it says that its status is, if it was started with a metrics port. */
  public URI status() {
    address();
    return await()
        .until(
            () ->
                err.stream()
                    .map(STATUS::matcher)
                    .filter(Matcher::find)
                    .map(found -> URI.create(found.group(1)))
                    .findFirst()
                    .orElse(null),
            uri -> uri != null);
  }

  /** CPU time that it has taken. */
  public Duration cpu() {
    return process.info().totalCpuDuration().orElse(Duration.ZERO);
  }

  /** SIGTERM, SIGINT or SIGKILL, by their names without SIG. */
  public ServerProcess signal(String name) {
    try {
      new ProcessBuilder("kill", "-" + name, Long.toString(pid()))
          .redirectErrorStream(true)
          .start()
          .waitFor();
      return this;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError(e);
    }
  }

  /** The exit status, once everything that was printed has been read. */
  public int exit() {
    int status = get(process.onExit(), "the exit").exitValue();
    get(outEnd, "the end of stdout");
    get(errEnd, "the end of stderr");
    checkAccounts();
    return status;
  }

  /** True if it ends within the time. */
  public boolean endsWithin(Duration time) {
    try {
      return process.waitFor(time.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError(e);
    }
  }

  /** For what a program reads from its terminal or pipe. */
  public ServerProcess type(String line) {
    try {
      process.getOutputStream().write((line + "\n").getBytes(StandardCharsets.UTF_8));
      process.getOutputStream().flush();
      return this;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  public void endOfInput() {
    try {
      process.getOutputStream().close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  public List<String> out() {
    return out;
  }

  /** But for the lines in which a server says that it has started, and its accounts at the end. */
  public List<String> err() {
    return err.stream().filter(line -> !ORDINARY.matcher(line).lookingAt()).toList();
  }

  /** All of stderr. */
  public List<String> log() {
    return err;
  }

  @Override
  public void close() {
    process.destroyForcibly();
    get(process.onExit(), "the end of a killed process");
  }

  private void checkAccounts() {
    for (String line : err) {
      Matcher accounts = ACCOUNTS.matcher(line);
      if (accounts.find()) {
        long closed =
            COUNT
                .matcher(accounts.group(3))
                .results()
                .mapToLong(count -> Long.parseLong(count.group(1)))
                .sum();
        assertThat(closed)
            .as("opened - open = sum of closed in %s", line)
            .isEqualTo(Long.parseLong(accounts.group(1)) - Long.parseLong(accounts.group(2)));
        assertThat(err).last().isSameAs(line);
      }
    }
  }

  private void addOut(String line) {
    out.add(line);
    firstLine.complete(line);
  }

  private CompletableFuture<Void> collect(InputStream stream, Consumer<String> lines) {
    CompletableFuture<Void> end = new CompletableFuture<>();
    Thread reader =
        new Thread(
            () -> {
              try (BufferedReader in =
                  new BufferedReader(new InputStreamReader(stream, StandardCharsets.UTF_8))) {
                for (String line = in.readLine(); line != null; line = in.readLine()) {
                  lines.accept(line);
                }
              } catch (IOException e) {
                lines.accept("unreadable: " + e.getMessage());
              } finally {
                end.complete(null);
              }
            });
    reader.setDaemon(true);
    reader.start();
    return end;
  }

  private <T> T get(CompletableFuture<T> future, String what) {
    try {
      return future.get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError(e);
    } catch (ExecutionException e) {
      throw new AssertionError(e.getCause());
    } catch (TimeoutException e) {
      throw new AssertionError("no " + what + " within " + PATIENCE + ", stderr " + err, e);
    }
  }
}
