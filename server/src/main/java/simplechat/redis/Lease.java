package simplechat.redis;

import java.time.Duration;

/**
 * The name of a node, used once, and until when the others may take it for alive. That is judged by
 * this machine's own clock that never goes back, counted from before it was asked for, so it is
 * over here before it is over for Redis.
 *
 * <p>Threading: the room's loop.
 */
final class Lease {
  private final Duration time;
  private String name = "";
  private boolean held;
  private long untilNanos;

  Lease(Duration time) {
    this.time = time;
  }

  /** Another name, without a lease. */
  void anew() {
    name = Calls.unheardOf();
    held = false;
  }

  String name() {
    return name;
  }

  boolean isHeld() {
    return held;
  }

  /** True if this is the first time under this name. */
  boolean granted(long askedAtNanos) {
    boolean first = !held;
    held = true;
    untilNanos = askedAtNanos + time.toNanos();
    return first;
  }

  boolean isOver(long nowNanos) {
    return held && nowNanos - untilNanos > 0;
  }
}
