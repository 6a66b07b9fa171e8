package simplechat.protocol;

import java.security.MessageDigest;
import java.util.Arrays;

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

  /**
   * The key that a file holds: all of it but one line end behind it.
   *
   * @throws IllegalArgumentException as the constructor does
   */
  public static RoomKey ofFile(byte[] content) {
    int length = content.length;
    if (length > 0 && content[length - 1] == '\n') {
      length--;
      if (length > 0 && content[length - 1] == '\r') {
        length--;
      }
    }
    return new RoomKey(Arrays.copyOf(content, length));
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
    return Arrays.hashCode(bytes);
  }

  @Override
  public String toString() {
    return "RoomKey[secret]";
  }
}
