package simplechat.room;

import java.time.Duration;

/**
 * What a room is told when it opens.
 *
 * @param logBytes bound of the log, in bytes
 * @param maxText longest text, in bytes; told to members, kept by the connections
 * @param heartbeat told to members
 * @param resumeWindow how long a lost member may come back by token
 * @param maxLost how many lost members are remembered; the one lost longest goes first
 * @param greeting told to members, empty for none
 * @param firstPosition of the first event, 0 but in tests of the wrap
 */
public record RoomSettings(
    long logBytes,
    int maxText,
    Duration heartbeat,
    Duration resumeWindow,
    int maxLost,
    String greeting,
    long firstPosition) {}
