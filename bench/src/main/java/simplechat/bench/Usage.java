package simplechat.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.OptionalLong;

/**
 * What a process has used so far, as far as the system lets us see.
 *
 * @param cpuNanos of all its threads, to the 10 ms or so that the system counts in; -1 if unknown
 * @param rssBytes resident memory, -1 if unknown: only Linux has a file that tells
 */
record Usage(long cpuNanos, long rssBytes) {
  static Usage of(OptionalLong pid) {
    if (pid.isEmpty()) {
      return new Usage(-1, -1);
    }
    long cpuNanos =
        ProcessHandle.of(pid.getAsLong())
            .flatMap(process -> process.info().totalCpuDuration())
            .map(Duration::toNanos)
            .orElse(-1L);
    return new Usage(cpuNanos, rssBytes(pid.getAsLong()));
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
