package simplechat.server;

import org.jspecify.annotations.Nullable;
import simplechat.protocol.ServerMessage;
import simplechat.room.RosterPlace;

/**
 * The answer to a WHO under way: asked of the room part by part, each when no other answer waits,
 * because a part fills what a member's answers may take.
 *
 * <p>Threading: confined to the connection's loop.
 */
final class RosterAnswer {
  private final RoomLink room;
  private @Nullable RosterPlace place;
  private boolean underWay;
  private boolean due;

  RosterAnswer(RoomLink room) {
    this.room = room;
  }

  /** True from the question to the last part. */
  boolean isUnderWay() {
    return underWay;
  }

  /** True if the next part is to be asked for. */
  boolean isDue() {
    return due;
  }

  void begin() {
    underWay = true;
    due = true;
    place = null;
  }

  /** Asks for the next part, if it is due. */
  void ask() {
    if (due) {
      due = false;
      room.who(place);
    }
  }

  void told(ServerMessage.Roster part, RosterPlace after) {
    underWay = part.more();
    due = part.more();
    place = after;
  }
}
