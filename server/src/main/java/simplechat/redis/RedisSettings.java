package simplechat.redis;

import io.lettuce.core.RedisURI;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import java.net.URI;
import java.time.Duration;
import java.util.concurrent.CompletionStage;
import simplechat.room.Backplane;
import simplechat.room.Ledger;

/**
 * Where the room is, and for how long.
 *
 * @param uri as Lettuce reads it: {@code redis://}, {@code rediss://}, {@code redis-sentinel://};
 *     may hold a password, and so is never shown
 * @param prefix of all keys
 * @param maxLength about how many entries the stream keeps
 * @param lease how long a node is believed to live without a word
 * @param resumeWindow how long a lost member may come back
 * @param maxText longest text of this node, in bytes
 */
public record RedisSettings(
    String uri, String prefix, long maxLength, Duration lease, Duration resumeWindow, int maxText) {

  private static final int MAX_LENGTH_MIN = 100;
  private static final Duration LOOK_EVERY = Duration.ofSeconds(1);
  private static final int LOOKS_IN_A_LEASE = 4;

  /** Found by the others within another second: so 15 s after its death a node's names are free. */
  public static final Duration LEASE = Duration.ofSeconds(14);

  /**
   * @throws IllegalArgumentException for a value that is out of its bounds, with both in one line
   */
  public RedisSettings {
    if (!prefix.matches("[\\w.:{}-]{1,64}")) {
      throw new IllegalArgumentException(
          "redis-prefix is 1 to 64 letters, digits and _ . : - { }, not " + prefix.length());
    }
    if (maxLength < MAX_LENGTH_MIN) {
      throw new IllegalArgumentException(
          "redis-maxlen is " + maxLength + ": it must be at least " + MAX_LENGTH_MIN);
    }
    try {
      RedisURI.create(uri);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(
          "redis is not a URI such as redis://USER:PASSWORD@HOST:PORT", e);
    }
  }

  /** How often a node says that it lives, and looks whether all is as it left it. */
  Duration lookEvery() {
    Duration often = lease.dividedBy(LOOKS_IN_A_LEASE);
    return often.compareTo(LOOK_EVERY) < 0 ? often : LOOK_EVERY;
  }

  /**
   * Joins the room that is there; fails with one line that says why.
   *
   * @param loops where its connections live
   * @param roomLoop one of them
   */
  public CompletionStage<? extends Backplane> open(
      Ledger ledger, EventLoopGroup loops, EventLoop roomLoop) {
    return RedisBackplane.open(this, ledger, loops, roomLoop);
  }

  /** Hides the password. */
  @Override
  public String toString() {
    return "RedisSettings[" + place() + ", " + prefix + "]";
  }

  /** Host and port, or what else of the URI can be shown. */
  public String place() {
    try {
      URI parsed = URI.create(uri);
      String authority = parsed.getRawAuthority();
      return authority == null
          ? "?"
          : authority.substring(authority.lastIndexOf('@') + 1).replaceAll("[^\\w.:,\\[\\]-]", "?");
    } catch (IllegalArgumentException e) {
      return "?";
    }
  }
}
