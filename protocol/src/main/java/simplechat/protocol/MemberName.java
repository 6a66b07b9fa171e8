package simplechat.protocol;

import java.lang.Character.UnicodeScript;
import java.text.Normalizer;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Set;

/**
 * A name that a member may carry; there is none that breaks the rules (PROTOCOL.md, section
 * "Names").
 *
 * <p>Two names are equal if their {@linkplain #folded() folded} forms are, however they are
 * {@linkplain #shown() shown}. The verdict depends on the name and on the Unicode tables of the
 * JDK, not on locale or platform.
 */
public final class MemberName {
  /** Scripts that one name may mix, beside the one-script rule (UTS 39, augmented script sets). */
  private static final Set<UnicodeScript> JAPANESE =
      EnumSet.of(UnicodeScript.HAN, UnicodeScript.HIRAGANA, UnicodeScript.KATAKANA);

  private static final Set<UnicodeScript> HAN_WITH_BOPOMOFO =
      EnumSet.of(UnicodeScript.HAN, UnicodeScript.BOPOMOFO);

  private static final Set<UnicodeScript> KOREAN =
      EnumSet.of(UnicodeScript.HAN, UnicodeScript.HANGUL);

  private static final int DOTLESS_I = 0x131;

  private final String shown;
  private final String folded;

  private MemberName(String shown, String folded) {
    this.shown = shown;
    this.folded = folded;
  }

  /**
   * @throws ProtocolException NAME_INVALID; the message names the rule and can be shown as it is
   */
  public static MemberName of(String name) throws ProtocolException {
    int codePoints = name.codePointCount(0, name.length());
    if (codePoints < 1 || codePoints > Limits.NAME_MAX_CODE_POINTS) {
      throw invalid("a name has 1 to " + Limits.NAME_MAX_CODE_POINTS + " characters");
    }
    byte[] utf8 = Text.encode(name);
    if (utf8 == null) {
      throw invalid("a name is valid Unicode");
    }
    if (utf8.length > Limits.NAME_MAX_BYTES) {
      throw invalid("a name has at most " + Limits.NAME_MAX_BYTES + " bytes");
    }
    checkCharacters(name);
    checkScripts(name);
    return new MemberName(name, fold(name));
  }

  /** As its owner typed it. */
  public String shown() {
    return shown;
  }

  /** What is compared; not for display. */
  public String folded() {
    return folded;
  }

  /**
   * NFKC and full case folding, in the order of Unicode's compatibility caseless match (D146), and
   * repeated until nothing changes, so that folding twice is folding once. Case is folded before
   * compatibility forms are taken apart as well: a mark that folds to a letter would be passed by
   * marks that come out of such forms.
   */
  static String fold(String name) {
    String before;
    String after = name;
    do {
      before = after;
      String canonical = foldCase(Normalizer.normalize(before, Normalizer.Form.NFD));
      String compatible = foldCase(Normalizer.normalize(canonical, Normalizer.Form.NFKD));
      after = Normalizer.normalize(compatible, Normalizer.Form.NFKC);
    } while (!after.equals(before));
    return after;
  }

  /**
   * Upper case first, because only that way do ß and ss, or ς and σ, meet; dotless i is spared,
   * because it would meet i. Lower case one character at a time, because as a whole it depends on
   * neighbours.
   */
  private static String foldCase(String text) {
    StringBuilder folded = new StringBuilder(text.length());
    text.codePoints()
        .forEach(
            codePoint -> {
              int lower = Character.toLowerCase(codePoint);
              if (lower == DOTLESS_I) {
                folded.appendCodePoint(lower);
              } else {
                Character.toString(lower)
                    .toUpperCase(Locale.ROOT)
                    .codePoints()
                    .map(Character::toLowerCase)
                    .forEach(folded::appendCodePoint);
              }
            });
    return folded.toString();
  }

  private static void checkCharacters(String name) throws ProtocolException {
    boolean hasLetterOrDigit = false;
    for (int i = 0; i < name.length(); i += Character.charCount(name.codePointAt(i))) {
      int codePoint = name.codePointAt(i);
      if (isUnseen(codePoint)) {
        throw invalid("a name has no white space and no invisible characters");
      }
      if (Character.isLetterOrDigit(codePoint)) {
        hasLetterOrDigit = true;
      } else if (isMark(codePoint)) {
        if (i == 0) {
          throw invalid("a name does not begin with a combining mark");
        }
      } else if (codePoint != '_' && codePoint != '.' && codePoint != '-') {
        throw invalid("a name has only letters, digits and _ . -");
      }
    }
    if (!hasLetterOrDigit) {
      throw invalid("a name has at least one letter or digit");
    }
  }

  private static void checkScripts(String name) throws ProtocolException {
    Set<UnicodeScript> scripts = EnumSet.noneOf(UnicodeScript.class);
    name.codePoints().mapToObj(UnicodeScript::of).forEach(scripts::add);
    scripts.remove(UnicodeScript.COMMON);
    scripts.remove(UnicodeScript.INHERITED);
    boolean oneScript =
        scripts.size() <= 1
            || JAPANESE.containsAll(scripts)
            || HAN_WITH_BOPOMOFO.containsAll(scripts)
            || KOREAN.containsAll(scripts);
    if (!oneScript) {
      throw invalid("a name has letters of one script only");
    }
  }

  private static boolean isMark(int codePoint) {
    int type = Character.getType(codePoint);
    return type == Character.NON_SPACING_MARK || type == Character.COMBINING_SPACING_MARK;
  }

  /**
   * White space, control, format, default-ignorable: what could stand in a name without being seen.
   */
  private static boolean isUnseen(int codePoint) {
    int type = Character.getType(codePoint);
    return Character.isWhitespace(codePoint)
        || Character.isSpaceChar(codePoint)
        || type == Character.CONTROL
        || type == Character.FORMAT
        || type == Character.UNASSIGNED
        || type == Character.PRIVATE_USE
        || isDefaultIgnorable(codePoint);
  }

  /**
   * Default_Ignorable_Code_Point of the Unicode standard, as far as the JDK has it under letters
   * and marks.
   */
  private static boolean isDefaultIgnorable(int codePoint) {
    return codePoint == 0x034F
        || codePoint == 0x115F
        || codePoint == 0x1160
        || codePoint == 0x17B4
        || codePoint == 0x17B5
        || (codePoint >= 0x180B && codePoint <= 0x180F)
        || codePoint == 0x3164
        || (codePoint >= 0xFE00 && codePoint <= 0xFE0F)
        || codePoint == 0xFFA0
        || (codePoint >= 0xE0000 && codePoint <= 0xE0FFF);
  }

  private static ProtocolException invalid(String rule) {
    return new ProtocolException(ErrorCode.NAME_INVALID, rule);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof MemberName name && folded.equals(name.folded);
  }

  @Override
  public int hashCode() {
    return folded.hashCode();
  }

  @Override
  public String toString() {
    return shown;
  }
}
