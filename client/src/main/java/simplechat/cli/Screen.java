package simplechat.cli;

import java.io.IOException;
import java.util.List;

/** Where lines become visible. Its methods may block, and are called from one thread at a time. */
interface Screen {
  /** Whom a line is for. */
  enum Kind {
    /** People. */
    TALK,
    /** Whoever must know what went wrong. */
    COMPLAINT,
    /** A program that reads the output. */
    RECORD,
    /** A {@link TranscriptFile}. */
    LOG
  }

  /** Something to print. */
  record Item(Line line, Kind kind) {}

  /**
   * Shows the lines in this order, and returns when they are out.
   *
   * @throws IOException if nobody can read them any more
   */
  void show(List<Item> items) throws IOException;

  /**
   * A number that changes whenever a part of what is shown has gone out; of a screen where it never
   * does, nobody waits for slow readers. Any thread may ask.
   */
  default long progress() {
    return 0;
  }

  /** From now on this stands before what is typed, where something is. */
  void prompt(String prompt);

  /** Calls for attention, where that is possible. */
  void ring();
}
