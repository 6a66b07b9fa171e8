package simplechat.server;

import java.util.Map;
import java.util.TreeMap;
import org.slf4j.Logger;
import org.slf4j.spi.LoggingEventBuilder;
import simplechat.status.ServerMetrics;

/** The figures of a server's whole life, in its last line. */
final class Accounts {
  private Accounts() {}

  static void log(Logger log, ServerMetrics metrics) {
    ServerMetrics.Connections connections = metrics.connections();
    ServerMetrics.InRoom room = metrics.room();
    ServerMetrics.Traffic traffic = metrics.traffic();
    LoggingEventBuilder line =
        log.atInfo()
            .setMessage("stopped")
            .addKeyValue("opened", connections.opened())
            .addKeyValue("open", connections.open())
            .addKeyValue("closed", counted(connections.closed()))
            .addKeyValue("refused", counted(connections.refused()))
            .addKeyValue("members", room.members())
            .addKeyValue("joins", room.joins())
            .addKeyValue("returns", room.returns())
            .addKeyValue("messages", room.messages())
            .addKeyValue("deliveries", traffic.deliveries())
            .addKeyValue("bytes-in", traffic.bytesIn())
            .addKeyValue("bytes-out", traffic.bytesOut())
            .addKeyValue("gaps", traffic.gaps())
            .addKeyValue("missed", traffic.missed())
            .addKeyValue("log-lines-lost", metrics.logLinesLost());
    line.log();
  }

  /** Those that there were, as {@code left:3,lost:1}. */
  private static String counted(Map<String, Long> counts) {
    StringBuilder text = new StringBuilder();
    new TreeMap<>(counts)
        .forEach(
            (name, count) -> {
              if (count > 0) {
                text.append(text.length() == 0 ? "" : ",").append(name).append(':').append(count);
              }
            });
    return text.length() == 0 ? "none" : text.toString();
  }
}
