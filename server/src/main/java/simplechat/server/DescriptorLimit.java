package simplechat.server;

import com.sun.management.UnixOperatingSystemMXBean;
import java.lang.management.ManagementFactory;

/** How many files, which is to say connections, the system lets this process open. */
final class DescriptorLimit {
  /**
   * For everything but connections that are let in, those who are told that it is full included.
   */
  static final int HEAD_ROOM = 128;

  static final int LEAST = 192;

  private DescriptorLimit() {}

  static long ofThisProcess() {
    return ManagementFactory.getOperatingSystemMXBean() instanceof UnixOperatingSystemMXBean unix
        ? unix.getMaxFileDescriptorCount()
        : Long.MAX_VALUE;
  }

  /**
   * How many connections there may be of those asked for.
   *
   * @throws IllegalStateException if it is too few to start with
   */
  static int connections(int asked, long descriptors) {
    if (descriptors < LEAST) {
      throw new IllegalStateException(
          "this process may open " + descriptors + " files: it takes at least " + LEAST);
    }
    return (int) Math.min(asked, descriptors - HEAD_ROOM);
  }
}
