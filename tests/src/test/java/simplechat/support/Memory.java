package simplechat.support;

import io.netty.util.internal.PlatformDependent;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;

/** What this process holds. */
public final class Memory {
  private Memory() {}

  /** Direct memory, in bytes: Netty's, and what the JDK counts itself. */
  public static long directBytes() {
    long netty = Math.max(0, PlatformDependent.usedDirectMemory());
    return netty
        + ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
            .filter(pool -> pool.getName().equals("direct"))
            .mapToLong(BufferPoolMXBean::getMemoryUsed)
            .sum();
  }

  /** Heap that is reachable, and direct memory, in bytes. */
  public static long heldBytes() {
    System.gc();
    Runtime runtime = Runtime.getRuntime();
    return runtime.totalMemory() - runtime.freeMemory() + directBytes();
  }
}
