package simplechat.client;

import simplechat.protocol.ErrorCode;
import simplechat.protocol.Positions;
import simplechat.protocol.ProtocolException;
import simplechat.protocol.ServerMessage.Gap;
import simplechat.protocol.ServerMessage.Welcome;

/**
 * The place in the room's order up to which everything is explained.
 *
 * <pre>
 *       replay        |  live: each position is an event, lies in an ACK's run, or in a GAP
 *   ----+----+----+---+----+----+====+====+----+~~~~~~~~~~+----
 *     next (WELCOME) head           ACK          GAP      next
 * </pre>
 *
 * <p>Holes are allowed only in the replay, which leaves out the member's own coming and going.
 * Anything else that does not fit is a lie and throws MALFORMED: a client that went on would show a
 * wrong order or confirm what is not in the room.
 */
final class Stream {
  private final long head;
  private long next;

  /** Where own texts that fell into the last GAP may lie; equal to next if there are none. */
  private long gapStart;

  /** Of a GAP behind which nothing came yet: where it begins, and how many it says are gone. */
  private long resumeAt;

  private long missed;

  /** How many of those behind {@link #resumeAt} are known to be gone. */
  private long missedKnown;

  /**
   * @param missedKnown what {@link #missedKnown} of the stream said that this one goes on with
   */
  Stream(Welcome welcome, long missedKnown) throws ProtocolException {
    if (welcome.next() < 0 || welcome.head() < welcome.next()) {
      throw lie("WELCOME has a next above its head");
    }
    next = welcome.next();
    head = welcome.head();
    gapStart = next;
    resumeAt = next;
    this.missedKnown = missedKnown;
  }

  /**
   * Where another connection has to go on. That is next, but for a GAP that came last: the ACK for
   * own texts in it follows directly, and would not come again behind it.
   */
  long resumeAt() {
    return resumeAt;
  }

  /** How many events behind {@link #resumeAt} are gone and were told to be. */
  long missedKnown() {
    return missedKnown;
  }

  /** The position that the next event will have or be behind. */
  long next() {
    return next;
  }

  /** True if the replay is over: the last position before head is the member's own coming in. */
  boolean live() {
    return next >= head - 1;
  }

  boolean replayed(long position) {
    return position < head;
  }

  /** The position of an event. */
  long event(int seq) throws ProtocolException {
    long position = Positions.expand(next, seq);
    if (position > expected()) {
      throw lie("a hole before an event");
    }
    pass(position);
    return position;
  }

  /**
   * The position of the last text that an ACK covers.
   *
   * @param fresh how many texts it covers that the server took after the welcome: all in one
   *     stretch unless they lie in a GAP, and behind the replay
   */
  long ack(int seq, long fresh) throws ProtocolException {
    if (gapStart != next) {
      long position = Positions.expand(gapStart, seq);
      if (position < next) {
        gapStart = position + 1;
        account();
        return position;
      }
    }
    long position = Positions.expand(next, seq);
    long stretch = replayed(position) ? 0 : position + 1 - expected();
    if (stretch != fresh) {
      throw lie("an ACK whose stretch does not fit its texts");
    }
    pass(position);
    return position;
  }

  /** How many more events are gone than were known to be. */
  long gap(Gap gap) throws ProtocolException {
    long gone = Integer.toUnsignedLong(gap.missed());
    if (gap.next() < next || gap.next() - next < gone) {
      throw lie("a GAP that is smaller than what it says is missing");
    }
    gapStart = next;
    next = gap.next();
    missed += gone;
    long news = Math.max(0, missed - missedKnown);
    missedKnown += news;
    return news;
  }

  private long expected() {
    return Math.max(next, head);
  }

  private void pass(long position) {
    next = position + 1;
    gapStart = next;
    account();
  }

  private void account() {
    resumeAt = next;
    missed = 0;
    missedKnown = 0;
  }

  private static ProtocolException lie(String what) {
    return new ProtocolException(ErrorCode.MALFORMED, what);
  }
}
