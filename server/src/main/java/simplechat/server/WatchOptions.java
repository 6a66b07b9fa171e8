package simplechat.server;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;
import simplechat.log.LineFormat;
import simplechat.log.ServerLog;

/** The options by which one sees what the server program does. */
final class WatchOptions {
  private static final int PORT_MAX = 65_535;

  @Option(
      names = "--metrics-port",
      paramLabel = "PORT",
      description = "HTTP: a status page, /metrics, /health/live and /health/ready (default: none)")
  private @Nullable Integer metricsPort;

  @Option(
      names = "--metrics-host",
      paramLabel = "HOST",
      defaultValue = "127.0.0.1",
      description = "address to bind for that (default: ${DEFAULT-VALUE})")
  private String metricsHost = "";

  @Option(
      names = "--log-level",
      paramLabel = "LEVEL",
      defaultValue = "info",
      description = "debug, info, warn or error (default: ${DEFAULT-VALUE})")
  private LogLevel logLevel = LogLevel.info;

  @Option(
      names = "--log-format",
      paramLabel = "FORMAT",
      defaultValue = "text",
      description = "text or json, an object a line (default: ${DEFAULT-VALUE})")
  private LogFormat logFormat = LogFormat.text;

  @Option(
      names = "--log-messages",
      description = "log what members say, and who, which is logged nowhere else")
  private boolean logMessages;

  enum LogLevel {
    debug,
    info,
    warn,
    error
  }

  enum LogFormat {
    text,
    json
  }

  /** Null if nobody is to look. */
  @Nullable Integer metricsPort() {
    if (metricsPort != null && (metricsPort < 0 || metricsPort > PORT_MAX)) {
      throw new IllegalArgumentException(
          "metrics-port is " + metricsPort + ": it must be between 0 and " + PORT_MAX);
    }
    return metricsPort;
  }

  String metricsHost() {
    return metricsHost;
  }

  /** Begins to log, past the stream that Java makes of stderr, as that one hides its faults. */
  ServerLog log() {
    return ServerLog.install(
        logLevel.name(),
        logFormat == LogFormat.json ? LineFormat.JSON : LineFormat.TEXT,
        logMessages,
        new FileOutputStream(FileDescriptor.err));
  }
}
