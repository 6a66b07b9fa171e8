package simplechat.room;

import io.netty.buffer.ByteBuf;
import org.jspecify.annotations.Nullable;
import simplechat.protocol.ServerMessage.LeftWhy;

/**
 * Puts what is asked of the room into its one order, and has the {@link Ledger} do it in that
 * order: at once, or when it has come back from wherever the order is made.
 *
 * <p>Threading: the room's loop, but for {@link #pressure} and {@link #unready}, which are read
 * anywhere.
 */
public interface Backplane {
  /** How many lost sessions the servers of a shared room remember, each of them all. */
  int LOST_MAX = 100_000;

  /** What those who are about to say something should know. */
  enum Pressure {
    NONE,
    /** Who has said something is not read until this is over. */
    WAIT,
    /** What is said now is refused as BUSY. */
    REFUSE
  }

  /**
   * Somebody wants to join, or to come back. Ends in {@link Ledger#joined} with this arrival, or in
   * a refusal.
   */
  void join(Arrival arrival);

  /**
   * A member says something: ends in {@link Ledger#said}, or nowhere if the session goes on
   * elsewhere by then.
   *
   * @param text where the text lies from {@code index} on; read within the call
   */
  void say(Member member, int sendNo, ByteBuf text, int index, int length);

  /** A SEND was refused: ends in {@link Ledger#counted}. */
  void count(Member member, int sendNo);

  /** A member goes: ends in {@link Ledger#left}, for this or for an earlier reason. */
  void leave(Member member, LeftWhy why);

  Pressure pressure();

  /** Why others should take who wants to join; null if nothing is wrong. From any thread. */
  default @Nullable String unready() {
    return null;
  }

  /** Null while members may join. */
  @Nullable String closedBecause();

  /** How it stands with where the order is made; null if that is here. */
  default @Nullable LinkStatus link() {
    return null;
  }

  /**
   * Nothing more is asked. Calls back when all that was asked has been done, and the room of others
   * is told that these members go.
   */
  void drain(Iterable<Member> here, Runnable done);

  /** Lets go of everything; completion is for the caller of whoever made it. */
  void close();
}
