package simplechat.status;

import io.prometheus.metrics.config.EscapingScheme;
import io.prometheus.metrics.expositionformats.PrometheusTextFormatWriter;
import io.prometheus.metrics.instrumentation.jvm.JvmMetrics;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import io.prometheus.metrics.model.snapshots.ClassicHistogramBuckets;
import io.prometheus.metrics.model.snapshots.CounterSnapshot;
import io.prometheus.metrics.model.snapshots.CounterSnapshot.CounterDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot;
import io.prometheus.metrics.model.snapshots.GaugeSnapshot.GaugeDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.HistogramSnapshot;
import io.prometheus.metrics.model.snapshots.HistogramSnapshot.HistogramDataPointSnapshot;
import io.prometheus.metrics.model.snapshots.Labels;
import io.prometheus.metrics.model.snapshots.MetricSnapshots;
import java.io.IOException;
import java.io.OutputStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The figures in the text format of Prometheus, with those of the Java machine below ours.
 *
 * <p>Threading: one thread each, not a loop of the room's: the machine's own figures take files and
 * locks to read.
 */
final class MetricsText {
  static final String CONTENT_TYPE = PrometheusTextFormatWriter.CONTENT_TYPE;

  private static final double SECOND_NANOS = 1e9;

  /** One for all: the library listens to the machine's collections, and never ceases to. */
  private static final PrometheusRegistry MACHINE = new PrometheusRegistry();

  static {
    JvmMetrics.builder().register(MACHINE);
  }

  private final PrometheusTextFormatWriter writer = PrometheusTextFormatWriter.create();

  void write(ServerMetrics metrics, boolean ready, OutputStream out) throws IOException {
    MetricSnapshots.Builder all = MetricSnapshots.builder();
    people(all, metrics);
    traffic(all, metrics);
    redis(all, metrics.shared());
    gauge(all, "chat_ready", "1 if new connections are welcome", ready ? 1 : 0);
    MACHINE.scrape().forEach(all::metricSnapshot);
    writer.write(out, all.build(), EscapingScheme.UNDERSCORE_ESCAPING);
  }

  private static void people(MetricSnapshots.Builder all, ServerMetrics metrics) {
    ServerMetrics.Connections connections = metrics.connections();
    ServerMetrics.InRoom room = metrics.room();
    gauge(all, "chat_connections_open", "Open, joined or not", connections.open());
    counter(all, "chat_connections_opened", "Accepted", connections.opened());
    counters(
        all,
        "chat_connections_closed",
        "By the code of the last word; opened - open is the sum",
        "reason",
        connections.closed());
    counters(
        all,
        "chat_refusals",
        "Requests refused on connections that stayed, by code",
        "reason",
        connections.refused());
    gauge(all, "chat_members", "In the room", room.members());
    gauge(all, "chat_members_away", "Lost, who could still come back by token", room.away());
    counters(
        all,
        "chat_joins",
        "Joins, and returns by token",
        "how",
        Map.of("joined", room.joins(), "came_back", room.returns()));
    counter(all, "chat_messages", "Taken", room.messages());
    gauge(all, "chat_log_start_position", "Oldest retained event", room.logStart());
    gauge(all, "chat_log_end_position", "Next event", room.logEnd());
    gauge(all, "chat_log_bytes", "Memory of the retained events", room.logBytes());
  }

  private static void traffic(MetricSnapshots.Builder all, ServerMetrics metrics) {
    ServerMetrics.Traffic traffic = metrics.traffic();
    counter(all, "chat_deliveries", "Events sent, for each member", traffic.deliveries());
    counter(all, "chat_received_bytes", "Read from members' sockets", traffic.bytesIn());
    counter(all, "chat_sent_bytes", "Taken by members' sockets", traffic.bytesOut());
    counter(all, "chat_gaps", "Times a member was told that it missed events", traffic.gaps());
    counter(all, "chat_missed_events", "Events that these were about", traffic.missed());
    ServerMetrics.Lag lag = metrics.lag();
    all.metricSnapshot(
        GaugeSnapshot.builder()
            .name("chat_lag_bytes")
            .help("What members have not taken of the log: the slowest, and the 99th percentile")
            .dataPoint(gauge(Labels.of("quantile", "1"), lag.slowestBytes()))
            .dataPoint(gauge(Labels.of("quantile", "0.99"), lag.p99Bytes()))
            .build());
    all.metricSnapshot(delay(metrics.loopDelay()));
    gauge(
        all,
        "chat_direct_memory_bytes",
        "In use of the pool for buffers, the log included",
        metrics.memory().directBytes());
    counter(all, "chat_log_lines_lost", "Left out, or taken by nobody", metrics.logLinesLost());
  }

  private static void redis(MetricSnapshots.Builder all, ServerMetrics.@Nullable Shared shared) {
    if (shared == null) {
      return;
    }
    gauge(all, "chat_redis_up", "1 if the shared room is followed", shared.up() ? 1 : 0);
    gauge(
        all,
        "chat_redis_waiting_messages",
        "Said, and not taken by Redis yet",
        shared.waitingMessages());
    gauge(all, "chat_redis_waiting_bytes", "Memory of what waits", shared.waitingBytes());
    all.metricSnapshot(
        GaugeSnapshot.builder()
            .name("chat_redis_call_seconds")
            .help("How long Redis took to answer when it was last looked at, once a second")
            .dataPoint(
                GaugeDataPointSnapshot.builder()
                    .value(shared.call().toNanos() / SECOND_NANOS)
                    .build())
            .build());
    counter(
        all,
        "chat_redis_skipped_entries",
        "Entries of the room's stream that made no sense",
        shared.skipped());
    counter(
        all, "chat_redis_reconnects", "Times that Redis was lost and found", shared.reconnects());
  }

  private static HistogramSnapshot delay(ServerMetrics.Delay delay) {
    List<Double> bounds = new ArrayList<>();
    for (Duration bound : ServerMetrics.Delay.BOUNDS) {
      bounds.add(bound.toNanos() / SECOND_NANOS);
    }
    bounds.add(Double.POSITIVE_INFINITY);
    return HistogramSnapshot.builder()
        .name("chat_loop_delay_seconds")
        .help("How late event loops came to what was due")
        .dataPoint(
            HistogramDataPointSnapshot.builder()
                .classicHistogramBuckets(ClassicHistogramBuckets.of(bounds, delay.counts()))
                .sum(delay.sum().toNanos() / SECOND_NANOS)
                .build())
        .build();
  }

  private static void gauge(MetricSnapshots.Builder all, String name, String help, long value) {
    all.metricSnapshot(
        GaugeSnapshot.builder()
            .name(name)
            .help(help)
            .dataPoint(gauge(Labels.EMPTY, value))
            .build());
  }

  private static GaugeDataPointSnapshot gauge(Labels labels, long value) {
    return GaugeDataPointSnapshot.builder().labels(labels).value((double) value).build();
  }

  private static void counter(MetricSnapshots.Builder all, String name, String help, long value) {
    all.metricSnapshot(
        CounterSnapshot.builder()
            .name(name)
            .help(help)
            .dataPoint(CounterDataPointSnapshot.builder().value((double) value).build())
            .build());
  }

  private static void counters(
      MetricSnapshots.Builder all,
      String name,
      String help,
      String label,
      Map<String, Long> values) {
    CounterSnapshot.Builder counter = CounterSnapshot.builder().name(name).help(help);
    new TreeMap<>(values)
        .forEach(
            (key, value) ->
                counter.dataPoint(
                    CounterDataPointSnapshot.builder()
                        .labels(Labels.of(label, key))
                        .value((double) value)
                        .build()));
    all.metricSnapshot(counter.build());
  }
}
