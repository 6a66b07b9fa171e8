package simplechat.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.ibm.icu.lang.UCharacter;
import com.ibm.icu.lang.UCharacter.EastAsianWidth;
import com.ibm.icu.lang.UProperty;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import simplechat.cli.Line.Look;
import simplechat.cli.Line.Part;

class RowsTest {
  private static final Rows ROWS = Rows.inLocale(Map.of("LANG", "en_GB.UTF-8"));
  private static final Rows EAST_ASIAN_ROWS = Rows.inLocale(Map.of("LANG", "ja_JP.UTF-8"));
  private static final long SEED = Long.getLong("test.seed", System.nanoTime());

  @Test
  void aLineThatFitsIsOneRow() {
    assertThat(rows(Line.of("hello"), 80)).containsExactly("hello");
  }

  @Test
  void aRowEndsBehindABlankAndTheNextIsIndented() {
    Line line = Line.of("12:03 bob: the quick brown fox jumps over the lazy dog and runs");
    assertThat(rows(line, 40))
        .containsExactly(
            "12:03 bob: the quick brown fox jumps ", "      over the lazy dog and runs");
  }

  @Test
  void aWordIsCutInNoPartOfALineUnlessItMustBe() {
    Line notice = new Line().add(Look.FAINT, "11:31 * ").addName("alice2");
    assertThat(rows(notice.add(Look.FAINT, " joined"), 20))
        .containsExactly("11:31 * alice2 ", "  joined");
    Line list = Line.of("* here (2): alice, ").addName("bartholomew");
    assertThat(rows(list, 24)).containsExactly("* here (2): alice, ", "  bartholomew");
    assertThat(rows(new Line().addName("x".repeat(20)).addName("y".repeat(20)), 24))
        .containsExactly("x".repeat(20) + "yyy", "  " + "y".repeat(17));
  }

  @Test
  void paddingDoesNotPushAFakeLineToTheFirstColumn() {
    Line line = Line.of("12:03 bob: " + "x".repeat(68) + "12:03 alice: I am alice");
    List<String> rows = rows(line, 80);
    assertThat(rows.get(0)).startsWith("12:03 bob: ").hasSize(79);
    assertThat(rows.subList(1, rows.size())).allMatch(row -> row.startsWith("      "));
  }

  @Test
  void everyLineOfATextButItsFirstIsIndented() {
    Line line =
        new Line().add(Look.PLAIN, "12:03 bob: ").addText(Look.PLAIN, "one\n12:03 eve: two");
    assertThat(line.plain()).isEqualTo("12:03 bob: one\n      12:03 eve: two");
    assertThat(rows(line, 80)).containsExactly("12:03 bob: one", "      12:03 eve: two");
    assertThat(rows(line, 20)).containsExactly("12:03 bob: one", "  12:03 eve: two");
  }

  @Test
  void wideCharactersTakeTwoColumns() {
    List<String> rows = rows(Line.of("x".repeat(36) + "名前名前"), 40);
    assertThat(rows).containsExactly("x".repeat(36) + "名", "      前名前");
  }

  @Test
  void noRowIsWiderThanTheTerminalAndNothingIsLost() {
    Random random = new Random(SEED);
    for (int i = 0; i < 20_000; i++) {
      Line line = new Line();
      StringBuilder whole = new StringBuilder();
      for (int part = random.nextInt(4); part >= 0; part--) {
        String text =
            random
                .ints(random.nextInt(60), 0x20, 0x3000)
                .filter(c -> c < 0x7F || c > 0xA0)
                .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
                .toString();
        line.addText(Look.PLAIN, text);
      }
      whole.append(line.plain());
      int columns = 4 + random.nextInt(90);
      String indent = columns < 40 ? "  " : Line.INDENT;
      List<String> rows = rows(line, columns);
      StringBuilder rejoined = new StringBuilder(rows.get(0));
      for (String row : rows.subList(1, rows.size())) {
        assertThat(row).as("seed %d", SEED).startsWith(indent);
        rejoined.append(row.substring(indent.length()));
      }
      assertThat(rejoined.toString()).as("seed %d", SEED).isEqualTo(whole.toString());
      for (String row : rows) {
        int width = row.codePoints().map(ROWS::width).sum();
        assertThat(width).as("seed %d", SEED).isLessThan(Math.max(5, columns));
      }
    }
  }

  /** What Unicode calls ambiguous is twice as wide at some terminals of East Asia. */
  @Test
  void noCharacterIsWiderThanItIsThoughtToBe() {
    for (int codePoint = 0; codePoint <= Character.MAX_CODE_POINT; codePoint++) {
      int kind = UCharacter.getIntPropertyValue(codePoint, UProperty.EAST_ASIAN_WIDTH);
      boolean wide = kind == EastAsianWidth.WIDE || kind == EastAsianWidth.FULLWIDTH;
      int most = wide ? 2 : 1;
      int mostInEastAsia = kind == EastAsianWidth.AMBIGUOUS ? 2 : most;
      assertThat(ROWS.width(codePoint)).as("U+%04X", codePoint).isGreaterThanOrEqualTo(most);
      assertThat(EAST_ASIAN_ROWS.width(codePoint))
          .as("U+%04X", codePoint)
          .isGreaterThanOrEqualTo(mostInEastAsia);
    }
  }

  @Test
  void greekAndRussianFillTheirRowsWhereTheyAreAtHome() {
    String text = "\u0436\u03b1".repeat(30);
    assertThat(rows(Line.of(text), 61)).containsExactly(text);
    assertThat(EAST_ASIAN_ROWS.of(Line.of(text), 121)).hasSize(1);
    assertThat(EAST_ASIAN_ROWS.of(Line.of(text), 120)).hasSize(2);
  }

  @Test
  void theFirstVariableThatIsSetNamesTheLocale() {
    assertThat(degreeColumns(Map.of())).isEqualTo(1);
    assertThat(degreeColumns(Map.of("LANG", "ko"))).isEqualTo(2);
    assertThat(degreeColumns(Map.of("LANG", "zh_TW.UTF-8", "LC_CTYPE", ""))).isEqualTo(2);
    assertThat(degreeColumns(Map.of("LANG", "zh_TW.UTF-8", "LC_CTYPE", "el_GR"))).isEqualTo(1);
    assertThat(degreeColumns(Map.of("LC_CTYPE", "el_GR", "LC_ALL", "ja_JP.UTF-8"))).isEqualTo(2);
    // Konkani.
    assertThat(degreeColumns(Map.of("LANG", "kok_IN"))).isEqualTo(1);
  }

  private static int degreeColumns(Map<String, String> environment) {
    return Rows.inLocale(environment).width('\u00b0');
  }

  private static List<String> rows(Line line, int columns) {
    return ROWS.of(line, columns).stream()
        .map(row -> row.stream().map(Part::text).collect(Collectors.joining()))
        .toList();
  }
}
