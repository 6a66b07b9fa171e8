package simplechat.room;

/**
 * How a room that is shared with others stands with the place where its order is made.
 *
 * @param up true if it is followed
 * @param waitingTexts said and not taken yet
 * @param waitingBytes memory of what waits, texts or not
 * @param callNanos how long it took to answer, the last time that it was looked at
 * @param skipped entries that made no sense
 * @param returns times that it was found again
 */
public record LinkStatus(
    boolean up, int waitingTexts, long waitingBytes, long callNanos, long skipped, long returns) {}
