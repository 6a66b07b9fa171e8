package simplechat.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jline.terminal.Terminal;
import org.jline.terminal.TerminalBuilder;
import org.jline.utils.AttributedStringBuilder;
import org.jline.utils.AttributedStyle;
import org.jline.utils.InfoCmp;
import org.jline.utils.InfoCmp.Capability;
import org.jspecify.annotations.Nullable;
import simplechat.cli.Line.Part;

/**
 * Lines above the prompt of a terminal.
 *
 * <p>Threading: {@link #show} is called by the printer and uses the reader's {@code printAbove},
 * the one method of a reader that another thread may call.
 */
final class TerminalScreen implements Screen {
  private static final AttributedStyle FAINT =
      AttributedStyle.DEFAULT.foreground(AttributedStyle.BRIGHT + AttributedStyle.BLACK);
  private static final AttributedStyle MENTION = AttributedStyle.DEFAULT.bold().inverse();

  private static final int DEFAULT_COLUMNS = 80;
  private static final long CLOSE_MILLIS = 1_000;

  /**
   * A terminal that can go back by backspaces and to the first column, and nothing else; its keys
   * are the usual. The reader treats the type "dumb" in a way of its own and does not draw a line
   * again that was printed above.
   */
  private static final String PLAIN_TYPE = "chat-plain";

  private static final String PLAIN_CAPABILITIES =
      PLAIN_TYPE
          + "|no escape sequences,\n\tam,\n\tcols#80,\n\tbel=^G, cr=\\r, cub1=^H, ind=\\n,\n"
          + "\tkcub1=\\E[D, kcuf1=\\E[C, kcuu1=\\E[A, kcud1=\\E[B,\n"
          + "\tkhome=\\E[1~, kend=\\E[4~, kdch1=\\E[3~,\n";

  private final Terminal terminal;
  private final int colours;
  private final Rows cut = Rows.inLocale(System.getenv());
  private @Nullable PromptReader reader;

  private TerminalScreen(Terminal terminal) {
    this.terminal = terminal;
    Integer known = terminal.getNumericCapability(Capability.max_colors);
    colours = known == null ? 0 : known;
  }

  /**
   * @param plain true for a terminal that is to get no escape sequences
   */
  static TerminalScreen open(boolean plain) throws IOException {
    // Else a key that the driver was told to leave alone is taken for Ctrl-C, as Ctrl-Space is.
    System.setProperty(TerminalBuilder.PROP_SOFTWARE_SIGNALS, "false");
    TerminalBuilder builder =
        TerminalBuilder.builder()
            .system(true)
            .encoding(StandardCharsets.UTF_8)
            .stdinEncoding(StandardCharsets.UTF_8)
            .stdoutEncoding(StandardCharsets.UTF_8)
            // Asks the terminal, and waits a quarter of a second for one that does not answer; that
            // characters are kept together (below) does not need its answer.
            .graphemeCluster(false)
            // Signals are ours (Interrupts): a key is told from a signal that way.
            .nativeSignals(false)
            .dumb(true);
    if (plain) {
      InfoCmp.setDefaultInfoCmp(PLAIN_TYPE, PLAIN_CAPABILITIES);
      builder.type(PLAIN_TYPE);
    }
    Terminal terminal = builder.build();
    // Keys move by what a person sees as one character. A terminal that draws the parts of it side
    // by side then shows the cursor too far left, and the text is right all the same.
    terminal.setGraphemeClusterMode(true, true);
    return new TerminalScreen(terminal);
  }

  /** True if the terminal gets no escape sequences. */
  boolean plain() {
    return terminal.getType().equals(PLAIN_TYPE);
  }

  Terminal terminal() {
    return terminal;
  }

  /** From now on lines go above what this reader is editing. */
  void above(PromptReader editing) {
    reader = editing;
  }

  @Override
  public void show(List<Item> items) {
    if (items.isEmpty()) {
      return;
    }
    PromptReader editing = reader;
    if (editing != null) {
      editing.printAbove(columns -> rows(items, columns));
    } else {
      terminal.writer().print(rows(items, terminal.getSize().getColumns()));
      terminal.flush();
    }
  }

  private String rows(List<Item> items, int known) {
    int columns = known > 0 ? known : DEFAULT_COLUMNS;
    AttributedStringBuilder rows = new AttributedStringBuilder();
    for (Item item : items) {
      for (List<Part> row : cut.of(item.line(), columns)) {
        row.forEach(part -> rows.append(part.text(), style(part)));
        rows.append('\n');
      }
    }
    return plain() ? rows.toString() : rows.toAnsi(terminal);
  }

  @Override
  public void prompt(String prompt) {
    PromptReader editing = reader;
    if (editing != null) {
      editing.prompt(prompt);
    }
  }

  @Override
  public void ring() {
    terminal.puts(Capability.bell);
    terminal.flush();
  }

  /**
   * Leaves the terminal as it was found; one that takes no output is left as far as that goes,
   * within a second.
   *
   * @return false if it takes none: then nothing that writes to it comes to an end
   */
  boolean restore() {
    CompletableFuture<Boolean> done = new CompletableFuture<>();
    Thread closing =
        new Thread(
            () -> {
              close();
              done.complete(true);
            },
            "chat-terminal");
    closing.setDaemon(true);
    closing.start();
    return done.completeOnTimeout(false, CLOSE_MILLIS, TimeUnit.MILLISECONDS).join();
  }

  private void close() {
    try {
      PromptReader editing = reader;
      if (editing != null) {
        editing.end();
      }
      terminal.close();
    } catch (IOException e) {
      // The process ends now.
    }
  }

  private AttributedStyle style(Part part) {
    return switch (part.look()) {
      case PLAIN -> AttributedStyle.DEFAULT;
      case FAINT -> FAINT;
      case MENTION -> MENTION;
      case NAME -> AttributedStyle.DEFAULT.foreground(NameColours.of(part.text(), colours));
    };
  }
}
