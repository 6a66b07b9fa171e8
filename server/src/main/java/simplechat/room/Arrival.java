package simplechat.room;

import org.jspecify.annotations.Nullable;
import simplechat.protocol.ClientMessage;
import simplechat.protocol.ErrorCode;
import simplechat.protocol.MemberName;

/**
 * Somebody at the door.
 *
 * @param history how many past MSGs a plain join wants
 * @param resume where a returning member left off; if it cannot be granted, this is a plain join
 * @param connection who is answered
 */
public record Arrival(
    MemberName name,
    int history,
    ClientMessage.@Nullable Resume resume,
    MemberConnection connection) {

  public void nameTaken() {
    connection.refused(ErrorCode.NAME_TAKEN, "this name is taken");
  }
}
