package simplechat.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.ibm.icu.lang.UCharacter;
import com.ibm.icu.lang.UProperty;
import com.ibm.icu.text.Normalizer2;
import com.ibm.icu.util.VersionInfo;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

class MemberNameTest {
  private static final Pattern QUOTED = Pattern.compile("\"([^\"]*)\"");
  private static final Pattern ESCAPE = Pattern.compile("\\\\u\\{([0-9A-F]+)}");

  private static final Map<String, String> RULES =
      Map.of(
          "length", "a name has 1 to 20 characters",
          "bytes", "a name has at most 64 bytes",
          "unseen", "a name has no white space and no invisible characters",
          "chars", "a name has only letters, digits and _ . -",
          "start", "a name does not begin with a combining mark",
          "letter", "a name has at least one letter or digit",
          "script", "a name has letters of one script only");

  /** One line of names.txt. */
  private record Entry(String verdict, List<String> names, String line) {
    void check() throws ProtocolException {
      List<MemberName> made = new ArrayList<>();
      for (String name : names) {
        if (verdict.startsWith("bad:")) {
          String rule = RULES.get(verdict.substring("bad:".length()));
          assertThatThrownBy(() -> MemberName.of(name))
              .isInstanceOfSatisfying(
                  ProtocolException.class,
                  e -> assertThat(e.code()).isEqualTo(ErrorCode.NAME_INVALID))
              .hasMessage(rule);
        } else {
          made.add(MemberName.of(name));
          assertThat(MemberName.of(name).shown()).isEqualTo(name);
        }
      }
      for (MemberName one : made) {
        for (MemberName two : made) {
          boolean equal = one.shown().equals(two.shown()) || !verdict.equals("other");
          assertThat(one.equals(two)).as("%s and %s are one name", one, two).isEqualTo(equal);
          assertThat(one.folded().equals(two.folded())).isEqualTo(equal);
          assertThat(!equal || one.hashCode() == two.hashCode()).isTrue();
        }
      }
    }
  }

  private static List<Entry> table() throws IOException {
    try (InputStream in = MemberNameTest.class.getResourceAsStream("names.txt")) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8)
          .lines()
          .filter(line -> !line.isEmpty() && !line.startsWith("#"))
          .map(MemberNameTest::entry)
          .toList();
    }
  }

  private static Entry entry(String line) {
    List<String> names =
        QUOTED
            .matcher(line)
            .results()
            .map(MatchResult::group)
            .map(quoted -> unescape(quoted.substring(1, quoted.length() - 1)))
            .toList();
    return new Entry(line.substring(0, line.indexOf(' ')), names, line);
  }

  private static String unescape(String text) {
    return ESCAPE
        .matcher(text)
        .replaceAll(
            match ->
                java.util.regex.Matcher.quoteReplacement(
                    Character.toString(Integer.parseInt(match.group(1), 16))));
  }

  @TestFactory
  Stream<DynamicTest> everyNameOfTheTableGetsItsVerdict() throws IOException {
    return table().stream().map(entry -> DynamicTest.dynamicTest(entry.line(), entry::check));
  }

  @Test
  void theTableIsLargeAndBreaksEveryRule() throws IOException {
    Map<String, Long> verdicts =
        table().stream().collect(Collectors.groupingBy(Entry::verdict, Collectors.counting()));
    RULES.keySet().forEach(rule -> assertThat(verdicts).containsKey("bad:" + rule));
    assertThat(verdicts.keySet()).hasSize(RULES.size() + 3);
    assertThat(table().stream().mapToInt(entry -> entry.names().size()).sum())
        .isGreaterThanOrEqualTo(300);
  }

  @Test
  void aLoneSurrogateIsNoName() {
    for (String name : List.of("\uD800", "a\uDC00", "\uDC00\uD800")) {
      assertThatThrownBy(() -> MemberName.of(name))
          .isInstanceOf(ProtocolException.class)
          .hasMessage("a name is valid Unicode");
    }
  }

  @Test
  void theVerdictDoesNotDependOnTheLocale() throws Exception {
    Locale before = Locale.getDefault();
    try {
      for (String tag : List.of("tr-TR", "lt", "az", "el", "th-TH-u-nu-thai", "ar-u-nu-arab")) {
        Locale.setDefault(Locale.forLanguageTag(tag));
        for (Entry entry : table()) {
          entry.check();
        }
      }
    } finally {
      Locale.setDefault(before);
    }
  }

  @Test
  void foldingTwiceIsFoldingOnce() throws Exception {
    Seed.run(
        random -> {
          for (int i = 0; i < Seed.times(1_000_000); i++) {
            String name = randomString(random, 4);
            String folded = MemberName.fold(name);
            if (!MemberName.fold(folded).equals(folded)) {
              assertThat(escaped(MemberName.fold(folded))).isEqualTo(escaped(folded));
            }
          }
        });
  }

  @Test
  void aRandomStringIsANameOrAProtocolError() throws Exception {
    Seed.run(
        random -> {
          int accepted = 0;
          for (int i = 0; i < Seed.times(300_000); i++) {
            String name = randomString(random, 24);
            try {
              assertThat(MemberName.of(name).shown()).isSameAs(name);
              accepted++;
            } catch (ProtocolException e) {
              assertThat(RULES.containsValue(e.getMessage()) || e.getMessage().endsWith("Unicode"))
                  .isTrue();
            }
          }
          assertThat(accepted).isGreaterThan(1_000);
        });
  }

  /**
   * The classes of equals are those of NFKC_Casefold, which is what Unicode has for identifiers.
   *
   * <p>By design that mapping also removes the default-ignorable characters. Here they are refused,
   * so they are left out of the comparison. Characters that only one of the two sets of tables
   * knows (that of the JDK or that of ICU) are left out as well.
   */
  @Test
  void namesAreTheSameWhereUnicodeSaysSo() {
    Normalizer2 nfkcCasefold = Normalizer2.getNFKCCasefoldInstance();
    Map<String, String> oursByTheirs = new HashMap<>();
    Map<String, String> theirsByOurs = new HashMap<>();
    TreeSet<String> differences = new TreeSet<>();
    int compared = 0;
    for (int codePoint = 0; codePoint <= Character.MAX_CODE_POINT; codePoint++) {
      if (!knownToBoth(codePoint) || hasDefaultIgnorable(codePoint)) {
        continue;
      }
      compared++;
      String text = Character.toString(codePoint);
      String ours = MemberName.fold(text);
      String theirs = nfkcCasefold.normalize(text);
      String otherOurs = oursByTheirs.putIfAbsent(theirs, ours);
      String otherTheirs = theirsByOurs.putIfAbsent(ours, theirs);
      if ((otherOurs != null && !otherOurs.equals(ours))
          || (otherTheirs != null && !otherTheirs.equals(theirs))) {
        differences.add(escaped(text) + " ours " + escaped(ours) + " theirs " + escaped(theirs));
      }
    }
    assertThat(compared).isGreaterThan(140_000);
    assertThat(differences).isEmpty();
  }

  /** Marks that change places when case or form changes: what single characters cannot show. */
  @Test
  void stringsAreTheSameWhereUnicodeSaysSo() throws Exception {
    Seed.run(
        random -> {
          for (int i = 0; i < 40_000; i++) {
            String one = randomKnown(random);
            for (String two : variants(one)) {
              boolean same = compatibilityFold(one).equals(compatibilityFold(two));
              boolean ours = MemberName.fold(one).equals(MemberName.fold(two));
              if (ours != same) {
                assertThat(ours).as("%s and %s", escaped(one), escaped(two)).isEqualTo(same);
              }
            }
          }
        });
  }

  /** What is equal in Unicode's compatibility caseless match (D146). */
  private static String compatibilityFold(String text) {
    String decomposed = UCharacter.foldCase(Normalizer2.getNFDInstance().normalize(text), true);
    Normalizer2 nfkd = Normalizer2.getNFKDInstance();
    return nfkd.normalize(UCharacter.foldCase(nfkd.normalize(decomposed), true));
  }

  private static List<String> variants(String text) {
    return List.of(
        text.toUpperCase(Locale.ROOT),
        text.toLowerCase(Locale.ROOT),
        java.text.Normalizer.normalize(text, java.text.Normalizer.Form.NFD),
        java.text.Normalizer.normalize(text, java.text.Normalizer.Form.NFKC),
        text.substring(0, text.offsetByCodePoints(0, 1)));
  }

  private static String randomKnown(Random random) {
    StringBuilder text = new StringBuilder();
    int length = 1 + random.nextInt(4);
    while (text.length() < length) {
      int codePoint = randomCodePoint(random);
      if (knownToBoth(codePoint) && !hasDefaultIgnorable(codePoint)) {
        text.appendCodePoint(codePoint);
      }
    }
    return text.toString();
  }

  private static boolean knownToBoth(int codePoint) {
    return Character.isDefined(codePoint)
        && Character.getType(codePoint) != Character.SURROGATE
        && UCharacter.isDefined(codePoint);
  }

  private static boolean hasDefaultIgnorable(int codePoint) {
    return java.text.Normalizer.normalize(
            Character.toString(codePoint), java.text.Normalizer.Form.NFKD)
        .codePoints()
        .anyMatch(c -> UCharacter.hasBinaryProperty(c, UProperty.DEFAULT_IGNORABLE_CODE_POINT));
  }

  /** Neither as the whole name nor behind a letter. */
  @Test
  void noDefaultIgnorableOrInvisibleCharacterStandsInAName() {
    assertThat(UCharacter.getUnicodeVersion()).isGreaterThan(VersionInfo.getInstance(13));
    int tried = 0;
    for (int codePoint = 0; codePoint <= Character.MAX_CODE_POINT; codePoint++) {
      boolean unseen =
          UCharacter.hasBinaryProperty(codePoint, UProperty.DEFAULT_IGNORABLE_CODE_POINT)
              || UCharacter.hasBinaryProperty(codePoint, UProperty.WHITE_SPACE)
              || UCharacter.hasBinaryProperty(codePoint, UProperty.NONCHARACTER_CODE_POINT)
              || UCharacter.hasBinaryProperty(codePoint, UProperty.PATTERN_WHITE_SPACE);
      if (unseen) {
        tried++;
        String character = Character.toString(codePoint);
        for (String name : List.of(character, "a" + character, character + "a")) {
          assertThatThrownBy(() -> MemberName.of(name))
              .as(escaped(name))
              .isInstanceOf(ProtocolException.class);
        }
      }
    }
    assertThat(tried).isGreaterThan(4_000);
  }

  @Test
  void anAsciiNameHasOnlyLettersDigitsAndThreeSigns() {
    for (char c = 0; c < 128; c++) {
      boolean allowed = ("" + c).matches("[A-Za-z0-9_.-]");
      boolean accepted;
      try {
        accepted = MemberName.of("a" + c) != null;
      } catch (ProtocolException e) {
        accepted = false;
      }
      assertThat(accepted).as("U+%04X", (int) c).isEqualTo(allowed);
    }
  }

  private static String randomString(Random random, int maxCodePoints) {
    StringBuilder text = new StringBuilder();
    boolean narrow = random.nextBoolean();
    int start = randomCodePoint(random);
    for (int i = random.nextInt(maxCodePoints + 1); i > 0; i--) {
      int codePoint = narrow ? start + random.nextInt(16) : randomCodePoint(random);
      text.appendCodePoint(Math.min(codePoint, Character.MAX_CODE_POINT));
    }
    return text.toString();
  }

  /** Mostly where letters and marks are, sometimes anywhere, lone surrogates too. */
  private static int randomCodePoint(Random random) {
    return switch (random.nextInt(8)) {
      case 0 -> random.nextInt(0x80);
      case 1 -> random.nextInt(0x600);
      case 2 -> 0x300 + random.nextInt(0x70);
      case 3 -> 0x1C80 + random.nextInt(0x380);
      case 4 -> 0xA640 + random.nextInt(0x700);
      case 5 -> 0xF900 + random.nextInt(0x6FF);
      case 6 -> random.nextInt(0x30000);
      default -> random.nextInt(Character.MAX_CODE_POINT + 1);
    };
  }

  private static String escaped(String text) {
    return text.codePoints()
        .mapToObj(c -> String.format(Locale.ROOT, "%04X", c))
        .collect(Collectors.joining(" "));
  }
}
