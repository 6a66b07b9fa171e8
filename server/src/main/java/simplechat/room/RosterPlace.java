package simplechat.room;

/**
 * How far a roster has been told, in the order of joining.
 *
 * @param after the ordinal of the last one that was told
 * @param until nobody beyond: who has joined since the roster was asked for
 */
public record RosterPlace(long after, long until) {}
