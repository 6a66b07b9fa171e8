package simplechat.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * What one or more processes have used so far, as far as the system lets us see.
 *
 * @param cpuNanos of all its threads, to the 10 ms or so that the system counts in; -1 if unknown
 * @param rssBytes resident memory, -1 if unknown: only Linux has a file that tells
 */
record Usage(long cpuNanos, long rssBytes) {
  static Usage of(List<Long> pids) {
    return pids.stream().map(Usage::of).reduce(Usage::and).orElse(new Usage(-1, -1));
  }

  private static Usage of(long pid) {
    long cpuNanos =
        ProcessHandle.of(pid)
            .flatMap(process -> process.info().totalCpuDuration())
            .map(Duration::toNanos)
            .orElse(-1L);
    return new Usage(cpuNanos, rssBytes(pid));
  }

  private Usage and(Usage other) {
    boolean known = cpuNanos >= 0 && other.cpuNanos >= 0;
    boolean seen = rssBytes >= 0 && other.rssBytes >= 0;
    return new Usage(known ? cpuNanos + other.cpuNanos : -1, seen ? rssBytes + other.rssBytes : -1);
  }

  private static long rssBytes(long pid) {
    try {
      for (String line : Files.readAllLines(Path.of("/proc/" + pid + "/status"))) {
        if (line.startsWith("VmRSS:")) {
          return Long.parseLong(line.replaceAll("\\D", "")) * 1024;
        }
      }
    } catch (IOException e) {
      // Not Linux, or not ours to look at.
    }
    return -1;
  }

  /** CPU time from an earlier look to this one, -1 if either is unknown. */
  long cpuNanosSince(Usage earlier) {
    return cpuNanos < 0 || earlier.cpuNanos < 0 ? -1 : cpuNanos - earlier.cpuNanos;
  }
}
