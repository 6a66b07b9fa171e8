package simplechat.bench;

import io.netty.buffer.ByteBuf;

/**
 * The first characters of every text that is measured: when it was due, and who said it.
 *
 * <p>Six bits a character, from '0' on, so that it is text and is still read in a few instructions.
 */
final class Stamp {
  static final int BYTES = Long.BYTES + Integer.BYTES;

  private static final long ZEROS = 0x3030303030303030L;

  private Stamp() {}

  /**
   * @param nanos less than 2^48
   * @param sender less than 2^24
   */
  static void set(ByteBuf text, int index, long nanos, int sender) {
    long digits = 0;
    for (int shift = 42; shift >= 0; shift -= 6) {
      digits = digits << 8 | (nanos >>> shift & 63);
    }
    int name = 0;
    for (int shift = 18; shift >= 0; shift -= 6) {
      name = name << 8 | (sender >>> shift & 63);
    }
    text.setLong(index, digits + ZEROS).setInt(index + Long.BYTES, name + (int) ZEROS);
  }

  static long nanos(ByteBuf text, int index) {
    return pack(text.getLong(index) - ZEROS);
  }

  static int sender(ByteBuf text, int index) {
    return (int) pack(text.getInt(index + Long.BYTES) - (int) ZEROS);
  }

  private static long pack(long digits) {
    long pairs = (digits & 0x3F003F003F003F00L) >>> 2 | (digits & 0x003F003F003F003FL);
    long fours = (pairs & 0x0FFF00000FFF0000L) >>> 4 | (pairs & 0x00000FFF00000FFFL);
    return fours >>> 32 << 24 | (fours & 0xFFFFFF);
  }
}
