package simplechat.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import simplechat.cli.Line.Look;
import simplechat.cli.Line.Part;

class RowsTest {
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
        int width = row.codePoints().map(Rows::width).sum();
        assertThat(width).as("seed %d", SEED).isLessThan(Math.max(5, columns));
      }
    }
  }

  private static List<String> rows(Line line, int columns) {
    return Rows.of(line, columns).stream()
        .map(row -> row.stream().map(Part::text).collect(Collectors.joining()))
        .toList();
  }
}
