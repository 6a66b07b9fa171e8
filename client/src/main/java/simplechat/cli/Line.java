package simplechat.cli;

import java.util.ArrayList;
import java.util.List;

/**
 * One line for the screen, or a text of several: parts, each with its look.
 *
 * <p>The only thing that a {@link Screen} takes, and there is no way to make a part but through the
 * {@link Sanitiser}. So nothing that was received reaches a terminal as it came, whoever forgets to
 * think of it.
 */
final class Line {
  /** Before every row of a text but its first, so that none begins like a line of its own. */
  static final String INDENT = "      ";

  /** How a part looks at a terminal that has colours; elsewhere all look alike. */
  enum Look {
    PLAIN,
    /** Times, and what the program itself says. */
    FAINT,
    /** A member's name, in the colour that belongs to it. */
    NAME,
    /** One's own name in another's text. */
    MENTION
  }

  /** Some text that looks alike; a NAME keeps the name by which its colour is chosen. */
  record Part(Look look, String text) {}

  private final List<Part> parts = new ArrayList<>();

  /** A line of the program's own, such as an answer to a command. */
  static Line of(String text) {
    return new Line().add(Look.PLAIN, text);
  }

  /** A notice about the room or the connection: {@code * text}. */
  static Line notice(String text) {
    return new Line().add(Look.FAINT, "* " + text);
  }

  Line add(Look look, String text) {
    parts.add(new Part(look, Sanitiser.text(text)));
    return this;
  }

  /** Adds a text that may have line ends; each of its own lines but the first is indented. */
  Line addText(Look look, String text) {
    int end = text.indexOf('\n');
    if (end < 0) {
      return add(look, text);
    }
    StringBuilder shown = new StringBuilder(text.length() + 64);
    int start = 0;
    for (; end >= 0; end = text.indexOf('\n', start)) {
      shown.append(Sanitiser.text(text.substring(start, end))).append('\n').append(INDENT);
      start = end + 1;
    }
    parts.add(new Part(look, shown.append(Sanitiser.text(text.substring(start))).toString()));
    return this;
  }

  Line addName(String name) {
    parts.add(new Part(Look.NAME, Sanitiser.name(name)));
    return this;
  }

  List<Part> parts() {
    return parts;
  }

  /** In chars: what it costs to keep it. */
  int length() {
    return parts.stream().mapToInt(part -> part.text.length()).sum();
  }

  /** Without any look. */
  String plain() {
    StringBuilder plain = new StringBuilder();
    parts.forEach(part -> plain.append(part.text));
    return plain.toString();
  }

  @Override
  public String toString() {
    return plain();
  }
}
