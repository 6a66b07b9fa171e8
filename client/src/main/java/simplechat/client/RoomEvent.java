package simplechat.client;

import java.time.Instant;
import simplechat.protocol.ServerMessage.LeftWhy;

/** Something that happened in the room, in the room's order. Names and texts are as they came. */
public sealed interface RoomEvent {
  /** Its place in the room's order; positions only rise. */
  long position();

  /** By the server's clock, to the second. */
  Instant time();

  /** True if it happened before the join and was asked for as history. */
  boolean replayed();

  /** Somebody else said something. */
  record Message(long position, Instant time, boolean replayed, String name, String text)
      implements RoomEvent {}

  /**
   * Somebody came in.
   *
   * @param members how many are in the room since
   * @param cameBack true for a member that was lost and resumed
   */
  record Joined(
      long position, Instant time, boolean replayed, String name, long members, boolean cameBack)
      implements RoomEvent {}

  /**
   * Somebody went.
   *
   * @param members how many are in the room since
   */
  record Left(long position, Instant time, boolean replayed, String name, long members, LeftWhy why)
      implements RoomEvent {}
}
