package simplechat.cli;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * What must not come out of the program as it came in. Judged by the lists of Unicode 16, and by
 * nothing that the program itself knows.
 */
final class HarmfulCharacters {
  private static final int JOINER = 0x200D;
  private static final int SELECTOR = 0xFE0F;

  /** First and last of each range; LINE FEED, the joiner and the selector are judged below. */
  private static final int[][] RANGES = {
    // Cc: C0, DELETE, C1.
    {0x00, 0x09},
    {0x0B, 0x1F},
    {0x7F, 0x9F},
    // Default_Ignorable_Code_Point; the bidi controls and the tags are among them.
    {0xAD, 0xAD},
    {0x34F, 0x34F},
    {0x61C, 0x61C},
    {0x115F, 0x1160},
    {0x17B4, 0x17B5},
    {0x180B, 0x180F},
    {0x200B, 0x200C},
    {0x200E, 0x200F},
    {0x202A, 0x202E},
    {0x2060, 0x206F},
    {0x3164, 0x3164},
    {0xFE00, 0xFE0E},
    {0xFEFF, 0xFEFF},
    {0xFFA0, 0xFFA0},
    {0xFFF0, 0xFFF8},
    {0x1BCA0, 0x1BCA3},
    {0x1D173, 0x1D17A},
    {0xE0000, 0xE0FFF},
    // Zl, Zp, Cs, and what is Cf, has no ink, and is not ignorable by default.
    {0x2028, 0x2029},
    {0xD800, 0xDFFF},
    {0xFFF9, 0xFFFB},
    {0x13430, 0x1343F}
  };

  /** Extended_Pictographic: what is an emoji or may become one. */
  private static final BitSet PICTOGRAPHIC =
      setOf(
          "A9 AE 203C 2049 2122 2139 2194-2199 21A9-21AA 231A-231B 2328 2388 23CF "
              + "23E9-23F3 23F8-23FA 24C2 25AA-25AB 25B6 25C0 25FB-25FE 2600-2605 2607-2612 "
              + "2614-2685 2690-2705 2708-2712 2714 2716 271D 2721 2728 2733-2734 2744 2747 "
              + "274C 274E 2753-2755 2757 2763-2767 2795-2797 27A1 27B0 27BF 2934-2935 "
              + "2B05-2B07 2B1B-2B1C 2B50 2B55 3030 303D 3297 3299 1F000-1F0FF 1F10D-1F10F "
              + "1F12F 1F16C-1F171 1F17E-1F17F 1F18E 1F191-1F19A 1F1AD-1F1E5 1F201-1F20F "
              + "1F21A 1F22F 1F232-1F23A 1F23C-1F23F 1F249-1F3FA 1F400-1F53D 1F546-1F64F "
              + "1F680-1F6FF 1F774-1F77F 1F7D5-1F7FF 1F80C-1F80F 1F848-1F84F 1F85A-1F85F "
              + "1F888-1F88F 1F8AE-1F8FF 1F90C-1F93A 1F93C-1F945 1F947-1FAFF 1FC00-1FFFD ");

  private HarmfulCharacters() {}

  /** All of a text, with their places; the line feed is none. */
  static List<String> in(String text) {
    List<String> found = new ArrayList<>();
    for (int i = 0; i < text.length(); i += Character.charCount(text.codePointAt(i))) {
      if (isHarmful(text, i)) {
        found.add("U+%04X at %d".formatted(text.codePointAt(i), i));
      }
    }
    return found;
  }

  /** The first and the last of each range, but for what no UTF-8 can say. */
  static int[] samples() {
    return Stream.of(RANGES)
        .flatMapToInt(IntStream::of)
        .distinct()
        .filter(c -> Character.getType(c) != Character.SURROGATE)
        .toArray();
  }

  private static boolean isHarmful(int codePoint) {
    for (int[] range : RANGES) {
      if (codePoint >= range[0] && codePoint <= range[1]) {
        return true;
      }
    }
    return false;
  }

  private static boolean isHarmful(String text, int index) {
    int codePoint = text.codePointAt(index);
    if (codePoint != JOINER && codePoint != SELECTOR) {
      return isHarmful(codePoint);
    }
    String before = text.substring(0, index);
    int next = index + 1 < text.length() ? text.codePointAt(index + 1) : 0;
    return codePoint == SELECTOR
        ? !endsPictographic(before) && !(before.matches("(?s).*[0-9#*]") && next == 0x20E3)
        : !PICTOGRAPHIC.get(next)
            || !endsPictographic(before.replaceAll("[\ufe0f\\x{1F3FB}-\\x{1F3FF}]$", ""));
  }

  private static boolean endsPictographic(String text) {
    return !text.isEmpty() && PICTOGRAPHIC.get(text.codePointBefore(text.length()));
  }

  private static BitSet setOf(String ranges) {
    BitSet set = new BitSet();
    for (String range : ranges.strip().split(" ", -1)) {
      int dash = range.indexOf('-');
      int first = Integer.parseInt(dash < 0 ? range : range.substring(0, dash), 16);
      set.set(first, 1 + (dash < 0 ? first : Integer.parseInt(range.substring(dash + 1), 16)));
    }
    return set;
  }
}
