package simplechat.server;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import simplechat.protocol.ErrorCode;
import simplechat.status.ServerMetrics.Connections;
import simplechat.status.ServerMetrics.Delay;
import simplechat.status.ServerMetrics.Traffic;

/**
 * What happened on one event loop since the server started.
 *
 * <p>Threading: the loop's, which alone counts and alone copies what was counted, so that counting
 * is an addition and nothing else. When the loop has ended, any one thread.
 */
final class LoopCounters {
  private static final ErrorCode[] CODES = ErrorCode.values();

  private static final int HIGHEST =
      Arrays.stream(CODES).mapToInt(ErrorCode::number).max().orElseThrow();

  private static final long[] BOUNDS = Delay.BOUNDS.stream().mapToLong(Duration::toNanos).toArray();

  /** By the number of the code. */
  private final long[] closed = new long[HIGHEST + 1];

  private final long[] refused = new long[HIGHEST + 1];
  private final long[] delayed = new long[BOUNDS.length + 1];
  private long opened;
  private long lost;
  private long joins;
  private long returns;
  private long deliveries;
  private long bytesIn;
  private long bytesOut;
  private long gaps;
  private long missed;
  private long delayNanos;

  void opened() {
    opened++;
  }

  /**
   * @param why null if the peer went, or was gone, without a last word of ours
   */
  void closed(@Nullable ErrorCode why) {
    if (why == null) {
      lost++;
    } else {
      closed[why.number()]++;
    }
  }

  /** Something was refused, and the connection stays. */
  void refused(ErrorCode code) {
    refused[code.number()]++;
  }

  void joined(boolean resumed) {
    if (resumed) {
      returns++;
    } else {
      joins++;
    }
  }

  void delivered(long events) {
    deliveries += events;
  }

  void received(long bytes) {
    bytesIn += bytes;
  }

  void sent(long bytes) {
    bytesOut += bytes;
  }

  /** A member was told that it missed so many events. */
  void gap(long events) {
    gaps++;
    missed += events;
  }

  /** The loop came so much later to its tick than it meant to. */
  void delayed(long nanos) {
    int bucket = 0;
    while (bucket < BOUNDS.length && nanos > BOUNDS[bucket]) {
      bucket++;
    }
    delayed[bucket]++;
    delayNanos += nanos;
  }

  /** Adds what another loop counted. */
  void add(LoopCounters other) {
    add(closed, other.closed);
    add(refused, other.refused);
    add(delayed, other.delayed);
    opened += other.opened;
    lost += other.lost;
    joins += other.joins;
    returns += other.returns;
    deliveries += other.deliveries;
    bytesIn += other.bytesIn;
    bytesOut += other.bytesOut;
    gaps += other.gaps;
    missed += other.missed;
    delayNanos += other.delayNanos;
  }

  long joins() {
    return joins;
  }

  long returns() {
    return returns;
  }

  Connections connections(int open) {
    Map<String, Long> ends = named(closed, code -> !code.keepsConnection());
    ends.put("lost", lost);
    return new Connections(opened, open, ends, named(refused, ErrorCode::keepsConnection));
  }

  Traffic traffic() {
    return new Traffic(deliveries, bytesIn, bytesOut, gaps, missed);
  }

  Delay delay() {
    List<Long> counts = new ArrayList<>();
    Arrays.stream(delayed).forEach(counts::add);
    return new Delay(counts, Duration.ofNanos(delayNanos));
  }

  private static Map<String, Long> named(long[] counts, Predicate<ErrorCode> which) {
    Map<String, Long> named = new TreeMap<>();
    for (ErrorCode code : CODES) {
      if (which.test(code)) {
        named.put(name(code), counts[code.number()]);
      }
    }
    return named;
  }

  /** The name of a code as it stands in figures and lines. */
  static String name(ErrorCode code) {
    return code.name().toLowerCase(Locale.ROOT);
  }

  private static void add(long[] to, long[] from) {
    for (int i = 0; i < to.length; i++) {
      to[i] += from[i];
    }
  }
}
