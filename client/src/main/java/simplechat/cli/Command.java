package simplechat.cli;

import java.util.Locale;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;
import simplechat.protocol.ErrorCode;
import simplechat.protocol.Text;

/** What a line of input asks for. */
sealed interface Command {
  /** Says the text to the room, every space of it. */
  record Send(String text) implements Command {}

  record Leave() implements Command {}

  record Who() implements Command {}

  record Help() implements Command {}

  /** An empty line. */
  record Nothing() implements Command {}

  /** Not a command; the answer says what would be one. */
  record Wrong(String answer) implements Command {}

  String SEND_USAGE = "usage: send <message>";
  String ALL = "send <message>, who, leave, help";

  /** What does not fit on a line anyway is not repeated in an answer. */
  int ECHO_MAX = 20;

  /** The first word decides, in any case; what stands behind it is a text or nothing. */
  static Command parse(String line) {
    String trimmed = line.strip();
    if (trimmed.isEmpty()) {
      return new Nothing();
    }
    String begun = line.stripLeading();
    int end = 0;
    while (end < begun.length() && !Character.isWhitespace(begun.charAt(end))) {
      end++;
    }
    String word = begun.substring(0, end);
    String rest = end < begun.length() ? begun.substring(end + 1) : "";
    return switch (word.toLowerCase(Locale.ROOT)) {
      case "send" -> rest.isBlank() ? new Wrong(SEND_USAGE) : new Send(rest);
      case "leave" -> rest.isBlank() ? new Leave() : new Wrong("usage: leave");
      case "who" -> rest.isBlank() ? new Who() : new Wrong("usage: who");
      case "help" -> new Help();
      default -> new Wrong("unknown command '" + shortened(word) + "' - use: " + ALL);
    };
  }

  /** The reason why a text of so many bytes at most could not be said, null if it could. */
  static @Nullable String fault(String text, int maxBytes) {
    ErrorCode fault = Text.check(text, maxBytes);
    if (fault == null) {
      return null;
    }
    return switch (fault) {
      case TEXT_EMPTY -> "a message needs a visible character";
      case TEXT_TOO_LONG -> "longer than " + maxBytes + " bytes";
      default -> invalid(text);
    };
  }

  /** Names the culprit, which nobody sees who sends on what a program has printed in colours. */
  private static String invalid(String text) {
    OptionalInt control = text.codePoints().filter(Text::isForbidden).findFirst();
    return control.isEmpty()
        ? "it is not valid Unicode"
        : String.format(
            Locale.ROOT, "control characters cannot be sent: U+%04X", control.getAsInt());
  }

  private static String shortened(String word) {
    if (word.codePointCount(0, word.length()) <= ECHO_MAX) {
      return word;
    }
    return word.substring(0, word.offsetByCodePoints(0, ECHO_MAX)) + "…";
  }
}
