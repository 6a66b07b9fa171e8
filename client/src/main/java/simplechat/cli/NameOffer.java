package simplechat.cli;

import org.jspecify.annotations.Nullable;
import simplechat.protocol.Limits;
import simplechat.protocol.MemberName;
import simplechat.protocol.ProtocolException;

/** Names to offer to somebody whose name is taken: the same with the next number. Pure. */
final class NameOffer {
  private NameOffer() {}

  /**
   * A name that may be free: {@code bob} becomes {@code bob2}, {@code bob9} becomes {@code bob10}.
   */
  static String after(String taken) {
    int end = taken.length();
    while (end > 1 && isAsciiDigit(taken.charAt(end - 1)) && taken.length() - end < 6) {
      end--;
    }
    String digits = taken.substring(end);
    String number = digits.isEmpty() ? "2" : Integer.toString(Integer.parseInt(digits) + 1);
    String stem = taken.substring(0, end);
    while (!fits(stem + number) && stem.codePointCount(0, stem.length()) > 1) {
      stem = stem.substring(0, stem.offsetByCodePoints(stem.length(), -1));
    }
    return fits(stem + number) ? stem + number : "guest" + number;
  }

  /** The rule that a name breaks, in words; null if it may be used. */
  static @Nullable String fault(String name) {
    try {
      MemberName.of(name);
      return null;
    } catch (ProtocolException e) {
      return e.getMessage();
    }
  }

  private static boolean fits(String name) {
    return name.length() <= Limits.NAME_MAX_BYTES && fault(name) == null;
  }

  private static boolean isAsciiDigit(char c) {
    return c >= '0' && c <= '9';
  }
}
