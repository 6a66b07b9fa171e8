package simplechat.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;
import java.util.stream.DoubleStream;

/**
 * The figures of a bench, for people and for programs.
 *
 * @param server which one, in words
 * @param joinCpuNanos what the server used while all joined, -1 if nobody could look
 * @param idleRssBytes of the server with everybody there and nobody speaking, -1 likewise
 * @param idleRssBefore the same before anybody came
 * @param lost deliveries that never came
 */
record Report(
    Workload workload,
    String server,
    double joinSeconds,
    long joinCpuNanos,
    long idleRssBefore,
    long idleRssBytes,
    List<Run> runs,
    long lost) {

  /** A figure of each run: its name for programs, its name for people, how many digits it has. */
  private record Figure(String key, String title, int digits, ToDoubleFunction<Run> of) {}

  private static final List<Figure> FIGURES =
      List.of(
          new Figure("deliveries_per_s", "deliveries/s", 0, Run::deliveriesPerSecond),
          new Figure("messages_per_s", "messages/s", 0, Run::messagesPerSecond),
          new Figure("p50_ms", "latency p50 (ms)", 2, run -> run.latencyMillis(50)),
          new Figure("p90_ms", "        p90", 2, run -> run.latencyMillis(90)),
          new Figure("p99_ms", "        p99", 2, run -> run.latencyMillis(99)),
          new Figure("p999_ms", "        p99.9", 2, run -> run.latencyMillis(99.9)),
          new Figure("max_ms", "        max", 2, run -> run.latencyMillis(100)),
          new Figure("cpu_us_per_delivery", "CPU (us/delivery)", 4, Run::cpuMicrosPerDelivery),
          new Figure("cpu_cores", "CPU (cores)", 2, Run::cores),
          new Figure("rss_mib", "memory (MiB)", 1, run -> mib(run.rssBytes())));

  /** CPU of the server for each join, everybody being told of it, in microseconds. */
  double joinCpuMicros() {
    return joinCpuNanos < 0 ? Double.NaN : joinCpuNanos / 1e3 / workload.members();
  }

  /** What one idle member adds to the server's resident memory, in KiB. */
  double idleKibPerMember() {
    return idleRssBytes < 0 || idleRssBefore < 0
        ? Double.NaN
        : (idleRssBytes - idleRssBefore) / 1024.0 / workload.members();
  }

  /** Lines to read. */
  List<String> lines() {
    List<String> lines = new ArrayList<>();
    lines.add(settings());
    lines.add(machine() + "; " + server);
    lines.add("");
    lines.add(
        String.format(
            Locale.ROOT,
            "joined in %.1f s; CPU %s us a join; idle %s MiB, %s KiB a member",
            joinSeconds,
            number(joinCpuMicros(), 0),
            number(mib(idleRssBytes), 1),
            number(idleKibPerMember(), 1)));
    if (!runs.isEmpty()) {
      lines.add("");
      lines.add(String.format(Locale.ROOT, "%-18s %14s %14s %14s", "", "median", "least", "most"));
      for (Figure figure : FIGURES) {
        lines.add(line(figure));
      }
      lines.add(String.format(Locale.ROOT, "%-18s %14d", "lost", lost));
      lines.add("");
      lines.add("Latency is from when a message was due to its arrival, for every delivery. This");
      lines.add(
          "process shares the machine with a server that runs on it, and its sockets cost the");
      lines.add("kernel as much as the server's. Not measured: a real network, other clients.");
    }
    return lines;
  }

  /** One JSON object; what could not be measured is null. */
  String json() {
    StringBuilder json = new StringBuilder("{");
    field(json, "members", workload.members(), 0);
    field(json, "senders", workload.senders(), 0);
    field(json, "text_bytes", workload.textBytes(), 0);
    field(json, "rate_per_s", workload.rate(), 3);
    field(json, "outstanding", workload.outstanding(), 0);
    field(json, "messages", workload.messages(), 0);
    field(json, "join_s", joinSeconds, 3);
    field(json, "join_cpu_us", joinCpuMicros(), 1);
    field(json, "idle_rss_mib", mib(idleRssBytes), 2);
    field(json, "idle_kib_per_member", idleKibPerMember(), 3);
    field(json, "lost", (double) lost, 0);
    for (Figure figure : FIGURES) {
      field(json, figure.key(), median(figure), 6);
    }
    json.append("\"runs\":[");
    for (Run run : runs) {
      json.append('{');
      for (Figure figure : FIGURES) {
        field(json, figure.key(), figure.of().applyAsDouble(run), 6);
      }
      field(json, "messages", (double) run.sent(), 0);
      field(json, "deliveries", (double) run.delivered(), 0);
      closeList(json).append("},");
    }
    closeList(json).append("]}");
    return json.toString();
  }

  private String settings() {
    String load =
        workload.messages() > 0
            ? workload.messages() + " messages each, " + workload.outstanding() + " outstanding"
            : workload.rate() > 0
                ? number(workload.rate(), 0) + " messages/s in all"
                : workload.outstanding() + " messages of each outstanding";
    return String.format(
        Locale.ROOT,
        "%d members, %d senders, %d-byte texts, %s; %d runs after %d s of warm-up",
        workload.members(),
        workload.senders(),
        workload.textBytes(),
        load,
        runs.size(),
        workload.warmUp().toSeconds());
  }

  private static String machine() {
    return String.format(
        Locale.ROOT,
        "%s %s, %d processors, Java %s",
        System.getProperty("os.name"),
        System.getProperty("os.version"),
        Runtime.getRuntime().availableProcessors(),
        System.getProperty("java.version"));
  }

  private String line(Figure figure) {
    double[] sorted = sorted(figure);
    return String.format(
        Locale.ROOT,
        "%-18s %14s %14s %14s",
        figure.title(),
        number(median(figure), figure.digits()),
        number(sorted[0], figure.digits()),
        number(sorted[sorted.length - 1], figure.digits()));
  }

  private double[] sorted(Figure figure) {
    return DoubleStream.of(runs.stream().mapToDouble(figure.of()).toArray()).sorted().toArray();
  }

  private double median(Figure figure) {
    double[] sorted = sorted(figure);
    int middle = sorted.length / 2;
    if (sorted.length == 0) {
      return Double.NaN;
    }
    return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  }

  private static double mib(long bytes) {
    return bytes < 0 ? Double.NaN : bytes / 1024.0 / 1024;
  }

  private static String number(double value, int digits) {
    return Double.isNaN(value) ? "?" : String.format(Locale.ROOT, "%,." + digits + "f", value);
  }

  private static void field(StringBuilder json, String key, double value, int digits) {
    String number =
        Double.isNaN(value) ? "null" : String.format(Locale.ROOT, "%." + digits + "f", value);
    json.append('"').append(key).append("\":").append(number).append(',');
  }

  private static StringBuilder closeList(StringBuilder json) {
    if (json.charAt(json.length() - 1) == ',') {
      json.setLength(json.length() - 1);
    }
    return json;
  }
}
