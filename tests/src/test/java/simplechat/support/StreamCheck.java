package simplechat.support;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import simplechat.protocol.ErrorCode;
import simplechat.protocol.Positions;
import simplechat.protocol.ProtocolException;
import simplechat.protocol.ServerMessage;
import simplechat.protocol.ServerMessage.Ack;
import simplechat.protocol.ServerMessage.Bye;
import simplechat.protocol.ServerMessage.Event;
import simplechat.protocol.ServerMessage.Gap;
import simplechat.protocol.ServerMessage.Joined;
import simplechat.protocol.ServerMessage.Left;
import simplechat.protocol.ServerMessage.Msg;
import simplechat.protocol.ServerMessage.Refused;
import simplechat.protocol.ServerMessage.Welcome;

/**
 * The strictest client that PROTOCOL.md allows: it takes the frames of one connection in turn and
 * fails with an {@link AssertionError} at the first that may not stand where it stands.
 */
public final class StreamCheck {
  private @Nullable Welcome welcome;
  private @Nullable Bye bye;
  private long expected;
  private int acknowledged;
  private final Set<Integer> refused = new HashSet<>();
  private boolean behindGap;
  private long members = -1;
  private long ownFrom;
  private long ownTo;
  private int acknowledgedBefore;
  private final List<Lost> lost = new ArrayList<>();

  /** What one GAP said: of the positions in {@code [from, to)} so many were meant for us. */
  public record Lost(long from, long to, long missed) {}

  /** The session goes on: what was acknowledged or refused on its earlier connection. */
  public void carryOn(StreamCheck earlier) {
    acknowledged = earlier.acknowledged;
    refused.addAll(earlier.refused);
  }

  public void accept(ServerMessage message) {
    require(bye == null, "a frame behind BYE", message);
    boolean wasBehindGap = behindGap;
    behindGap = false;
    if (message instanceof Welcome first) {
      welcomed(first);
    } else if (message instanceof Bye last) {
      require(last.code() == 0 || last.code() >= 300, "a BYE with the code of an ERROR", message);
      bye = last;
    } else if (message instanceof Refused error) {
      require(ErrorCode.keepsConnection(error.code()), "an ERROR with the code of a BYE", message);
      if (error.sendNo() != 0) {
        require(welcome != null, "a refused SEND of a stranger", message);
        require(refused.add(error.sendNo()), "a SEND refused twice", message);
      }
    } else if (message instanceof Event event) {
      event(event);
    } else if (message instanceof Ack ack) {
      acknowledged(ack, wasBehindGap);
    } else if (message instanceof Gap gap) {
      gap(gap);
    } else {
      // PING, PONG and ROSTER stand anywhere, but a ROSTER not before the join.
      require(
          welcome != null || !(message instanceof ServerMessage.Roster),
          "a ROSTER before the join",
          message);
    }
  }

  /** The position after the last one that is accounted for: what a resume asks for. */
  public long expected() {
    return expected;
  }

  /** The WELCOME that came. */
  public Welcome welcome() {
    Welcome came = welcome;
    if (came == null) {
      throw new AssertionError("no WELCOME yet");
    }
    return came;
  }

  public boolean isWelcomed() {
    return welcome != null;
  }

  public @Nullable Bye bye() {
    return bye;
  }

  /** The number of the last SEND that was acknowledged. */
  public int acknowledged() {
    return acknowledged;
  }

  public boolean isRefused(int sendNo) {
    return refused.contains(sendNo);
  }

  /** Where the last ACK's own run begins; empty behind a GAP. */
  public long ownFrom() {
    return ownFrom;
  }

  public long ownTo() {
    return ownTo;
  }

  /** The numbers up to here were acknowledged before the last ACK. */
  public int acknowledgedBefore() {
    return acknowledgedBefore;
  }

  /** What the GAPs said, one by one. */
  public List<Lost> lost() {
    return lost;
  }

  /** The position of the last event that came. */
  public long last() {
    return expected - 1;
  }

  private void welcomed(Welcome first) {
    require(welcome == null, "a second WELCOME", first);
    require(Long.compareUnsigned(first.next(), first.head()) <= 0, "next above head", first);
    require(first.members() >= 1, "a member of an empty room", first);
    require(first.resumed() || first.received() == 0, "SENDs of a new session", first);
    welcome = first;
    expected = first.next();
    if (!first.resumed()) {
      acknowledged = 0;
      refused.clear();
    }
  }

  private void event(Event event) {
    Welcome first = joinedBefore(event);
    long position = position(event.seq(), event);
    // A hole without ACK or GAP: nothing but the session's own JOINED and LEFT, all below head.
    require(
        position == expected || position <= first.head(),
        "positions from " + expected + " are not explained before " + position,
        event);
    if (position > expected && !first.resumed()) {
      require(
          expected == first.head() - 1 && position == first.head(),
          "a newcomer lacks more than its own JOINED, from " + expected,
          event);
    }
    count(event, position, first);
    require(position < first.head() || !nameOf(event).equals(first.name()), "an own event", event);
    expected = position + 1;
  }

  /** {@code members} is the number of members at that position (A17). */
  private void count(Event event, long position, Welcome first) {
    if (position < first.head()) {
      return;
    }
    if (members < 0 && lost.isEmpty()) {
      members = first.members();
    }
    if (event instanceof Joined joined) {
      require(members < 0 || joined.members() == members + 1, "not " + (members + 1), event);
      members = joined.members();
    } else if (event instanceof Left left) {
      require(members < 0 || left.members() == members - 1, "not " + (members - 1), event);
      members = left.members();
    }
  }

  private void acknowledged(Ack ack, boolean wasBehindGap) {
    Welcome first = joinedBefore(ack);
    int fresh = 0;
    require(ack.sendNo() > acknowledged, "acknowledged before: " + acknowledged, ack);
    for (int sendNo = acknowledged + 1; sendNo <= ack.sendNo(); sendNo++) {
      fresh += refused.contains(sendNo) ? 0 : 1;
    }
    require(!refused.contains(ack.sendNo()), "refused and acknowledged", ack);
    if (wasBehindGap && ack.seq() - (int) expected < 0) {
      ownFrom = expected;
      ownTo = expected;
    } else {
      long position = position(ack.seq(), ack);
      long own = position + 1 - expected;
      boolean exact = expected >= first.head() && acknowledged >= first.received();
      long announcements = exact ? 0 : Math.max(0, first.head() - expected);
      require(
          exact ? own == fresh : own >= 1 && own <= fresh + announcements,
          own + " positions from " + expected + " for " + fresh + " SENDs",
          ack);
      ownFrom = expected;
      ownTo = position + 1;
      expected = position + 1;
    }
    acknowledgedBefore = acknowledged;
    acknowledged = ack.sendNo();
  }

  private void gap(Gap gap) {
    joinedBefore(gap);
    require(gap.next() > expected, "a GAP that goes back from " + expected, gap);
    long count = Integer.toUnsignedLong(gap.missed());
    require(count >= 1 && count <= gap.next() - expected, "more than lie there", gap);
    lost.add(new Lost(expected, gap.next(), count));
    members = -1;
    expected = gap.next();
    behindGap = true;
  }

  private static String nameOf(Event event) {
    if (event instanceof Msg msg) {
      return msg.name();
    }
    return event instanceof Joined joined ? joined.name() : ((Left) event).name();
  }

  private Welcome joinedBefore(ServerMessage message) {
    Welcome first = welcome;
    if (first == null) {
      throw new AssertionError("before WELCOME: " + message);
    }
    return first;
  }

  private long position(int seq, ServerMessage message) {
    try {
      return Positions.expand(expected, seq);
    } catch (ProtocolException e) {
      throw new AssertionError("behind " + expected + ": " + message, e);
    }
  }

  private static void require(boolean condition, String what, ServerMessage message) {
    if (!condition) {
      throw new AssertionError(what + ": " + message);
    }
  }
}
