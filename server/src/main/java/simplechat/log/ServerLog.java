package simplechat.log;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.LoggingEvent;
import ch.qos.logback.core.UnsynchronizedAppenderBase;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedTransferQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;
import org.slf4j.event.KeyValuePair;

/**
 * Writes the log of a program, and never holds up who has something to say.
 *
 * <p>Threading: any thread may log, without a lock; one of its own writes. Bounds: {@value
 * #WAITING_MAX} lines wait, {@value #LINES_PER_SECOND} a second of a kind (one message with other
 * values) are written. What is left out is counted, and said when the second is over; what the
 * stream does not take is counted. Endings: {@link #close}.
 */
public final class ServerLog extends UnsynchronizedAppenderBase<ILoggingEvent> {
  /** The logger of what members say, which is silent unless it is asked for. */
  public static final String SAID = "simplechat.said";

  private static final int WAITING_MAX = 1000;
  private static final int LINES_PER_SECOND = 10;

  /** Our own messages are fewer; a library may put values into its own. A guess. */
  private static final int KINDS_MAX = 200;

  private static final String OTHER_KINDS = "of other kinds";
  private static final long SECOND_NANOS = Duration.ofSeconds(1).toNanos();
  private static final long IDLE_NANOS = Duration.ofHours(1).toNanos();

  private final LineFormat format;
  private final OutputStream out;
  private final LinkedTransferQueue<ILoggingEvent> queue = new LinkedTransferQueue<>();
  private final Map<String, AtomicInteger> kinds = new ConcurrentHashMap<>();
  private final AtomicInteger waiting = new AtomicInteger();
  private final AtomicLong lost = new AtomicLong();
  private final Thread writer = new Thread(this::write, "chat-log");
  private final Logger logger;
  private volatile boolean closing;

  private ServerLog(LoggerContext context, LineFormat format, OutputStream out) {
    this.format = format;
    this.out = out;
    this.logger = context.getLogger(ServerLog.class);
    setContext(context);
    setName("chat");
    writer.setDaemon(true);
  }

  /**
   * Takes the place of what Logback is configured to do in this process.
   *
   * @param level {@code debug}, {@code info}, {@code warn} or {@code error}
   * @param texts true to log what members say
   */
  public static ServerLog install(
      String level, LineFormat format, boolean texts, OutputStream out) {
    return install((LoggerContext) LoggerFactory.getILoggerFactory(), level, format, texts, out);
  }

  static ServerLog install(
      LoggerContext context, String level, LineFormat format, boolean texts, OutputStream out) {
    context.reset();
    ServerLog log = new ServerLog(context, format, out);
    log.start();
    Logger root = context.getLogger(Logger.ROOT_LOGGER_NAME);
    root.setLevel(Level.toLevel(level));
    root.addAppender(log);
    context.getLogger("io.netty").setLevel(Level.WARN);
    context.getLogger("io.lettuce").setLevel(Level.ERROR); // its failures come to us, and are told
    context.getLogger(SAID).setLevel(texts ? Level.TRACE : Level.OFF);
    log.writer.start();
    return log;
  }

  /** How many lines were left out, or not taken by the stream. */
  public long lost() {
    return lost.get() + kinds.values().stream().mapToLong(seen -> leftOut(seen.get())).sum();
  }

  /** Writes what waits; gives up after the given time, as the stream may take nothing any more. */
  public void close(Duration patience) throws InterruptedException {
    closing = true;
    writer.interrupt();
    writer.join(patience.toMillis());
  }

  @Override
  protected void append(ILoggingEvent event) {
    if (kind(event.getMessage()).incrementAndGet() > LINES_PER_SECOND) {
      return;
    }
    if (waiting.incrementAndGet() > WAITING_MAX) {
      waiting.decrementAndGet();
      lost.incrementAndGet();
    } else {
      event.getFormattedMessage(); // now, while its arguments are what they are
      queue.offer(event);
    }
  }

  private AtomicInteger kind(String message) {
    AtomicInteger known = kinds.get(message);
    if (known != null) {
      return known;
    }
    String kind = kinds.size() < KINDS_MAX ? message : OTHER_KINDS;
    return kinds.computeIfAbsent(kind, unused -> new AtomicInteger());
  }

  private void write() {
    boolean idle = true;
    long secondEnd = 0;
    while (!closing || !queue.isEmpty()) {
      ILoggingEvent event = next(idle ? IDLE_NANOS : secondEnd - System.nanoTime());
      if (event != null) {
        waiting.decrementAndGet();
        put(event);
        secondEnd = idle ? System.nanoTime() + SECOND_NANOS : secondEnd;
        idle = false;
      }
      if (!idle && System.nanoTime() - secondEnd >= 0) {
        idle = !beginSecond();
        secondEnd = System.nanoTime() + SECOND_NANOS;
      }
    }
  }

  private @Nullable ILoggingEvent next(long nanos) {
    try {
      return queue.poll(nanos, TimeUnit.NANOSECONDS);
    } catch (InterruptedException e) {
      return queue.poll(); // closing
    }
  }

  /** Says what was left out; false if nothing was said at all. */
  private boolean beginSecond() {
    boolean any = false;
    for (Map.Entry<String, AtomicInteger> kind : kinds.entrySet()) {
      int seen = kind.getValue().getAndSet(0);
      any |= seen > 0;
      if (leftOut(seen) > 0) {
        lost.addAndGet(leftOut(seen));
        LoggingEvent event =
            new LoggingEvent(getClass().getName(), logger, Level.WARN, "left out", null, null);
        event.addKeyValuePair(new KeyValuePair("lines", leftOut(seen)));
        event.addKeyValuePair(new KeyValuePair("like", kind.getKey()));
        put(event);
      }
    }
    return any;
  }

  private void put(ILoggingEvent event) {
    try {
      out.write(format.line(event).getBytes(StandardCharsets.UTF_8));
      out.flush();
    } catch (IOException | RuntimeException e) {
      lost.incrementAndGet();
    }
  }

  private static int leftOut(int seen) {
    return Math.max(0, seen - LINES_PER_SECOND);
  }
}
