package simplechat.cli;

import java.io.IOException;
import java.util.EnumSet;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.function.IntFunction;
import org.jline.reader.impl.LineReaderImpl;
import org.jline.terminal.Attributes;
import org.jline.terminal.Attributes.ControlChar;
import org.jline.terminal.Attributes.InputFlag;
import org.jline.terminal.Attributes.LocalFlag;
import org.jline.terminal.Terminal;
import org.jline.terminal.Terminal.Signal;
import org.jline.utils.AttributedString;
import org.jline.utils.Display;
import org.jline.utils.InfoCmp.Capability;

/**
 * JLine's reader, which can also let go of the terminal in the middle of a line and take it again.
 *
 * <p>Threading: as its superclass; {@link #prompt}, {@link #printAbove}, {@link #suspend}, {@link
 * #resume} and {@link #resize} may be called by any thread. While it is suspended, and while the
 * terminal is being resized, whoever wants to print waits, and keeps what it has.
 */
final class PromptReader extends LineReaderImpl {
  /** Control character 0 of a terminal driver: this key has no meaning to it. */
  private static final int NO_KEY = 0;

  /** So long a read waits for a key, in tenths of a second, as in the superclass. */
  private static final int READ_TENTHS = 1;

  /** A mark at each end, and where a wide character does not fit. */
  private static final int MARKS_COLUMNS = 4;

  private static final int ROW_MIN_COLUMNS = 2 * MARKS_COLUMNS;

  /**
   * A size that has been the same for so long is the last of a drag. Twice as long as tmux, which
   * wraps its rows at once, takes at most to tell of a size that comes after another.
   */
  private static final long QUIET_NANOS = TimeUnit.MILLISECONDS.toNanos(500);

  private final boolean plain;
  private final Attributes found;
  private final Attributes between;
  private final Attributes ours;
  private volatile boolean held;
  private volatile String talkPrompt = "";
  private volatile boolean talking;
  private final Condition quiet = lock.newCondition();
  private boolean resizing;
  private int resizedColumns;
  private long resizedNanos;
  private boolean over;
  private int rowColumns;

  /**
   * @param plain whether the terminal must not be sent escape sequences
   */
  PromptReader(Terminal terminal, boolean plain) throws IOException {
    super(terminal);
    this.plain = plain;
    found = terminal.getAttributes();
    between = new Attributes(found);
    between.setLocalFlags(EnumSet.of(LocalFlag.ICANON, LocalFlag.ECHO, LocalFlag.IEXTEN), false);
    between.setInputFlags(EnumSet.of(InputFlag.IXON, InputFlag.ICRNL, InputFlag.INLCR), false);
    between.setControlChar(ControlChar.VMIN, 0);
    between.setControlChar(ControlChar.VTIME, READ_TENTHS);
    ours = new Attributes(between);
    ours.setControlChar(ControlChar.VINTR, NO_KEY);
    // Another prompt may have come after the one that the reading began with.
    getWidgets().put(CALLBACK_INIT, this::showTalkPrompt);
  }

  /**
   * Reads a line of the talk, behind a prompt that may change meanwhile.
   *
   * @param typed what stands in the line already
   */
  String readTalk(String typed) {
    talking = true;
    try {
      return readLine(talkPrompt, typed);
    } finally {
      talking = false;
    }
  }

  /** From now on this stands before a line of the talk, also before the one that is being typed. */
  void prompt(String prompt) {
    lock.lock();
    try {
      talkPrompt = prompt;
      settle();
      if (reading && showTalkPrompt()) {
        redisplay();
      }
    } finally {
      lock.unlock();
    }
  }

  private boolean showTalkPrompt() {
    if (talking) {
      setPrompt(talkPrompt);
    }
    return talking;
  }

  /**
   * While a line is read, Ctrl-C is a key like any other; before and after, it is the driver's,
   * which makes a signal of it. Until {@link #release} all other keys wait for the next line, or
   * the driver would show and edit what comes too early in a way of its own.
   *
   * @param typed what stands in the line already
   */
  String readLine(String prompt, String typed) {
    held = true;
    terminal.setAttributes(ours);
    try {
      return readLine(prompt, null, (Character) null, typed);
    } finally {
      terminal.setAttributes(between);
    }
  }

  /** No other line comes now: what is typed is for whoever reads the terminal next. */
  void release() {
    held = false;
    terminal.setAttributes(found);
  }

  /** The process ends now, perhaps in the middle of a line. */
  void end() {
    release();
    if (reading) {
      if (!plain) {
        terminal.writer().write(BRACKETED_PASTE_OFF);
      }
      terminal.puts(Capability.keypad_local);
    }
  }

  /** Another line is begun: what was made of lines of the history is forgotten as well. */
  void clearLine() {
    buf.clear();
    history.moveToEnd();
    modifiedHistory.clear();
  }

  /** Lets go of the terminal while this runs, which is to stop the program. */
  void suspend(Runnable stop) {
    lock.lock();
    try {
      int cursor = buf.cursor();
      if (reading) {
        doCleanup(true);
      }
      terminal.setAttributes(found);
      stop.run();
      buf.cursor(cursor);
      resume();
    } finally {
      lock.unlock();
    }
  }

  /** Takes the terminal again, whatever somebody else has made of it, and draws the line. */
  void resume() {
    lock.lock();
    try {
      if (reading) {
        terminal.setAttributes(ours);
        if (isSet(Option.BRACKETED_PASTE)) {
          terminal.writer().write(BRACKETED_PASTE_ON);
        }
        // Nothing is known of where the cursor is.
        display = new Display(terminal, false);
        redraw();
      } else if (held) {
        terminal.setAttributes(between);
      }
    } finally {
      lock.unlock();
    }
  }

  /** The terminal has another size, perhaps the first of many; draws the line for the last. */
  void resize() {
    lock.lock();
    try {
      resizing = true;
      resizedNanos = System.nanoTime();
      settle();
    } finally {
      lock.unlock();
    }
  }

  /**
   * Prints rows, above the line if one is read. While the terminal is being resized it waits: what
   * has to be taken back of the line would not be where it is thought to be. Nothing helps what was
   * on its way when the size changed: a terminal wraps its rows again before it tells of it.
   *
   * @param rows what to print, for so many columns
   */
  void printAbove(IntFunction<String> rows) {
    lock.lock();
    try {
      if (reading && terminal.getSize().getColumns() != size.getColumns()) {
        // The signal that says so comes a moment later.
        resizing = true;
      }
      settle();
      printAbove(rows.apply(terminal.getSize().getColumns()));
    } finally {
      lock.unlock();
    }
  }

  /** Waits until the size has been the same for a while, and draws the line for it. */
  private void settle() {
    try {
      while (resizing) {
        int columns = terminal.getSize().getColumns();
        if (columns != resizedColumns) {
          resizedColumns = columns;
          resizedNanos = System.nanoTime();
        }
        long left = resizedNanos + QUIET_NANOS - System.nanoTime();
        if (left > 0) {
          // Without the lock, so keys are answered.
          quiet.awaitNanos(left);
        } else {
          resizing = false;
          if (reading) {
            fit();
            redisplay();
          }
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Takes back the line, in the rows into which a terminal has wrapped it again. */
  private void fit() {
    size = terminal.getBufferSize();
    if (plain) {
      // What a terminal has wrapped into rows above stays there: nothing leads up.
      terminal.puts(Capability.carriage_return);
      display.reset();
      display.resize(size);
      return;
    }
    display.resize(size);
    display.update(List.of(), 0, false);
    terminal.puts(Capability.clr_eos);
  }

  @Override
  protected void redisplay(boolean flush) {
    lock.lock();
    try {
      // A key does not wait until the size is the last one.
      if (resizing && terminal.getSize().getColumns() != size.getColumns()) {
        fit();
      }
      if (!plain || skipRedisplay || size.getColumns() <= 0) {
        super.redisplay(flush);
      } else {
        redisplayRow(flush);
      }
    } finally {
      lock.unlock();
    }
  }

  /**
   * Without escape sequences no cursor goes up or right. So the line gets one row, which is written
   * anew, and only what is around the cursor is seen of a line that is longer: {@code <} and {@code
   * >} stand for the rest. A line that is over is left whole.
   */
  private void redisplayRow(boolean flush) {
    AttributedString line = shown(buf.toString());
    int cursor = shown(buf.upToCursor()).columnLength(terminal);
    // As in Rows, the last column stays free.
    int width = Math.max(ROW_MIN_COLUMNS, size.getColumns() - 1);
    if (line.columnLength(terminal) > width) {
      if (over) {
        display.update(List.of(), 0, false);
        super.redisplay(flush);
        return;
      }
      int hidden = hiddenColumns(cursor, width);
      AttributedString left = line.columnSubSequence(terminal, 0, hidden);
      if (hidden > 0) {
        line = join("<", line.substring(left.length(), line.length()));
        cursor -= left.columnLength(terminal) - 1;
      }
      if (line.columnLength(terminal) > width) {
        line = join(line.columnSubSequence(terminal, 0, width - 1), ">");
      }
    }
    int columns = line.columnLength(terminal);
    String blanks = " ".repeat(Math.max(0, Math.min(rowColumns, width) - columns));
    rowColumns = columns;
    display.reset();
    display.update(List.of(join(line, blanks)), cursor, flush);
  }

  /**
   * So many are behind the mark on the left: none, or such that the cursor is in the right half.
   */
  private static int hiddenColumns(int cursor, int width) {
    int last = width - MARKS_COLUMNS;
    return cursor <= last ? 0 : ((cursor - last) / (width / 2) + 1) * (width / 2);
  }

  private AttributedString shown(String typed) {
    return join(prompt, Sanitiser.text(typed));
  }

  private static AttributedString join(CharSequence one, CharSequence other) {
    return new AttributedString(one.toString() + other);
  }

  @Override
  protected void doCleanup(boolean newLine) {
    over = true;
    try {
      super.doCleanup(newLine);
    } finally {
      over = false;
      rowColumns = 0;
    }
  }

  private void redraw() {
    terminal.puts(Capability.carriage_return);
    terminal.puts(Capability.clr_eos);
    handleSignal(Signal.CONT);
  }

  /**
   * To switch the option off is not enough: the reader then tells the terminal so, by an escape
   * sequence.
   */
  @Override
  public boolean isSet(Option option) {
    return !(plain && option == Option.BRACKETED_PASTE) && super.isSet(option);
  }
}
