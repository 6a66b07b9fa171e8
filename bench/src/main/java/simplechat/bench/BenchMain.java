package simplechat.bench;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import simplechat.protocol.Limits;

/** The bench program: options to a workload, a server if none is given, and the figures. */
@Command(
    name = "chat bench",
    description = "What a server carries on this machine: a crowd joins it and speaks.",
    mixinStandardHelpOptions = true,
    versionProvider = BenchMain.Version.class,
    sortOptions = false,
    usageHelpAutoWidth = true,
    footer = {
      "",
      "Without --port it starts a server of its own, and ends it. The result goes to",
      "stdout, word of progress to stderr.",
      "",
      "  chat bench                               as much as 1000 members can be told",
      "  chat bench --rate 100                    how late is a message at 100/s?",
      "  chat bench --members 15000 --senders 0   what do idle members cost?",
      "  chat bench --preset volano               20 users, 100 messages each"
    })
public final class BenchMain implements Callable<Integer> {
  private static final int EXIT_FAILED = 1;
  private static final int EXIT_USAGE = 2;
  private static final int MEMBERS_MAX = 60_000;

  /** A workload that others have used, so that figures can be compared. */
  enum Preset {
    volano
  }

  @Option(names = "--host", paramLabel = "HOST", description = "of a server that runs")
  private String host = "127.0.0.1";

  @Option(
      names = {"-p", "--port"},
      paramLabel = "PORT",
      split = ",",
      description =
          "of a server that runs; without it one is started; several, with commas, if they share a"
              + " room")
  private List<Integer> ports = new ArrayList<>();

  @Option(
      names = "--pid",
      paramLabel = "PID",
      split = ",",
      description = "of that server, or of several, to see their CPU time and memory")
  private List<Long> pids = new ArrayList<>();

  @Option(
      names = {"-n", "--members"},
      paramLabel = "N",
      description = "who join (default: ${DEFAULT-VALUE})")
  private int members = 1000;

  @Option(
      names = {"-s", "--senders"},
      paramLabel = "N",
      description = "how many of them speak, 0 to measure idle members (default: ${DEFAULT-VALUE})")
  private int senders = 10;

  @Option(
      names = "--rate",
      paramLabel = "R",
      description = "messages a second by all senders together; without it as many as get through")
  private double rate;

  @Option(
      names = {"-w", "--outstanding"},
      paramLabel = "N",
      description =
          "messages of a sender that have not reached everybody yet (default: ${DEFAULT-VALUE})")
  private int outstanding = 16;

  @Option(
      names = "--text",
      paramLabel = "BYTES",
      description = "length of a message (default: ${DEFAULT-VALUE})")
  private int textBytes = 64;

  @Option(
      names = "--messages",
      paramLabel = "N",
      description = "of each sender in a run, instead of --seconds")
  private int messages;

  @Option(
      names = "--preset",
      paramLabel = "NAME",
      description = "volano: 20 users in the room, each says 100 messages to the other 19")
  private @Nullable Preset preset;

  @Option(
      names = "--warm-up",
      paramLabel = "SECONDS",
      description = "under the same load, not counted (default: ${DEFAULT-VALUE})")
  private int warmUpSeconds = 5;

  @Option(
      names = {"-t", "--seconds"},
      paramLabel = "SECONDS",
      description = "of each run (default: ${DEFAULT-VALUE})")
  private int seconds = 5;

  @Option(
      names = "--runs",
      paramLabel = "N",
      description = "of which median and spread are told (default: ${DEFAULT-VALUE})")
  private int runs = 3;

  @Option(
      names = "--server",
      paramLabel = "OPTION",
      description = "for the server that is started, as in --server=--loops=2; may be repeated")
  private List<String> serverOptions = new ArrayList<>();

  @Option(
      names = "--tls",
      description = "speak TLS; a server that is started gets its certificate by --server")
  private boolean tls;

  @Option(
      names = "--tls-ca",
      paramLabel = "FILE",
      description = "speak TLS; PEM certificates of the CAs that count instead of those Java knows")
  private @Nullable Path tlsCa;

  @Option(
      names = "--peer",
      paramLabel = "PEER",
      description = "the server at --port is another one: redis, nats, mqtt or irc")
  private Protocol peer = Protocol.chat;

  @Option(
      names = "--no-spin",
      description = "sleep when nothing comes, and give the machine's other users a chance")
  private boolean noSpin;

  @Option(names = "--json", description = "print one JSON object")
  private boolean json;

  @Spec private @Nullable CommandSpec spec;

  private BenchMain() {}

  public static void main(String[] args) {
    CommandLine commandLine = new CommandLine(new BenchMain());
    commandLine.setExpandAtFiles(false);
    commandLine.setParameterExceptionHandler(
        (e, ignored) -> {
          complain(String.valueOf(e.getMessage()));
          complain("try: chat bench --help");
          return EXIT_USAGE;
        });
    commandLine.setExecutionExceptionHandler(
        (e, ignored, result) -> {
          complain(e instanceof BenchException ? String.valueOf(e.getMessage()) : e.toString());
          return EXIT_FAILED;
        });
    System.exit(commandLine.execute(args));
  }

  @Override
  public Integer call() throws IOException, BenchException {
    Workload workload = workload();
    Progress progress = new Progress(System.err, Boolean.getBoolean("chat.terminal"));
    Report report;
    if (!ports.isEmpty()) {
      String server =
          "server at "
              + host
              + ":"
              + String.join(",", ports.stream().map(String::valueOf).toList())
              + overTls();
      report = measure(workload, given(), pids, server, progress);
    } else {
      try (StartedServer server =
          StartedServer.start(launcher(), workload.members(), serverOptions)) {
        String name =
            "server started"
                + String.join("", serverOptions.stream().map(o -> " " + o).toList())
                + overTls();
        report =
            measure(workload, List.of(server.address()), List.of(server.pid()), name, progress);
      }
    }
    if (json) {
      System.out.println(report.json());
    } else {
      report.lines().forEach(System.out::println);
    }
    return 0;
  }

  private Report measure(
      Workload workload,
      List<InetSocketAddress> servers,
      List<Long> pids,
      String server,
      Progress progress)
      throws IOException, BenchException {
    Tls over = tls || tlsCa != null ? Tls.of(tlsCa, servers.get(0)) : null;
    try (Crowd crowd = new Crowd(workload, servers, over)) {
      Usage before = Usage.of(pids);
      long began = System.nanoTime();
      crowd.join(progress);
      double joinSeconds = (System.nanoTime() - began) / 1e9;
      crowd.settle();
      Usage joined = Usage.of(pids);
      progress.say(workload.members() + " members have joined");
      List<Run> runs = new ArrayList<>();
      long lost = 0;
      if (workload.senders() > 0) {
        Duration warmedUp = Duration.ZERO;
        while (warmedUp.compareTo(workload.warmUp()) < 0) {
          Run run = crowd.run(workload.warmUp(), pids);
          warmedUp = warmedUp.plusNanos(run.nanos());
        }
        for (int i = 1; i <= workload.runs(); i++) {
          Run run = crowd.run(workload.run(), pids);
          runs.add(run);
          progress.say(
              String.format(
                  "run %d of %d: %,.0f deliveries/s",
                  i, workload.runs(), run.deliveriesPerSecond()));
        }
        lost = crowd.drain();
      }
      return new Report(
          workload,
          server,
          joinSeconds,
          joined.cpuNanosSince(before),
          before.rssBytes(),
          joined.rssBytes(),
          runs,
          lost);
    }
  }

  private String overTls() {
    return tls || tlsCa != null ? ", over TLS" : "";
  }

  private List<InetSocketAddress> given() throws BenchException {
    try {
      InetAddress address = InetAddress.getAllByName(host)[0];
      return ports.stream().map(port -> new InetSocketAddress(address, port)).toList();
    } catch (UnknownHostException e) {
      throw new BenchException("unknown host " + host);
    }
  }

  private Workload workload() {
    if (preset == Preset.volano) {
      members = 20;
      senders = 20;
      messages = 100;
    }
    check("--members", members, 1, MEMBERS_MAX);
    check("--senders", senders, 0, members);
    check("--text", textBytes, Stamp.BYTES, Limits.TEXT_MAX_BYTES);
    check("--outstanding", outstanding, 1, 1_000_000);
    check("--messages", messages, 0, Integer.MAX_VALUE);
    check("--runs", runs, 1, 1000);
    check("--seconds", seconds, 1, 86_400);
    check("--warm-up", warmUpSeconds, 0, 86_400);
    ports.forEach(port -> check("--port", port, 1, 65_535));
    if (!(rate >= 0 && rate <= 1e9)) {
      throw usage("--rate is 0 to 1000000000, not " + rate);
    }
    if (peer != Protocol.chat && ports.isEmpty()) {
      throw usage("--peer needs --port: only our own server is started");
    }
    if (rate > 0 && messages > 0) {
      throw usage("--rate and --messages cannot go together");
    }
    if (senders > 0 && members < 2) {
      throw usage("--members is at least 2 if one of them is to be heard");
    }
    return new Workload(
        members,
        senders,
        textBytes,
        rate,
        outstanding,
        messages,
        Duration.ofSeconds(warmUpSeconds),
        Duration.ofSeconds(seconds),
        runs,
        !noSpin,
        peer);
  }

  private void check(String option, int value, int least, int most) {
    if (value < least || value > most) {
      throw usage(option + " is " + least + " to " + most + ", not " + value);
    }
  }

  private ParameterException usage(String message) {
    if (spec == null) {
      throw new IllegalStateException(message);
    }
    return new ParameterException(spec.commandLine(), message);
  }

  private String launcher() throws BenchException {
    String launcher = System.getProperty("chat.launcher");
    if (launcher == null) {
      throw new BenchException("needs --port, or ./chat bench, which can start a server");
    }
    return Path.of(launcher).toString();
  }

  private static void complain(String line) {
    System.err.println("chat: " + line);
  }

  /** The jar knows its version. */
  static final class Version implements CommandLine.IVersionProvider {
    @Override
    public String[] getVersion() {
      String version = BenchMain.class.getPackage().getImplementationVersion();
      return new String[] {"Simple Chat " + (version == null ? "development" : version)};
    }
  }
}
