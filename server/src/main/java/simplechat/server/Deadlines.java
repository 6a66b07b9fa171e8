package simplechat.server;

import java.time.Duration;

/**
 * How long a peer may keep its connection waiting: for its join, a sign of life, its end.
 *
 * <p>Threading: the connection's loop, by whose served time all of it counts.
 */
final class Deadlines {
  /** How long the end of a peer's output is waited for, once it has all of ours. */
  static final Duration LINGER = Duration.ofSeconds(2);

  /** How long a peer may take from the accept until it speaks TLS. */
  static final Duration HANDSHAKE = Duration.ofSeconds(5);

  private final ServerConfig config;
  private final long acceptedNanos;
  private long heardNanos;
  private long endingNanos;
  private boolean pinged;

  Deadlines(ServerConfig config, long nowNanos) {
    this.config = config;
    this.acceptedNanos = nowNanos;
    this.heardNanos = nowNanos;
  }

  /** Something came: nothing that is sent counts as life, and any byte received does. */
  void heard(long nowNanos) {
    heardNanos = nowNanos;
    pinged = false;
  }

  /** The peer is not listened to, so its silence means nothing. */
  void unheard(long nowNanos) {
    heardNanos = nowNanos;
  }

  /** The last frame is decided, or is written: what waits for the peer begins anew. */
  void ending(long nowNanos) {
    endingNanos = nowNanos;
  }

  /** However its bytes come, and within the time for the join. */
  boolean handshakeIsOver(long nowNanos) {
    return nowNanos - acceptedNanos >= HANDSHAKE.toNanos() || joinIsOver(nowNanos);
  }

  boolean joinIsOver(long nowNanos) {
    return nowNanos - acceptedNanos >= config.joinTimeout().toNanos();
  }

  boolean silenceIsOver(long nowNanos) {
    return nowNanos - heardNanos >= 2 * config.heartbeat().toNanos();
  }

  /** Of what waits for the peer it has taken nothing since then. */
  boolean stallIsOver(long nowNanos, long progressNanos) {
    return nowNanos - progressNanos >= config.writeStall().toNanos();
  }

  /** Who takes what is left of its stream is waited for, however much that is. */
  boolean endIsOver(long nowNanos, boolean outputEnded, long progressNanos) {
    if (outputEnded) {
      return nowNanos - endingNanos >= LINGER.toNanos();
    }
    long since = Math.max(endingNanos - nowNanos, progressNanos - nowNanos);
    return -since >= config.drain().toNanos();
  }

  /** True once in a silence: the peer is to be asked for a sign of life. */
  boolean pingIsDue(long nowNanos) {
    boolean due = !pinged && nowNanos - heardNanos >= config.heartbeat().toNanos();
    pinged |= due;
    return due;
  }
}
