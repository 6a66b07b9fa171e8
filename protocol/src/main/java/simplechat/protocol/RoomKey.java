package simplechat.protocol;

import java.security.MessageDigest;

/** The secret that a closed room asks of those who join: 1 to 255 bytes, never shown. */
public final class RoomKey {
  private final byte[] bytes;

  /**
   * @throws IllegalArgumentException if there are no bytes or more than {@link
   *     Limits#KEY_MAX_BYTES}
   */
  public RoomKey(byte[] bytes) {
    if (bytes.length == 0 || bytes.length > Limits.KEY_MAX_BYTES) {
      throw new IllegalArgumentException(
          "a room key has 1 to " + Limits.KEY_MAX_BYTES + " bytes, not " + bytes.length);
    }
    this.bytes = bytes.clone();
  }

  byte[] bytes() {
    return bytes;
  }

  /** Takes the same time wherever the first difference lies. */
  @Override
  public boolean equals(Object other) {
    return other instanceof RoomKey key && MessageDigest.isEqual(bytes, key.bytes);
  }

  @Override
  public int hashCode() {
    return java.util.Arrays.hashCode(bytes);
  }

  @Override
  public String toString() {
    return "RoomKey[secret]";
  }
}
