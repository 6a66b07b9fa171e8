package simplechat.room;

/** One event loop that has cursors in the log. All calls come on the room's loop. */
public interface LogReader {
  /** There is more to read than before. Comes once for all that was appended in a turn. */
  void published();

  /**
   * The segment left the log. The reader takes its cursors out of it and then calls {@link
   * Segment#release}, once.
   */
  void retired(Segment segment);

  /**
   * The log is full: when one more segment is, what lies at {@code startByte} leaves it.
   *
   * @param startByte where the oldest retained byte lies, as {@link Cursor#place} counts
   * @param endByte where the next one will
   */
  default void full(long startByte, long endByte) {}

  /** {@link Backplane.Pressure#WAIT} is over. */
  default void eased() {}
}
