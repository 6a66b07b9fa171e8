package simplechat.client;

import java.time.Duration;
import simplechat.protocol.ServerMessage.Welcome;

/**
 * What a {@link ChatClient} tells its program, beside the answers to what was asked.
 *
 * <p>Threading: every call comes on the client's event loop, in the order of the stream, and {@link
 * #ended} is the last. A call must not block: nothing is read meanwhile, for no client of that
 * loop; {@link ChatClient#pause} is the way to slow the stream down. An exception goes to the
 * thread's uncaught-exception handler and changes nothing else.
 */
public interface ChatListener {
  /**
   * The join was accepted; what was replayed comes next. After a {@link #lost} it tells whether the
   * session goes on: if it is not {@code resumed}, it is a new one, nobody knows what happened in
   * between, and what waited for its answer has failed.
   */
  default void welcome(Welcome welcome) {}

  /**
   * The connection is lost, and another one is looked for; only with {@link
   * ClientOptions#withReturn}. Next comes a {@link #welcome}, or the end.
   */
  default void lost(Goodbye why) {}

  /**
   * The session goes on, and what happened meanwhile has been told; {@link #live} follows.
   *
   * @param away since the loss
   * @param missed how many events are gone, each of which a {@link #gap} told of; 0 for none
   */
  default void back(Duration away, long missed) {}

  /**
   * All of the replay came: from here on things happen as they are told. Once after each welcome.
   */
  default void live() {}

  /** Somebody said something; never this client itself. */
  default void message(RoomEvent.Message message) {}

  /**
   * The room has a text of this client: what the stage of {@link ChatClient#send} says, but in the
   * order of the stream.
   */
  default void confirmed(long position, String text) {}

  /** Somebody came in. */
  default void joined(RoomEvent.Joined joined) {}

  /** Somebody went. */
  default void left(RoomEvent.Left left) {}

  /**
   * The room went on faster than this client read.
   *
   * @param missed how many events are gone
   */
  default void gap(long missed) {}

  /** Something else than a join or a text was refused; the connection goes on. */
  default void refused(int code, String text) {}

  /** The client is over. */
  default void ended(Goodbye goodbye) {}
}
