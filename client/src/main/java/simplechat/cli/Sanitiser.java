package simplechat.cli;

import java.util.Locale;
import java.util.regex.Pattern;
import simplechat.protocol.Limits;

/**
 * Makes text from the network harmless to a terminal and honest to its reader. Pure.
 *
 * <p>What could move the cursor, change the order or the place of what is seen, or hide, is shown
 * as what it is: {@code ␛} for a control character that has a picture, {@code <U+202E>} for
 * everything else. The two exceptions are the joiner and the variation selector of emoji, inside an
 * emoji and nowhere else. What was made harmless stays as it is when it is made harmless again.
 */
final class Sanitiser {
  /** Marks on one letter: the most that any script needs, and too few to paint over other lines. */
  private static final int MARKS_MAX = 8;

  private static final int ZERO_WIDTH_JOINER = 0x200D;
  private static final int EMOJI_SELECTOR = 0xFE0F;
  private static final int KEYCAP = 0x20E3;
  private static final Pattern ONE_CHARACTER = Pattern.compile("\\X");
  private static final String JOINED_EMOJI = "\u200d\u2764";
  private static final int CONTROL_PICTURES = 0x2400;
  private static final int DELETE = 0x7F;
  private static final int DELETE_PICTURE = 0x2421;

  private Sanitiser() {}

  /** One line of text; a line feed in it is shown like any other control character. */
  static String text(String text) {
    if (isPlain(text)) {
      return text;
    }
    StringBuilder shown = new StringBuilder(text.length() + 16);
    int marks = 0;
    for (int i = 0; i < text.length(); i += Character.charCount(text.codePointAt(i))) {
      int codePoint = text.codePointAt(i);
      marks = isMark(codePoint) && codePoint != EMOJI_SELECTOR ? marks + 1 : 0;
      if (codePoint < ' ') {
        shown.appendCodePoint(CONTROL_PICTURES + codePoint);
      } else if (codePoint == DELETE) {
        shown.appendCodePoint(DELETE_PICTURE);
      } else if (marks > MARKS_MAX || (isUnseen(codePoint) && !isInEmoji(text, i, codePoint))) {
        appendNumber(shown, codePoint);
      } else {
        shown.appendCodePoint(codePoint);
      }
    }
    return shown.toString();
  }

  /**
   * A name: only what a valid name may have is shown as it is, so that no name contains a space, a
   * colon or an asterisk and reads like more than a name. One that is too long is cut.
   */
  static String name(String name) {
    StringBuilder shown = new StringBuilder(name.length());
    int count = 0;
    for (int i = 0; i < name.length(); i += Character.charCount(name.codePointAt(i))) {
      if (++count > Limits.NAME_MAX_CODE_POINTS) {
        return text(shown.append('…').toString());
      }
      int codePoint = name.codePointAt(i);
      boolean ordinary =
          Character.isLetterOrDigit(codePoint)
              || (i > 0 && (isMark(codePoint) || isSpacingMark(codePoint)))
              || "_.-".indexOf(codePoint) >= 0;
      if (ordinary) {
        shown.appendCodePoint(codePoint);
      } else {
        appendNumber(shown, codePoint);
      }
    }
    return shown.length() == 0 ? "<>" : text(shown.toString());
  }

  private static boolean isPlain(String text) {
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c < ' ' || c >= DELETE) {
        return false;
      }
    }
    return true;
  }

  private static void appendNumber(StringBuilder shown, int codePoint) {
    shown.append("<U+").append(String.format(Locale.ROOT, "%04X", codePoint)).append('>');
  }

  private static boolean isMark(int codePoint) {
    int type = Character.getType(codePoint);
    return type == Character.NON_SPACING_MARK || type == Character.ENCLOSING_MARK;
  }

  /**
   * A vowel of an Indian script, for one. It takes a place of its own, so it is no mark on another.
   */
  private static boolean isSpacingMark(int codePoint) {
    return Character.getType(codePoint) == Character.COMBINING_SPACING_MARK;
  }

  /** Leaves no trace on the screen, or one that is not at its place. */
  private static boolean isUnseen(int codePoint) {
    return switch (Character.getType(codePoint)) {
      case Character.CONTROL,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR,
          Character.SURROGATE ->
          true;
      case Character.FORMAT -> !isVisibleFormat(codePoint);
      default -> isDefaultIgnorable(codePoint) || (codePoint & 0xFFFE) == 0xFFFE;
    };
  }

  /**
   * The signs of Arabic, Syriac and Kaithi that are put before numbers: format by name, but ink.
   */
  private static boolean isVisibleFormat(int codePoint) {
    return (codePoint >= 0x0600 && codePoint <= 0x0605)
        || codePoint == 0x06DD
        || codePoint == 0x070F
        || codePoint == 0x0890
        || codePoint == 0x0891
        || codePoint == 0x08E2
        || codePoint == 0x110BD
        || codePoint == 0x110CD;
  }

  /**
   * Default_Ignorable_Code_Point of Unicode 16, as far as it is not FORMAT in the JDK's older
   * tables.
   */
  private static boolean isDefaultIgnorable(int codePoint) {
    return codePoint == 0x034F
        || codePoint == 0x115F
        || codePoint == 0x1160
        || codePoint == 0x17B4
        || codePoint == 0x17B5
        || (codePoint >= 0x180B && codePoint <= 0x180F)
        || (codePoint >= 0x2060 && codePoint <= 0x206F)
        || codePoint == 0x3164
        || (codePoint >= 0xFE00 && codePoint <= 0xFE0F)
        || codePoint == 0xFFA0
        || (codePoint >= 0xFFF0 && codePoint <= 0xFFFB)
        || (codePoint >= 0x13430 && codePoint <= 0x1345F && !Character.isLetter(codePoint))
        || (codePoint >= 0x1BCA0 && codePoint <= 0x1BCA3)
        || (codePoint >= 0x1D173 && codePoint <= 0x1D17A)
        || (codePoint >= 0xE0000 && codePoint <= 0xE0FFF);
  }

  private static boolean isInEmoji(String text, int index, int codePoint) {
    int before = index == 0 ? 0 : text.codePointBefore(index);
    int behind = index + 1 < text.length() ? text.codePointAt(index + 1) : 0;
    if (codePoint == EMOJI_SELECTOR) {
      return isEmoji(before) || (isKeycapBase(before) && behind == KEYCAP);
    }
    return codePoint == ZERO_WIDTH_JOINER && endsEmoji(text, index, before) && isEmoji(behind);
  }

  private static boolean endsEmoji(String text, int index, int before) {
    boolean dressed = before == EMOJI_SELECTOR || isSkinTone(before);
    int start = index - Character.charCount(before);
    return isEmoji(dressed && start > 0 ? text.codePointBefore(start) : before);
  }

  private static boolean isSkinTone(int codePoint) {
    return codePoint >= 0x1F3FB && codePoint <= 0x1F3FF;
  }

  private static boolean isKeycapBase(int codePoint) {
    return (codePoint >= '0' && codePoint <= '9') || codePoint == '#' || codePoint == '*';
  }

  /**
   * The JDK of this language level does not tell the property itself, but what it takes for one
   * character: two that are joined are one if they are emoji.
   */
  private static boolean isEmoji(int codePoint) {
    return ONE_CHARACTER.matcher(Character.toString(codePoint) + JOINED_EMOJI).matches();
  }
}
