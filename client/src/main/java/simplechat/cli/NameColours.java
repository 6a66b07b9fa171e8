package simplechat.cli;

import java.util.Locale;
import org.jline.utils.AttributedStyle;

/**
 * The colour of each name, the same in every terminal and at every start. Pure.
 *
 * <p>None is the plain red of an error, and each can be read on black and on white.
 */
final class NameColours {
  /** Of xterm's 256, whose look is fixed: a contrast of at least 4 to 1 with both. */
  private static final int[] FIXED = {28, 30, 31, 27, 63, 99, 129, 164, 162, 130, 64, 131};

  /** Of the first 16, which a terminal may paint as it likes, and mostly to be read on its own. */
  private static final int[] OF_THE_TERMINAL = {
    AttributedStyle.GREEN,
    AttributedStyle.YELLOW,
    AttributedStyle.BLUE,
    AttributedStyle.MAGENTA,
    AttributedStyle.CYAN
  };

  private NameColours() {}

  /**
   * @param known how many colours the terminal has
   */
  static int of(String name, int known) {
    int[] colours = known >= 256 ? FIXED : OF_THE_TERMINAL;
    return colours[Math.floorMod(name.toLowerCase(Locale.ROOT).hashCode(), colours.length)];
  }
}
