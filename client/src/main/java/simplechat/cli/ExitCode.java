package simplechat.cli;

/** What a script is told at the end. */
final class ExitCode {
  /** Left in order, and everything that was to be said is in the room. */
  static final int OK = 0;

  /** No connection, a lost one, or something was not confirmed. */
  static final int ERROR = 1;

  /** The command line is wrong; nothing was tried. */
  static final int USAGE = 2;

  /** The server refused the join. */
  static final int REFUSED = 3;

  private ExitCode() {}
}
