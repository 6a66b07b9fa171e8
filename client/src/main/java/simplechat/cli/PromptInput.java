package simplechat.cli;

import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Commands that a person types at a prompt. */
final class PromptInput implements Input {
  private static final long STOP_MILLIS = 500;

  /** So many lines are sent without a question. */
  private static final int PASTE_MAX_LINES = 3;

  private final Prompt prompt;
  private volatile Supplier<List<String>> names = List::of;
  private @Nullable Thread thread;

  PromptInput(TerminalScreen screen) throws IOException {
    prompt = new Prompt(screen.terminal(), screen.plain(), () -> names.get());
    screen.above(prompt.reader());
  }

  @Override
  public boolean interactive() {
    return true;
  }

  @Override
  public @Nullable String ask(String question) {
    return prompt.ask(question);
  }

  @Override
  public void start(Conversation conversation) {
    names = conversation.recentNames()::list;
    Thread reading = new Thread(() -> read(conversation), "chat-prompt");
    reading.setDaemon(true);
    thread = reading;
    reading.start();
  }

  @Override
  public void stop() throws InterruptedException {
    if (thread != null) {
      thread.interrupt();
      thread.join(STOP_MILLIS);
    }
  }

  private void read(Conversation conversation) {
    // What stood in the line when an earlier conversation ended.
    String rest = prompt.unfinished();
    while (rest != null && !conversation.stopped()) {
      String typed = prompt.readLine(conversation.prompt(), rest);
      rest = typed == null ? null : execute(typed, conversation);
    }
    if (!conversation.stopped()) {
      prompt.reader().release();
    }
    conversation.leave();
  }

  /** Whether it was hardly meant: a mouse button is enough to paste a book. */
  private static boolean isFlood(String[] lines) {
    return count(lines) > PASTE_MAX_LINES
        && Stream.of(lines).anyMatch(line -> Command.parse(line) instanceof Command.Send);
  }

  /** Of those that do something, so not what is behind the last line end. */
  private static long count(String[] lines) {
    return Stream.of(lines).filter(line -> !line.isBlank()).count();
  }

  private boolean confirm(long lines) {
    String answer = prompt.ask(lines + " lines, each a command: run them all? [y/N] ");
    return answer != null && answer.strip().toLowerCase(Locale.ROOT).matches("y|yes");
  }

  /**
   * Executes what was typed, which after a paste may be several lines.
   *
   * @return what stays on the line for editing because it could not be sent, null if it said leave
   */
  private @Nullable String execute(String typed, Conversation conversation) {
    String[] lines = typed.split("\n", -1);
    if (isFlood(lines) && !confirm(count(lines))) {
      return typed;
    }
    for (int i = 0; i < lines.length; i++) {
      Command command = Command.parse(lines[i]);
      String fault = command instanceof Command.Send send ? conversation.fault(send.text()) : null;
      if (fault != null) {
        conversation.complain("not sent: " + fault);
        return String.join("\n", List.of(lines).subList(i, lines.length));
      }
      if (command instanceof Command.Send) {
        awaitAnswers(conversation.unconfirmed());
      }
      if (!conversation.execute(command)) {
        return null;
      }
    }
    return "";
  }

  /** A paste can be longer than what may be on its way. */
  private static void awaitAnswers(Unconfirmed unconfirmed) {
    try {
      unconfirmed.awaitAnswers();
    } catch (InterruptedException e) {
      // It ends: what is left of the paste will be said to be not confirmed.
      Thread.currentThread().interrupt();
    }
  }
}
