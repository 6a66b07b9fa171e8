package simplechat.cli;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.jline.keymap.KeyMap;
import org.jline.reader.Binding;
import org.jline.reader.Candidate;
import org.jline.reader.EndOfFileException;
import org.jline.reader.LineReader;
import org.jline.reader.LineReader.Option;
import org.jline.reader.ParsedLine;
import org.jline.reader.Reference;
import org.jline.reader.UserInterruptException;
import org.jline.reader.impl.DefaultParser;
import org.jline.terminal.Terminal;
import org.jline.utils.InfoCmp.Capability;
import org.jspecify.annotations.Nullable;

/**
 * The line that a person edits at a terminal. History is kept in memory only.
 *
 * <p>Threading: one thread at a time reads; {@link Thread#interrupt} ends its reading.
 */
final class Prompt {
  private static final String CLEAR_OR_END = "chat-clear-or-end";
  private static final String SUSPEND = "chat-suspend";
  private static final List<String> COMMANDS = List.of("send", "who", "leave", "help");

  private static final Map<String, Capability> BOTH_FORMS =
      Map.of(
          "A", Capability.key_up,
          "B", Capability.key_down,
          "C", Capability.key_right,
          "D", Capability.key_left,
          "H", Capability.key_home,
          "F", Capability.key_end);

  private final PromptReader reader;
  private volatile String unfinished = "";

  /**
   * @param plain whether the terminal must not be sent escape sequences
   * @param names what Tab completes, best first
   */
  Prompt(Terminal terminal, boolean plain, Supplier<List<String>> names) throws IOException {
    reader = new PromptReader(terminal, plain);
    // A line is sent as it was typed: no quoting, no expansion.
    reader.setParser(new DefaultParser().quoteChars(new char[0]).escapeChars(new char[0]));
    reader.option(Option.DISABLE_EVENT_EXPANSION, true);
    reader.option(Option.HISTORY_REDUCE_BLANKS, false);
    reader.option(Option.HISTORY_IGNORE_SPACE, false);
    reader.option(Option.INSERT_TAB, false);
    reader.option(Option.MENU_COMPLETE, true);
    reader.option(Option.CASE_INSENSITIVE, true);
    reader.setCompleter((line, word, found) -> complete(word, names.get(), found));
    bindSignalKeys();
    reader.getKeyMaps().values().forEach(keys -> bindBothForms(terminal, keys));
  }

  PromptReader reader() {
    return reader;
  }

  /**
   * Reads a line of the talk.
   *
   * @param prompt what stands before it, until {@link PromptReader#prompt} says otherwise
   * @param typed what stands in it already
   * @return null at the end of input: Ctrl-D or Ctrl-C on an empty line, or the thread was
   *     interrupted
   */
  @Nullable String readLine(String prompt, String typed) {
    reader.prompt(prompt);
    unfinished = "";
    try {
      return reader.readTalk(typed);
    } catch (UserInterruptException e) {
      unfinished = e.getPartialLine();
      return null;
    } catch (EndOfFileException e) {
      return null;
    }
  }

  /** What stood in the line when its reading was interrupted. */
  String unfinished() {
    return unfinished;
  }

  /** Asks for something else than a line of the talk; the answer is not kept in the history. */
  @Nullable String ask(String question) {
    reader.setVariable(LineReader.DISABLE_HISTORY, true);
    try {
      return reader.readLine(question, "");
    } catch (EndOfFileException | UserInterruptException e) {
      return null;
    } finally {
      reader.setVariable(LineReader.DISABLE_HISTORY, false);
    }
  }

  /** Ctrl-C clears what is typed, and on an empty line ends; Ctrl-Z stops the program. */
  private void bindSignalKeys() {
    reader
        .getWidgets()
        .put(
            CLEAR_OR_END,
            () -> {
              if (reader.getBuffer().length() == 0) {
                throw new EndOfFileException();
              }
              reader.clearLine();
              return true;
            });
    JobControl job = new JobControl(reader);
    reader
        .getWidgets()
        .put(
            SUSPEND,
            () -> {
              job.suspend();
              return true;
            });
    for (KeyMap<Binding> keys : reader.getKeyMaps().values()) {
      keys.bind(new Reference(CLEAR_OR_END), KeyMap.ctrl('C'));
      keys.bind(new Reference(SUSPEND), KeyMap.ctrl('Z'));
    }
  }

  /**
   * Terminals have two forms of these keys, and the reader knows one: that which it asks for while
   * it reads. What is pressed before that, or where the asking is not heard, comes in the other.
   */
  private static void bindBothForms(Terminal terminal, KeyMap<Binding> keys) {
    BOTH_FORMS.forEach(
        (letter, key) -> {
          String known = KeyMap.key(terminal, key);
          Binding meaning = known == null ? null : keys.getBound(known);
          if (meaning != null) {
            keys.bindIfNotBound(meaning, "\033[" + letter);
            keys.bindIfNotBound(meaning, "\033O" + letter);
          }
        });
  }

  private static void complete(ParsedLine line, List<String> names, List<Candidate> found) {
    if (line.line().isBlank()) {
      // Anything may come here, so nothing is more likely than the rest.
      return;
    }
    String begun = line.word().substring(0, line.wordCursor());
    List<String> choices = line.wordIndex() == 0 ? COMMANDS : names;
    int rank = 0;
    for (String choice : choices) {
      if (choice.regionMatches(true, 0, begun, 0, begun.length())) {
        // Without a key: the reader makes those that have one anew, and forgets their rank.
        found.add(new Candidate(choice, choice, null, null, null, null, true, rank++));
      }
    }
  }
}
