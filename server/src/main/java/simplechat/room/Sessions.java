package simplechat.room;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import simplechat.protocol.MemberName;
import simplechat.protocol.ResumeToken;
import simplechat.protocol.ServerMessage;

/**
 * Who is in the room, and who was and may come back.
 *
 * <p>Threading: the room's loop. Bounds: so many lost sessions as it was told, each for the resume
 * window; who is present is the connections' to bound.
 */
public final class Sessions {
  private static final int ROSTER_BODY_BYTES = 2048;

  private final Duration window;
  private final int maxLost;
  private final LongSupplier nanoTime;
  private final Map<MemberName, Member> names = new HashMap<>();
  private final NavigableMap<Long, Member> byOrdinal = new TreeMap<>();
  private final Map<ResumeToken, Member> tokens = new HashMap<>();
  private final Set<Member> lost = new LinkedHashSet<>();

  Sessions(Duration window, int maxLost, LongSupplier nanoTime) {
    this.window = window;
    this.maxLost = maxLost;
    this.nanoTime = nanoTime;
  }

  /** How many could be named to come back, those who are present among them. */
  int tokens() {
    return tokens.size();
  }

  /** Who carries the name now. */
  @Nullable Member holder(MemberName name) {
    return names.get(name);
  }

  /** The session of a token, unless its time to come back is over. */
  public @Nullable Member of(ResumeToken token) {
    Member member = tokens.get(token);
    if (member != null && lost.contains(member) && isExpired(member)) {
      forget(member);
      return null;
    }
    return member;
  }

  /** A session that begins. */
  public Member add(MemberName name, ResumeToken token) {
    Member member = new Member(name, token);
    tokens.put(token, member);
    return member;
  }

  /** How many are in the room. */
  public int present() {
    return byOrdinal.size();
  }

  /** True if the member is in the room since the JOINED at this position. */
  public boolean isPresent(Member member, long ordinal) {
    return byOrdinal.get(ordinal) == member;
  }

  /** Those who are in the room, in the order of joining; not to be held on to. */
  public Collection<Member> everybody() {
    return byOrdinal.values();
  }

  /** How many lost members could still come back. */
  int lost() {
    return lost.size();
  }

  /** A session that is known from elsewhere, with who was connected here and still is. */
  public void restore(
      Member member, int received, @Nullable MemberConnection connection, long ordinal) {
    tokens.put(member.token(), member);
    member.received(received);
    enter(member, connection, ordinal);
  }

  /** The same for a lost one; those lost longest first. */
  public void restoreLost(Member member, int received, Duration lostFor) {
    tokens.put(member.token(), member);
    member.received(received);
    exit(member, true, nanoTime.getAsLong() - lostFor.toNanos());
  }

  /** Every session, by its token. */
  public Map<ResumeToken, Member> all() {
    return Map.copyOf(tokens);
  }

  void enter(Member member, @Nullable MemberConnection connection, long ordinal) {
    lost.remove(member);
    member.connect(connection, ordinal);
    names.put(member.name(), member);
    byOrdinal.put(ordinal, member);
  }

  /**
   * @param mayReturn false if the session is over
   */
  void exit(Member member, boolean mayReturn) {
    exit(member, mayReturn, nanoTime.getAsLong());
  }

  void exit(Member member, boolean mayReturn, long atNanos) {
    if (byOrdinal.remove(member.ordinal()) != null) {
      names.remove(member.name(), member);
    }
    member.disconnect(atNanos);
    if (!mayReturn) {
      tokens.remove(member.token());
      return;
    }
    lost.add(member);
    if (lost.size() > maxLost) {
      forget(lost.iterator().next());
    }
  }

  /** Forgets lost members whose time to come back is over. */
  void expire() {
    while (!lost.isEmpty()) {
      Member eldest = lost.iterator().next();
      if (!isExpired(eldest)) {
        return;
      }
      forget(eldest);
    }
  }

  public void clear() {
    names.clear();
    byOrdinal.clear();
    tokens.clear();
    lost.clear();
  }

  /** Tells the next part of the roster. */
  void tell(MemberConnection asker, RosterPlace place) {
    List<String> part = new ArrayList<>();
    long after = place.after();
    int bytes = 1;
    Iterator<Member> rest =
        byOrdinal.subMap(place.after(), false, place.until(), true).values().iterator();
    boolean more = false;
    while (rest.hasNext() && !more) {
      Member member = rest.next();
      bytes += 1 + member.nameUtf8().length;
      more = bytes > ROSTER_BODY_BYTES;
      if (!more) {
        part.add(member.name().shown());
        after = member.ordinal();
      }
    }
    asker.roster(new ServerMessage.Roster(more, part), new RosterPlace(after, place.until()));
  }

  private boolean isExpired(Member member) {
    return nanoTime.getAsLong() - member.lostAtNanos() > window.toNanos();
  }

  private void forget(Member member) {
    lost.remove(member);
    tokens.remove(member.token());
  }
}
