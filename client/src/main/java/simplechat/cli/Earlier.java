package simplechat.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * What happened before it is told: held until all of it is there, so that a line before it can say
 * how much it is.
 *
 * <p>Threading: confined to the client's event loop. Bounds: {@value #HELD_MAX_CHARS} chars are
 * held; more is printed as it comes, uncounted.
 */
final class Earlier {
  private static final int HELD_MAX_CHARS = 256 * 1024;

  private final Transcript transcript;
  private final Consumer<Line> print;
  private @Nullable List<Line> held;
  private boolean whileAway;
  private int chars;

  Earlier(Transcript transcript, Consumer<Line> print) {
    this.transcript = transcript;
    this.print = print;
  }

  /** Holds what comes from now on. */
  void begin(boolean missed) {
    held = new ArrayList<>();
    whileAway = missed;
    chars = 0;
  }

  /** False if nothing is held any more. */
  boolean hold(Line line) {
    List<Line> lines = held;
    if (lines == null) {
      return false;
    }
    lines.add(line);
    chars += line.length();
    if (chars > HELD_MAX_CHARS) {
      held = null;
      print.accept(transcript.uncounted(whileAway));
      lines.forEach(print);
    }
    return true;
  }

  /**
   * Same for a gap, but one before everything else that was missed is told by the line that ends
   * it.
   */
  boolean holdGap(long missed) {
    boolean atFirst = whileAway && held != null && held.isEmpty();
    return atFirst || hold(transcript.gap(missed));
  }

  /** Prints what is held. */
  void end() {
    List<Line> lines = held;
    held = null;
    if (lines != null && !lines.isEmpty()) {
      print.accept(
          whileAway ? transcript.whileAway(lines.size()) : transcript.earlier(lines.size()));
      lines.forEach(print);
    }
  }
}
