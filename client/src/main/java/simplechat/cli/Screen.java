package simplechat.cli;

import java.io.IOException;
import java.util.List;

/** Where lines become visible. Its methods may block, and are called from one thread at a time. */
interface Screen {
  /** Something to print: a line, and whether it is a complaint rather than part of the talk. */
  record Item(Line line, boolean complaint) {}

  /**
   * Shows the lines in this order, and returns when they are out.
   *
   * @throws IOException if nobody can read them any more
   */
  void show(List<Item> items) throws IOException;

  /** From now on this stands before what is typed, where something is. */
  void prompt(String prompt);

  /** Calls for attention, where that is possible. */
  void ring();
}
