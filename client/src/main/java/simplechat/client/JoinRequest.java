package simplechat.client;

import java.util.Objects;
import org.jspecify.annotations.Nullable;
import simplechat.protocol.ClientMessage.Hello;
import simplechat.protocol.ClientMessage.Resume;
import simplechat.protocol.Limits;
import simplechat.protocol.RoomKey;

/**
 * How to come into the room.
 *
 * @param name as typed; the server judges it
 * @param history how many past messages to ask for, 0 to 65535
 * @param key the room's key, if it has one
 * @param resume where an earlier connection left off ({@link ChatClient#resumePoint}), to go on
 *     there
 */
public record JoinRequest(
    String name, int history, @Nullable RoomKey key, @Nullable Resume resume) {
  public static final int HISTORY_MAX = 0xFFFF;

  public JoinRequest {
    Objects.requireNonNull(name, "name");
    if (history < 0 || history > HISTORY_MAX) {
      throw new IllegalArgumentException("history is 0 to " + HISTORY_MAX + ", not " + history);
    }
  }

  /** A plain join without a key. */
  public JoinRequest(String name, int history) {
    this(name, history, null, null);
  }

  Hello hello() {
    return new Hello(Limits.VERSION, Limits.VERSION, history, name, key, resume);
  }
}
