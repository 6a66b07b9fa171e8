package simplechat.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.IntSupplier;
import org.jline.terminal.TerminalBuilder;
import org.jline.terminal.spi.SystemStream;
import org.jline.terminal.spi.TerminalProvider;
import org.jline.utils.Signals;

/**
 * How wide a stream of this process is: the columns of the terminal behind it, 0 if there is none.
 *
 * <p>Threading: any thread asks; signals come on another.
 */
final class StreamWidth implements IntSupplier {
  /** Of a terminal that does not say. */
  private static final int USUAL_COLUMNS = 80;

  private final SystemStream stream;
  private final int descriptor;
  private int columns;
  private volatile boolean known;

  private StreamWidth(SystemStream stream, int descriptor) {
    this.stream = stream;
    this.descriptor = descriptor;
  }

  /** Of the standard output and the standard error; they notice when a terminal is resized. */
  static List<StreamWidth> ofProcess() {
    List<StreamWidth> both =
        List.of(new StreamWidth(SystemStream.Output, 1), new StreamWidth(SystemStream.Error, 2));
    Signals.register("WINCH", () -> both.forEach(StreamWidth::forget));
    return both;
  }

  /** Asks the system when it is needed: that loads native code, which few pipes wait for. */
  @Override
  public synchronized int getAsInt() {
    if (!known) {
      known = true;
      columns = isSomethingElse() ? 0 : ask();
    }
    return columns;
  }

  private void forget() {
    known = false;
  }

  private int ask() {
    for (TerminalProvider provider :
        TerminalBuilder.builder().getProviders(null, new IllegalStateException())) {
      if (provider.isSystemStream(stream)) {
        int width = provider.systemStreamWidth(stream);
        return width > 0 ? width : USUAL_COLUMNS;
      }
    }
    return 0;
  }

  /** Where the system shows it, and it is one of what programs are mostly connected to. */
  private boolean isSomethingElse() {
    Path shown = Path.of("/proc/self/fd/" + descriptor);
    try {
      String target = Files.readSymbolicLink(shown).toString();
      return target.matches("(pipe|socket):.*|/dev/(null|full)") || Files.isRegularFile(shown);
    } catch (IOException | UnsupportedOperationException e) {
      return false;
    }
  }
}
