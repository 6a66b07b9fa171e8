package simplechat.server;

import java.io.IOException;
import java.math.BigDecimal;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** The options of the server program, and the configuration that they make. */
final class ServerOptions {
  @Option(
      names = "--host",
      paramLabel = "HOST",
      defaultValue = "127.0.0.1",
      description = "address to bind (default: ${DEFAULT-VALUE})")
  private String host = "";

  @Option(
      names = {"-p", "--port"},
      paramLabel = "PORT",
      defaultValue = "8080",
      description = "port, 0 for any that is free (default: ${DEFAULT-VALUE})")
  private int port;

  @Option(
      names = "--max-connections",
      paramLabel = "N",
      defaultValue = "10000",
      description = "open at once, joined or not (default: ${DEFAULT-VALUE})")
  private int maxConnections;

  @Option(
      names = "--max-pending",
      paramLabel = "N",
      defaultValue = "512",
      description = "connections that have not joined; the oldest goes (default: ${DEFAULT-VALUE})")
  private int maxPending;

  @Option(
      names = "--max-per-address",
      paramLabel = "N",
      defaultValue = "0",
      description = "open at once from one address, 0 for any number (default: ${DEFAULT-VALUE})")
  private int maxPerAddress;

  @Option(
      names = "--rate",
      paramLabel = "N",
      defaultValue = "0",
      description =
          "messages of a member in a second, by reading it more slowly; 0 for any number"
              + " (default: ${DEFAULT-VALUE})")
  private int rate;

  @Option(
      names = "--input-bytes",
      paramLabel = "SIZE",
      converter = SizeConverter.class,
      defaultValue = "64m",
      description = "memory for messages that have come in part (default: ${DEFAULT-VALUE})")
  private long inputBytes;

  @Option(
      names = "--max-text",
      paramLabel = "SIZE",
      converter = SizeConverter.class,
      defaultValue = "64k",
      description = "longest text of a message, up to 1m (default: ${DEFAULT-VALUE})")
  private long maxText;

  @Option(
      names = "--join-timeout",
      paramLabel = "TIME",
      converter = DurationConverter.class,
      defaultValue = "10s",
      description = "from the accept to the join (default: ${DEFAULT-VALUE})")
  private Duration joinTimeout = Duration.ZERO;

  @Option(
      names = "--heartbeat",
      paramLabel = "TIME",
      converter = DurationConverter.class,
      defaultValue = "30s",
      description =
          "of silence until a sign of life is asked for, and again until the end"
              + " (default: ${DEFAULT-VALUE})")
  private Duration heartbeat = Duration.ZERO;

  @Option(
      names = "--write-stall",
      paramLabel = "TIME",
      converter = DurationConverter.class,
      defaultValue = "30s",
      description = "how long a member may read nothing of what waits (default: ${DEFAULT-VALUE})")
  private Duration writeStall = Duration.ZERO;

  @Option(
      names = "--resume-window",
      paramLabel = "TIME",
      converter = DurationConverter.class,
      defaultValue = "120s",
      description = "how long a lost member may come back (default: ${DEFAULT-VALUE})")
  private Duration resumeWindow = Duration.ZERO;

  @Option(
      names = "--drain",
      paramLabel = "TIME",
      converter = DurationConverter.class,
      defaultValue = "10s",
      description = "how long a shutdown may take (default: ${DEFAULT-VALUE})")
  private Duration drain = Duration.ZERO;

  @Option(
      names = "--log-bytes",
      paramLabel = "SIZE",
      converter = SizeConverter.class,
      defaultValue = "16m",
      description = "memory for the room's log (default: ${DEFAULT-VALUE})")
  private long logBytes;

  @Option(
      names = "--send-buffer",
      paramLabel = "SIZE",
      converter = SizeConverter.class,
      defaultValue = "128k",
      description =
          "kernel memory for each socket's output, 0: as much as the kernel likes"
              + " (default: ${DEFAULT-VALUE})")
  private long sendBuffer;

  @Option(
      names = "--loops",
      paramLabel = "N",
      defaultValue = "0",
      description = "event loops, 0 for one a core (default: ${DEFAULT-VALUE})")
  private int loops;

  @Option(
      names = "--transport",
      paramLabel = "NAME",
      defaultValue = "auto",
      description = "auto, epoll, io_uring, kqueue or nio (default: ${DEFAULT-VALUE})")
  private TransportChoice transport = TransportChoice.AUTO;

  @Option(
      names = "--greeting",
      paramLabel = "TEXT",
      defaultValue = "",
      description = "shown to those who join")
  private String greeting = "";

  @Option(
      names = "--tls-cert",
      paramLabel = "FILE",
      description = "PEM certificate and those that lead to its CA; with --tls-key, to speak TLS")
  private @Nullable Path tlsCert;

  @Option(
      names = "--tls-key",
      paramLabel = "FILE",
      description = "PEM private key of the certificate; both files may change while it runs")
  private @Nullable Path tlsKey;

  @Option(
      names = "--key-file",
      paramLabel = "FILE",
      description = "holds the key that those who join must know; CHAT_KEY can be the key itself")
  private @Nullable Path keyFile;

  /**
   * @throws IllegalArgumentException for a value that is out of its bounds
   * @throws IOException if a file cannot be read, with its name and why in the message
   */
  ServerConfig config() throws IOException {
    return ServerConfig.defaults().toBuilder()
        .host(host)
        .port(port)
        .maxConnections(maxConnections)
        .maxPending(maxPending)
        .maxPerAddress(maxPerAddress)
        .rate(rate)
        .inputBytes(inputBytes)
        .maxText((int) Math.min(maxText, Integer.MAX_VALUE))
        .joinTimeout(joinTimeout)
        .heartbeat(heartbeat)
        .writeStall(writeStall)
        .resumeWindow(resumeWindow)
        .drain(drain)
        .logBytes(logBytes)
        .sendBufferBytes((int) Math.min(sendBuffer, Integer.MAX_VALUE))
        .loops(loops == 0 ? Runtime.getRuntime().availableProcessors() : loops)
        .transport(transport)
        .greeting(greeting)
        .tls(tls())
        .key(SecretFile.key(keyFile, System.getenv("CHAT_KEY")))
        .build();
  }

  private @Nullable TlsFiles tls() {
    if (tlsCert != null && tlsKey != null) {
      return new TlsFiles(tlsCert, tlsKey);
    }
    if (tlsCert != null || tlsKey != null) {
      throw new IllegalArgumentException(
          (tlsKey == null
              ? "tls-key is missing, for the certificate"
              : "tls-cert is missing, for the key"));
    }
    return null;
  }

  /** {@code 500ms}, {@code 30s}, {@code 2m}, {@code 1h}, or seconds. */
  static final class DurationConverter implements ITypeConverter<Duration> {
    @Override
    public Duration convert(String value) {
      String text = value.toLowerCase(Locale.ROOT);
      try {
        if (text.endsWith("ms")) {
          return millis(text, 2, 1);
        }
        if (text.endsWith("m")) {
          return millis(text, 1, 60_000);
        }
        if (text.endsWith("h")) {
          return millis(text, 1, 3_600_000);
        }
        return millis(text, text.endsWith("s") ? 1 : 0, 1_000);
      } catch (ArithmeticException | NumberFormatException e) {
        throw new TypeConversionException(
            "'" + value + "' is not a time such as 500ms, 30s, 2m or 1h");
      }
    }

    private static Duration millis(String text, int unitLength, long unitMillis) {
      BigDecimal number = new BigDecimal(text.substring(0, text.length() - unitLength));
      return Duration.ofMillis(number.multiply(BigDecimal.valueOf(unitMillis)).longValueExact());
    }
  }

  /** {@code 64k}, {@code 16m}, {@code 1g}, or bytes. */
  static final class SizeConverter implements ITypeConverter<Long> {
    @Override
    public Long convert(String value) {
      String text = value.toLowerCase(Locale.ROOT);
      int shift = text.endsWith("k") ? 10 : text.endsWith("m") ? 20 : text.endsWith("g") ? 30 : 0;
      try {
        long number = Long.parseLong(shift == 0 ? text : text.substring(0, text.length() - 1));
        return Math.multiplyExact(number, 1L << shift);
      } catch (ArithmeticException | NumberFormatException e) {
        throw new TypeConversionException(
            "'" + value + "' is not a size such as 64k, 16m, 1g or bytes");
      }
    }
  }
}
