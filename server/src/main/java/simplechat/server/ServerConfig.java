package simplechat.server;

import io.netty.util.internal.PlatformDependent;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import simplechat.protocol.ErrorCode;
import simplechat.protocol.Limits;
import simplechat.protocol.RoomKey;
import simplechat.protocol.Text;

/**
 * Every knob of a server, checked when it is made.
 *
 * @param host to bind, a name or an address
 * @param port 0 for any that is free
 * @param maxConnections open at once; one more is told SERVER_FULL
 * @param maxPending connections that have not joined; of more the oldest is told SERVER_FULL
 * @param maxPerAddress connections from one address, 0 for any number
 * @param rate messages of one member in a second, 0 for any number; four times as many at once
 * @param inputBytes of memory for what has come of frames that are not whole, of all together
 * @param maxText longest text of a message, in bytes
 * @param joinTimeout from the accept to the join, whatever is sent in between
 * @param heartbeat of silence until a member is asked for a sign of life, and again until it is
 *     closed
 * @param writeStall how long a member's socket may take no byte of what waits for it
 * @param resumeWindow how long a lost member may come back by token
 * @param drain how long a shutdown may take
 * @param logBytes of memory for the room's log
 * @param sendBufferBytes of kernel memory for each socket, or 0 if the kernel decides
 * @param loops number of event loops
 * @param transport kind of socket; another one if it does not work
 * @param greeting shown to those who join, empty for none
 * @param tls files to speak TLS with, null to speak without; read at start and when they change
 * @param key that those who join must know, null for none
 */
public record ServerConfig(
    String host,
    int port,
    int maxConnections,
    int maxPending,
    int maxPerAddress,
    int rate,
    long inputBytes,
    int maxText,
    Duration joinTimeout,
    Duration heartbeat,
    Duration writeStall,
    Duration resumeWindow,
    Duration drain,
    long logBytes,
    int sendBufferBytes,
    int loops,
    TransportChoice transport,
    String greeting,
    @Nullable TlsFiles tls,
    @Nullable RoomKey key) {

  /** So many lost members are remembered at least. */
  private static final int LOST_MIN = 10_000;

  /** So many of the longest frames fit in the log at least. */
  private static final int LOG_MIN_FRAMES = 4;

  private static final int LOG_MIN_BYTES = 64 * 1024;
  private static final Duration TICK_MAX = Duration.ofMillis(250);
  private static final Duration SHORTEST = Duration.ofMillis(10);
  private static final Duration LONGEST = Duration.ofHours(12);

  /**
   * @throws IllegalArgumentException for a value that is out of its bounds, with both in one line
   */
  public ServerConfig {
    Objects.requireNonNull(host, "host");
    Objects.requireNonNull(transport, "transport");
    Objects.requireNonNull(greeting, "greeting");
    between("port", port, 0, 65_535);
    between("max-connections", maxConnections, 1, 1_000_000);
    between("max-pending", maxPending, 1, 1_000_000);
    between("max-per-address", maxPerAddress, 0, 1_000_000);
    if (maxPerAddress > maxConnections) {
      throw new IllegalArgumentException(
          "max-per-address is "
              + maxPerAddress
              + ": it must be at most max-connections, "
              + maxConnections);
    }
    between("rate", rate, 0, 1_000_000);
    between("max-text", maxText, 1, Limits.TEXT_MAX_BYTES);
    between("join-timeout", joinTimeout);
    between("heartbeat", heartbeat);
    between("write-stall", writeStall);
    between("resume-window", resumeWindow);
    between("drain", drain);
    between("input-bytes", inputBytes, 2L * maxText, 1L << 40);
    between("log-bytes", logBytes, LOG_MIN_BYTES, 1L << 40);
    if (logBytes > directBytes() / 4 * 3) {
      throw new IllegalArgumentException(
          "log-bytes is "
              + logBytes
              + ": it must be at most 3/4 of the JVM's direct memory, "
              + directBytes()
              + " (-XX:MaxDirectMemorySize)");
    }
    if (sendBufferBytes != 0) {
      between("send-buffer", sendBufferBytes, 1024, 1 << 30);
    }
    between("loops", loops, 1, 1024);
    if (logBytes < (long) LOG_MIN_FRAMES * maxText) {
      throw new IllegalArgumentException(
          "log-bytes is "
              + logBytes
              + ": it must hold at least "
              + LOG_MIN_FRAMES
              + " texts of max-text, "
              + maxText);
    }
    if (Text.check(greeting, Integer.MAX_VALUE) == ErrorCode.TEXT_INVALID) {
      throw new IllegalArgumentException("greeting has a control character or half a character");
    }
    if (greeting.getBytes(StandardCharsets.UTF_8).length > Limits.SMALL_BODY_MAX_BYTES) {
      throw new IllegalArgumentException(
          "greeting is longer than " + Limits.SMALL_BODY_MAX_BYTES + " bytes");
    }
  }

  /**
   * What half-received messages may take: {@link #inputBytes}, but at most half of the direct
   * memory that the log leaves.
   */
  long affordableInputBytes() {
    return Math.min(inputBytes, (directBytes() - logBytes) / 2);
  }

  /** When a shutdown ends who has not gone: so early that the rest of it is over in time, too. */
  long closeAfterMillis() {
    return drain.toMillis() * 19 / 20;
  }

  /** How many lost members are remembered: few connections must not make few of them forgotten. */
  int maxLost() {
    return Math.max(LOST_MIN, maxConnections);
  }

  /** Fine enough for the shortest of the times that a loop keeps for its connections. */
  long tickNanos() {
    Duration shortest = Collections.min(List.of(joinTimeout, heartbeat, writeStall, drain));
    return Math.min(TICK_MAX.toNanos(), shortest.toNanos() / 4);
  }

  /** What the kernel is told of {@link #sendBufferBytes}, or null if it shall decide by itself. */
  @Nullable Integer fixedSendBuffer() {
    return sendBufferBytes == 0 ? null : sendBufferBytes;
  }

  private static long directBytes() {
    return PlatformDependent.maxDirectMemory();
  }

  /** The defaults, on the loopback address. */
  public static ServerConfig defaults() {
    return new Builder().build();
  }

  /** A builder that starts with these values. */
  public Builder toBuilder() {
    return new Builder(this);
  }

  private static void between(String option, long value, long min, long max) {
    if (value < min || value > max) {
      throw new IllegalArgumentException(
          option + " is " + value + ": it must be between " + min + " and " + max);
    }
  }

  private static void between(String option, Duration value) {
    if (value.compareTo(SHORTEST) < 0 || value.compareTo(LONGEST) > 0) {
      throw new IllegalArgumentException(
          option + " is " + seconds(value) + ": it must be between 0.01 and 43200 seconds");
    }
  }

  private static String seconds(Duration value) {
    BigDecimal exact =
        BigDecimal.valueOf(value.getSeconds()).add(BigDecimal.valueOf(value.getNano(), 9));
    return exact.stripTrailingZeros().toPlainString() + " s";
  }

  /** Changes single values of a configuration; setters are named as the components. */
  public static final class Builder {
    private String host = "127.0.0.1";
    private int port = 8080;
    private int maxConnections = 10_000;
    private int maxPending = 512;
    private int maxPerAddress;
    private int rate;
    private long inputBytes = 64 * 1024 * 1024;
    private int maxText = Limits.TEXT_DEFAULT_MAX_BYTES;
    private Duration joinTimeout = Duration.ofSeconds(10);
    private Duration heartbeat = Duration.ofSeconds(30);
    private Duration writeStall = Duration.ofSeconds(30);
    private Duration resumeWindow = Duration.ofMinutes(2);
    private Duration drain = Duration.ofSeconds(10);
    private long logBytes = 16 * 1024 * 1024;
    private int sendBufferBytes = 128 * 1024;
    private int loops = Runtime.getRuntime().availableProcessors();
    private TransportChoice transport = TransportChoice.AUTO;
    private String greeting = "";
    private @Nullable TlsFiles tls;
    private @Nullable RoomKey key;

    Builder() {}

    Builder(ServerConfig config) {
      host = config.host;
      port = config.port;
      maxConnections = config.maxConnections;
      maxPending = config.maxPending;
      maxPerAddress = config.maxPerAddress;
      rate = config.rate;
      inputBytes = config.inputBytes;
      maxText = config.maxText;
      joinTimeout = config.joinTimeout;
      heartbeat = config.heartbeat;
      writeStall = config.writeStall;
      resumeWindow = config.resumeWindow;
      drain = config.drain;
      logBytes = config.logBytes;
      sendBufferBytes = config.sendBufferBytes;
      loops = config.loops;
      transport = config.transport;
      greeting = config.greeting;
      tls = config.tls;
      key = config.key;
    }

    public Builder host(String value) {
      host = value;
      return this;
    }

    public Builder port(int value) {
      port = value;
      return this;
    }

    public Builder maxConnections(int value) {
      maxConnections = value;
      return this;
    }

    public Builder maxPending(int value) {
      maxPending = value;
      return this;
    }

    public Builder maxPerAddress(int value) {
      maxPerAddress = value;
      return this;
    }

    public Builder rate(int value) {
      rate = value;
      return this;
    }

    public Builder inputBytes(long value) {
      inputBytes = value;
      return this;
    }

    public Builder maxText(int value) {
      maxText = value;
      return this;
    }

    public Builder joinTimeout(Duration value) {
      joinTimeout = value;
      return this;
    }

    public Builder heartbeat(Duration value) {
      heartbeat = value;
      return this;
    }

    public Builder writeStall(Duration value) {
      writeStall = value;
      return this;
    }

    public Builder resumeWindow(Duration value) {
      resumeWindow = value;
      return this;
    }

    public Builder drain(Duration value) {
      drain = value;
      return this;
    }

    public Builder logBytes(long value) {
      logBytes = value;
      return this;
    }

    public Builder sendBufferBytes(int value) {
      sendBufferBytes = value;
      return this;
    }

    public Builder loops(int value) {
      loops = value;
      return this;
    }

    public Builder transport(TransportChoice value) {
      transport = value;
      return this;
    }

    public Builder greeting(String value) {
      greeting = value;
      return this;
    }

    public Builder tls(@Nullable TlsFiles value) {
      tls = value;
      return this;
    }

    public Builder key(@Nullable RoomKey value) {
      key = value;
      return this;
    }

    /**
     * @throws IllegalArgumentException for a value that is out of its bounds
     */
    public ServerConfig build() {
      return new ServerConfig(
          host,
          port,
          maxConnections,
          maxPending,
          maxPerAddress,
          rate,
          inputBytes,
          maxText,
          joinTimeout,
          heartbeat,
          writeStall,
          resumeWindow,
          drain,
          logBytes,
          sendBufferBytes,
          loops,
          transport,
          greeting,
          tls,
          key);
    }
  }
}
