package simplechat.status;

import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** The figures as the status page takes them: one object of numbers, and of names of codes. */
final class StatusJson {
  private final StringBuilder json = new StringBuilder();

  private StatusJson() {}

  /**
   * @param unready why new connections are not welcome, null if they are
   */
  static String of(ServerMetrics metrics, @Nullable String unready, long upSeconds) {
    ServerMetrics.InRoom room = metrics.room();
    ServerMetrics.Traffic traffic = metrics.traffic();
    return new StatusJson()
        .text("unready", unready == null ? "" : unready)
        .number("upSeconds", upSeconds)
        .number("open", metrics.connections().open())
        .number("opened", metrics.connections().opened())
        .numbers("closed", metrics.connections().closed())
        .numbers("refused", metrics.connections().refused())
        .number("members", room.members())
        .number("away", room.away())
        .number("joins", room.joins())
        .number("returns", room.returns())
        .number("messages", room.messages())
        .number("logStart", room.logStart())
        .number("logEnd", room.logEnd())
        .number("logBytes", room.logBytes())
        .number("deliveries", traffic.deliveries())
        .number("bytesIn", traffic.bytesIn())
        .number("bytesOut", traffic.bytesOut())
        .number("gaps", traffic.gaps())
        .number("missed", traffic.missed())
        .number("lagBytes", metrics.lag().slowestBytes())
        .number("lagP99Bytes", metrics.lag().p99Bytes())
        .number("ticks", metrics.loopDelay().counts().stream().mapToLong(Long::longValue).sum())
        .number("delayMicros", metrics.loopDelay().sum().toNanos() / 1000)
        .number("directBytes", metrics.memory().directBytes())
        .number("heapBytes", metrics.memory().heapBytes())
        .numbers("redis", redis(metrics.shared()))
        .number("logLinesLost", metrics.logLinesLost())
        .end();
  }

  /** Nothing where there is none. */
  private static Map<String, Long> redis(ServerMetrics.@Nullable Shared shared) {
    return shared == null
        ? Map.of()
        : Map.of(
            "up",
            shared.up() ? 1L : 0,
            "waitingMessages",
            (long) shared.waitingMessages(),
            "waitingBytes",
            shared.waitingBytes(),
            "callMicros",
            shared.call().toNanos() / 1000,
            "skipped",
            shared.skipped(),
            "reconnects",
            shared.reconnects());
  }

  private StatusJson number(String key, long value) {
    key(key).append(value);
    return this;
  }

  /** A text of our own, which needs no escapes. */
  private StatusJson text(String key, String value) {
    key(key).append('"').append(value).append('"');
    return this;
  }

  private StatusJson numbers(String key, Map<String, Long> values) {
    StatusJson inner = new StatusJson();
    new TreeMap<>(values).forEach(inner::number);
    key(key).append(inner.end());
    return this;
  }

  private StringBuilder key(String key) {
    return json.append(json.length() == 0 ? "{\"" : ",\"").append(key).append("\":");
  }

  private String end() {
    return json.append(json.length() == 0 ? "{}" : "}").toString();
  }
}
