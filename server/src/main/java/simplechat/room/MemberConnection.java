package simplechat.room;

import simplechat.protocol.ErrorCode;
import simplechat.protocol.ServerMessage;

/**
 * What the room needs of a connection. All calls come on the room's loop, as answers to what the
 * connection asked there; none may block or call the room back before it returns.
 */
public interface MemberConnection {
  /**
   * The join was granted: the welcome comes first, then what the cursor gives.
   *
   * @param cursor from now on the connection's
   */
  void welcomed(Member member, Cursor cursor, ServerMessage.Welcome welcome);

  /**
   * The join was refused; a code that {@linkplain ErrorCode#keepsConnection keeps} it lets it try
   * again.
   */
  void refused(ErrorCode code, String text);

  /**
   * The member left as it asked to.
   *
   * @param endByte where its stream ends, for {@link Cursor#stopAt}
   */
  void left(long endByte);

  /** The member leaves because its server does: its LEFT comes next, and is not for itself. */
  void leaves();

  /**
   * The member goes on elsewhere or not at all: nothing more of the room's is for this connection.
   */
  void dismissed(ErrorCode code, String text);

  /**
   * A part of the roster.
   *
   * @param after what to ask for the next part with, if there is {@linkplain
   *     ServerMessage.Roster#more more}
   */
  void roster(ServerMessage.Roster part, RosterPlace after);
}
