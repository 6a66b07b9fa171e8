package simplechat.support;

import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.zip.CRC32;

/**
 * A hash over what was said, in the order in which one member knows it: of each MSG its position,
 * its sender, how many that sender has said so far, and the CRC of its text.
 *
 * <p>Equal chains mean one order, no loss, no repetition and no torn frame.
 */
public final class Chain {
  private final Map<String, Integer> numbers = new HashMap<>();
  private final long from;
  private final boolean withPositions;
  private long hash = 1;
  private int count;

  /**
   * @param from the first position that counts, so that chains begun at different times compare
   */
  public Chain(long from) {
    this(from, true);
  }

  private Chain(long from, boolean withPositions) {
    this.from = from;
    this.withPositions = withPositions;
  }

  /**
   * A chain of the order alone, for sessions that are resumed: where an own run lies among the
   * session's own JOINED and LEFT, its ACK does not tell the place of each text.
   */
  public static Chain ofOrder() {
    return new Chain(0, false);
  }

  public void add(long position, String sender, String text) {
    if (position < from) {
      return;
    }
    CRC32 crc = new CRC32();
    crc.update(text.getBytes(StandardCharsets.UTF_8));
    int number = numbers.merge(sender, 1, Integer::sum);
    fold(withPositions ? position : 0);
    fold(sender.hashCode());
    fold(number);
    fold(crc.getValue());
    count++;
  }

  public long hash() {
    return hash;
  }

  /** How many MSGs it holds. */
  public int count() {
    return count;
  }

  private void fold(long value) {
    hash = (hash ^ value) * 0x9E3779B97F4A7C15L;
    hash ^= hash >>> 32;
  }

  @Override
  public String toString() {
    return count + " messages, " + Long.toHexString(hash);
  }
}
