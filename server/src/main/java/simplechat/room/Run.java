package simplechat.room;

import org.jspecify.annotations.Nullable;
import simplechat.protocol.ServerMessage;

/**
 * A stretch of one segment that one member wrote, and that its own cursor leaves out.
 *
 * <p>Threading: the room's loop extends a run until it is published; from then on it never changes
 * but for its successors, which are published themselves. A run names no segment, so that it keeps
 * none alive.
 */
final class Run {
  private final Member owner;
  private final long from;
  private final long firstPosition;
  private long to;
  private long eventsBefore;
  private int events;
  private int sendNo;
  private boolean left;
  private @Nullable Run nextOfOwner;
  private @Nullable Run nextInSegment;

  Run(Member owner, long from, long firstPosition) {
    this.owner = owner;
    this.from = from;
    this.to = from;
    this.firstPosition = firstPosition;
  }

  Member owner() {
    return owner;
  }

  /** First byte, as {@link Segment#firstByte} counts. */
  long from() {
    return from;
  }

  /** The byte behind the last. */
  long to() {
    return to;
  }

  long firstPosition() {
    return firstPosition;
  }

  /** The position behind the last event. */
  long endPosition() {
    return firstPosition + events;
  }

  /** Number of the last SEND in here, 0 if there is none but JOINED or LEFT. */
  int sendNo() {
    return sendNo;
  }

  /** What tells the owner that its SENDs in here, and all before, are in the room. */
  ServerMessage.Ack ack() {
    return new ServerMessage.Ack((int) (endPosition() - 1), sendNo);
  }

  /** True if the owner's LEFT is the last in here. */
  boolean isLeft() {
    return left;
  }

  /** How many events the owner has caused up to the end of this run. */
  long ownerEvents() {
    return eventsBefore + events;
  }

  @Nullable Run nextOfOwner() {
    return nextOfOwner;
  }

  @Nullable Run nextInSegment() {
    return nextInSegment;
  }

  void nextOfOwner(Run run) {
    run.eventsBefore = ownerEvents();
    nextOfOwner = run;
  }

  void nextInSegment(@Nullable Run run) {
    nextInSegment = run;
  }

  /** Makes this the stub that stands before the owner's first remembered run. */
  void stubBefore(Run first) {
    eventsBefore = first.eventsBefore;
    nextOfOwner = first;
  }

  /** Room's loop only: what came last was LEFT. */
  void left() {
    left = true;
  }

  /** Room's loop only: takes in one more event of the owner, a SEND unless {@code sendNo} is 0. */
  void extend(long to, int sendNo) {
    this.to = to;
    if (sendNo != 0) {
      this.sendNo = sendNo;
    }
    events++;
  }

  /** Room's loop only: stands for events that are not in the log. */
  void gone(int events, int sendNo) {
    this.events = events;
    this.sendNo = sendNo;
  }
}
