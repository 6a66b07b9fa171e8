package simplechat.cli;

import java.io.IOException;
import java.util.EnumSet;
import org.jline.reader.impl.LineReaderImpl;
import org.jline.terminal.Attributes;
import org.jline.terminal.Attributes.ControlChar;
import org.jline.terminal.Attributes.InputFlag;
import org.jline.terminal.Attributes.LocalFlag;
import org.jline.terminal.Terminal;
import org.jline.terminal.Terminal.Signal;
import org.jline.utils.Display;
import org.jline.utils.InfoCmp.Capability;

/**
 * JLine's reader, which can also let go of the terminal in the middle of a line and take it again.
 *
 * <p>Threading: as its superclass; {@link #prompt}, {@link #suspend}, {@link #resume} and {@link
 * #resize} may be called by any thread. While it is suspended whoever wants to print waits.
 */
final class PromptReader extends LineReaderImpl {
  /** Control character 0 of a terminal driver: this key has no meaning to it. */
  private static final int NO_KEY = 0;

  /** So long a read waits for a key, in tenths of a second, as in the superclass. */
  private static final int READ_TENTHS = 1;

  private final boolean plain;
  private final Attributes found;
  private final Attributes between;
  private final Attributes ours;
  private volatile boolean held;
  private volatile String talkPrompt = "";
  private volatile boolean talking;

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

  /** Draws the line for another size of the terminal. */
  void resize() {
    lock.lock();
    try {
      if (reading) {
        redraw();
      }
    } finally {
      lock.unlock();
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
