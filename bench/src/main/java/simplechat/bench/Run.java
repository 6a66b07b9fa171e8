package simplechat.bench;

import org.HdrHistogram.Histogram;

/**
 * What came of one run.
 *
 * @param nanos how long it was
 * @param sent messages that were said
 * @param delivered messages that came, at all members together
 * @param cpuNanos of the server, -1 if nobody could look
 * @param rssBytes of the server at its end, -1 if nobody could look
 * @param latency from when a message was due to its arrival, in nanoseconds, for every delivery
 */
record Run(long nanos, long sent, long delivered, long cpuNanos, long rssBytes, Histogram latency) {

  double deliveriesPerSecond() {
    return delivered * 1e9 / nanos;
  }

  double messagesPerSecond() {
    return sent * 1e9 / nanos;
  }

  double cpuMicrosPerDelivery() {
    return cpuNanos < 0 || delivered == 0 ? Double.NaN : cpuNanos / 1e3 / delivered;
  }

  double cores() {
    return cpuNanos < 0 ? Double.NaN : (double) cpuNanos / nanos;
  }

  double latencyMillis(double percentile) {
    return latency.getTotalCount() == 0
        ? Double.NaN
        : latency.getValueAtPercentile(percentile) / 1e6;
  }
}
