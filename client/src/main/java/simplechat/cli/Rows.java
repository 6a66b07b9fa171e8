package simplechat.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import simplechat.cli.Line.Part;

/**
 * Cuts lines into rows that fit a terminal, each but the first behind an indent. Pure.
 *
 * <p>A terminal that wraps by itself would begin a row with whatever the sender put there, for
 * example with a time and a name. So no row is left to it: widths are judged generously, and a row
 * that is thought wider than it is merely ends early. How generously, the locale decides: decision
 * 0016.
 */
final class Rows {
  /** Below it an indent of full depth would leave too little of the row. */
  private static final int NARROW_COLUMNS = 40;

  private static final String NARROW_INDENT = "  ";

  /** Which of them is the locale of characters, the first that is set. */
  private static final List<String> LOCALE_VARIABLES = List.of("LC_ALL", "LC_CTYPE", "LANG");

  private static final Pattern EAST_ASIAN = Pattern.compile("(zh|ja|ko)(?![A-Za-z])");

  /** Below U+2000, Unicode calls none ambiguous but some from here to there. */
  private static final int AMBIGUOUS_MIN = 0xA1;

  private static final int AMBIGUOUS_MAX = 0x451;

  private final boolean eastAsian;

  private Rows(boolean eastAsian) {
    this.eastAsian = eastAsian;
  }

  /** Of terminals as they are in the locale that these variables name. */
  static Rows inLocale(Map<String, String> environment) {
    String locale =
        LOCALE_VARIABLES.stream()
            .map(variable -> environment.getOrDefault(variable, ""))
            .filter(value -> !value.isEmpty())
            .findFirst()
            .orElse("");
    return new Rows(EAST_ASIAN.matcher(locale).lookingAt());
  }

  /** The rows of a line; a part that is cut keeps its look on both sides. */
  List<List<Part>> of(Line line, int columns) {
    // The last column stays free: writing to it leaves some terminals between two rows.
    int width = Math.max(NARROW_INDENT.length() + 2, columns - 1);
    String indent = columns < NARROW_COLUMNS ? NARROW_INDENT : Line.INDENT;
    List<List<Part>> rows = new ArrayList<>();
    List<Part> row = new ArrayList<>();
    int used = 0;
    for (Part part : line.parts()) {
      String text = part.text();
      int start = 0;
      while (start < text.length()) {
        int end = fit(text, start, used, width);
        boolean empty = used == (rows.isEmpty() ? 0 : indent.length());
        if (!empty && cutsWord(text, end) && 2 * used >= width && endsInBlank(row)) {
          end = start;
        }
        boolean lineEnds = end < text.length() && text.charAt(end) == '\n';
        if (end > start) {
          row.add(new Part(part.look(), text.substring(start, end)));
          used += width(text, start, end);
        }
        start = end;
        if (lineEnds || start < text.length()) {
          rows.add(row);
          row = new ArrayList<>(List.of(new Part(Line.Look.PLAIN, indent)));
          used = indent.length();
          start += lineEnds ? 1 + Line.INDENT.length() : 0;
        }
      }
    }
    rows.add(row);
    return rows;
  }

  /**
   * Where a row ends that goes on with {@code start} after so many columns: at a line end, behind a
   * blank, or where it is full. A blank in its first half is passed over: the row would be left too
   * empty.
   */
  private int fit(String text, int start, int before, int columns) {
    int used = before;
    int blank = -1;
    int at = start;
    while (at < text.length() && text.charAt(at) != '\n') {
      int codePoint = text.codePointAt(at);
      used += width(codePoint);
      if (used > columns) {
        return blank >= 0 ? blank : at;
      }
      at += Character.charCount(codePoint);
      if (codePoint == ' ' && 2 * used >= columns) {
        blank = at;
      }
    }
    return at;
  }

  private static boolean cutsWord(String text, int end) {
    return end < text.length() && text.charAt(end) != '\n' && !text.startsWith(" ", end - 1);
  }

  private static boolean endsInBlank(List<Part> row) {
    return row.get(row.size() - 1).text().endsWith(" ");
  }

  private int width(String text, int start, int end) {
    return text.substring(start, end).codePoints().map(this::width).sum();
  }

  /** Columns of a character at most: where terminals differ, the larger. */
  int width(int codePoint) {
    if (codePoint < 0x2000) {
      boolean ambiguous = codePoint >= AMBIGUOUS_MIN && codePoint <= AMBIGUOUS_MAX;
      return (eastAsian && ambiguous) || (codePoint >= 0x1100 && codePoint <= 0x115F) ? 2 : 1;
    }
    boolean narrowLetter =
        codePoint < 0x2E80 && (Character.isLetterOrDigit(codePoint) || isPunctuation(codePoint));
    return narrowLetter && !eastAsian ? 1 : 2;
  }

  private static boolean isPunctuation(int codePoint) {
    return codePoint >= 0x2010 && codePoint <= 0x205E;
  }
}
