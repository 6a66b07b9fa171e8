package simplechat.bench;

import java.io.PrintStream;

/** What is going on, on stderr: lines in a file, and at a terminal one that counts. */
final class Progress {
  private static final int COUNTED = 100;

  private final PrintStream err;
  private final boolean terminal;

  Progress(PrintStream err, boolean terminal) {
    this.err = err;
    this.terminal = terminal;
  }

  void joined(int members) {
    if (terminal && members % COUNTED == 0) {
      err.print("\r" + members + " members have joined");
      err.flush();
    }
  }

  void say(String line) {
    err.println(terminal ? "\r\u001B[K" + line : line);
  }
}
