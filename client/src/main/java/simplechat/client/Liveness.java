package simplechat.client;

import java.util.concurrent.TimeUnit;

/**
 * Whether the server is still there, judged by received bytes alone (PROTOCOL.md, section "Time").
 *
 * <p>Asked at every tick. A tick that comes late means that this process itself did not run; that
 * time was nobody's silence and is not counted.
 */
final class Liveness {
  enum Verdict {
    ALIVE,
    /** Silent for a heartbeat: a PING is due. Said once for each silence. */
    ASK,
    /** Silent for two heartbeats. */
    LOST
  }

  private static final long TICKS_PER_HEARTBEAT = 10;

  private final long heartbeatNanos;
  private long lastInput;
  private long lastTick;
  private long lastAsked;
  private boolean asked;

  Liveness(int heartbeatSeconds, long now) {
    heartbeatNanos = TimeUnit.SECONDS.toNanos(heartbeatSeconds);
    lastInput = now;
    lastTick = now;
    lastAsked = now;
  }

  long tickNanos() {
    return heartbeatNanos / TICKS_PER_HEARTBEAT;
  }

  /** Bytes came. */
  void heard(long now) {
    lastInput = now;
    asked = false;
  }

  /**
   * In place of a tick while reading is paused, where nothing can come: that is no silence, but the
   * server must hear something in each heartbeat.
   */
  Verdict deafTick(long now) {
    heard(now);
    lastTick = now;
    if (now - lastAsked < heartbeatNanos) {
      return Verdict.ALIVE;
    }
    lastAsked = now;
    return Verdict.ASK;
  }

  Verdict tick(long now) {
    long late = now - lastTick - 2 * tickNanos();
    if (late > 0) {
      lastInput = Math.min(lastInput + late, now);
    }
    lastTick = now;
    long silence = now - lastInput;
    if (silence >= 2 * heartbeatNanos) {
      return Verdict.LOST;
    }
    if (silence >= heartbeatNanos && !asked) {
      asked = true;
      lastAsked = now;
      return Verdict.ASK;
    }
    return Verdict.ALIVE;
  }
}
