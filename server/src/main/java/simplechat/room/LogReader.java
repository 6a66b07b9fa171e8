package simplechat.room;

/** One event loop that has cursors in the log. Both calls come on the room's loop. */
public interface LogReader {
  /** There is more to read than before. Comes once for all that was appended in a turn. */
  void published();

  /**
   * The segment left the log. The reader takes its cursors out of it and then calls {@link
   * Segment#release}, once.
   */
  void retired(Segment segment);
}
