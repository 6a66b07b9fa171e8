package simplechat.room;

/**
 * How far a roster has been told, in the order of joining.
 *
 * @param after the last one that was told
 * @param until the last one that had joined when the roster was asked for
 */
public record RosterPlace(long after, long until) {}
