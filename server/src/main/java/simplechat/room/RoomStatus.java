package simplechat.room;

import org.jspecify.annotations.Nullable;

/**
 * How a room stands at one moment.
 *
 * @param members in the room
 * @param lost who could still come back by token
 * @param tokens that are known: of those in the room, and of the lost
 * @param messages that were ever said
 * @param logStart oldest retained position
 * @param logEnd next position to be given
 * @param endByte place behind the last published byte, for {@link Cursor#lagBytes}
 * @param logBytes memory of the retained log
 * @param link null unless the room is shared with others
 */
public record RoomStatus(
    int members,
    int lost,
    int tokens,
    long messages,
    long logStart,
    long logEnd,
    long endByte,
    long logBytes,
    @Nullable LinkStatus link) {

  RoomStatus with(@Nullable LinkStatus other) {
    return new RoomStatus(
        members, lost, tokens, messages, logStart, logEnd, endByte, logBytes, other);
  }
}
