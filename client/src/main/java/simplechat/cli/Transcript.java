package simplechat.cli;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZonedDateTime;
import java.util.List;
import java.util.Locale;
import simplechat.cli.Line.Look;
import simplechat.client.RoomEvent;
import simplechat.protocol.ServerMessage.LeftWhy;
import simplechat.protocol.ServerMessage.Welcome;

/**
 * What happens in the room, as lines to read. Pure, but for the clock that tells today from other
 * days.
 *
 * <pre>
 *   12:03 bob: hi
 *   12:03 * carol joined
 *   2026-11-22 23:59 bob: good night
 *         and see you tomorrow
 * </pre>
 */
final class Transcript {
  /** More names than this nobody reads, and each costs memory while it waits to be shown. */
  private static final int ROSTER_MAX = 10_000;

  /** More in one text nobody looks for, and each is a part that costs memory while it waits. */
  private static final int MENTIONS_MAX = 100;

  private final Clock clock;

  /**
   * @param clock for today's date, and with the zone in which times are shown
   */
  Transcript(Clock clock) {
    this.clock = clock;
  }

  Line welcome(Welcome welcome) {
    long others = Integer.toUnsignedLong(welcome.members()) - 1;
    Line line = new Line().add(Look.FAINT, "* welcome, ").addName(welcome.name());
    return line.add(
        Look.FAINT,
        others <= 0
            ? ": nobody else is here yet"
            : ": " + others + (others == 1 ? " other is here" : " others are here"));
  }

  Line greeting(String greeting) {
    return new Line().add(Look.FAINT, "* the server says: ").addText(Look.PLAIN, greeting);
  }

  /** The line before the messages that were said before one came. */
  Line earlier(int count) {
    return new Line().add(Look.FAINT, "--- " + count + " earlier ---");
  }

  /** The line before the messages that were said while the connection was lost. */
  Line whileAway(int count) {
    return new Line().add(Look.FAINT, "--- " + count + " while away ---");
  }

  /** Either of them, if they are too many to count before they are shown. */
  Line uncounted(boolean whileAway) {
    return new Line().add(Look.FAINT, whileAway ? "--- while away ---" : "--- earlier ---");
  }

  /** The line between what was missed at first and what is live. */
  Line back(Duration away, long missed) {
    return missed == 0
        ? Line.notice("back after " + inWords(away) + ", nothing missed")
        : Line.notice("back, you missed " + events(missed));
  }

  Line message(RoomEvent.Message message, String ownName) {
    Line line = stamp(message.time()).addName(message.name()).add(Look.PLAIN, ": ");
    String text = message.text();
    int start = 0;
    int at = mention(text, ownName, start);
    for (int count = 0; at >= 0 && count < MENTIONS_MAX; count++) {
      int end = at + ownName.length();
      line.addText(Look.PLAIN, text.substring(start, at))
          .add(Look.MENTION, text.substring(at, end));
      start = end;
      at = mention(text, ownName, start);
    }
    return line.addText(Look.PLAIN, text.substring(start));
  }

  /** Does the text name this member, as a word of its own? */
  static boolean mentions(String text, String name) {
    return mention(text, name, 0) >= 0;
  }

  Line joined(RoomEvent.Joined joined) {
    String what = joined.cameBack() ? " is back" : " joined";
    return stamp(joined.time()).add(Look.FAINT, "* ").addName(joined.name()).add(Look.FAINT, what);
  }

  /** Somebody who came or went; anything else has a line of its own. */
  Line passing(RoomEvent event) {
    return event instanceof RoomEvent.Joined joined ? joined(joined) : left((RoomEvent.Left) event);
  }

  /**
   * Many who came and went at about the same time; the last of them says when, and how many are
   * here.
   */
  Line crowd(int came, int went, RoomEvent last) {
    long here =
        last instanceof RoomEvent.Joined joined
            ? joined.members()
            : ((RoomEvent.Left) last).members();
    String who =
        came == 0
            ? people(went) + " left"
            : people(came) + " joined" + (went == 0 ? "" : ", " + went + " left");
    return stamp(last.time()).add(Look.FAINT, "* " + who + " (" + here + " here)");
  }

  /** A line before the first thing that happens on another day, while one is there. */
  Line day(LocalDate date) {
    return new Line().add(Look.FAINT, "--- " + date + " ---");
  }

  /** The day of an event, where the reader is. */
  LocalDate dayOf(RoomEvent event) {
    return event.time().atZone(clock.getZone()).toLocalDate();
  }

  LocalDate today() {
    return LocalDate.now(clock);
  }

  private static String people(int count) {
    return count + (count == 1 ? " person" : " people");
  }

  Line left(RoomEvent.Left left) {
    return stamp(left.time())
        .add(Look.FAINT, "* ")
        .addName(left.name())
        .add(Look.FAINT, reason(left.why()));
  }

  Line gap(long missed) {
    return Line.notice("you missed " + events(missed));
  }

  private static String events(long count) {
    return count + (count == 1 ? " event" : " events");
  }

  /** In the largest unit of which there are at least two; whoever was away was so for a second. */
  private static String inWords(Duration away) {
    if (away.toHours() > 1) {
      return away.toHours() + " h";
    }
    return away.toMinutes() > 1 ? away.toMinutes() + " min" : Math.max(1, away.toSeconds()) + " s";
  }

  /** A text of which nobody knows whether the room has it. */
  static Line unconfirmed(String text) {
    return Line.of("not confirmed: ").addText(Look.PLAIN, text);
  }

  Line roster(List<String> names) {
    Line line = new Line().add(Look.FAINT, "* here (" + names.size() + "):");
    String separator = " ";
    for (String name :
        names.stream().limit(ROSTER_MAX).sorted(String.CASE_INSENSITIVE_ORDER).toList()) {
      line.add(Look.PLAIN, separator).addName(name);
      separator = ", ";
    }
    int more = names.size() - ROSTER_MAX;
    return more <= 0 ? line : line.add(Look.FAINT, " and " + more + " more");
  }

  private Line stamp(Instant time) {
    ZonedDateTime local = time.atZone(clock.getZone());
    String clockTime = String.format(Locale.ROOT, "%02d:%02d ", local.getHour(), local.getMinute());
    boolean today = local.toLocalDate().equals(today());
    return new Line().add(Look.FAINT, today ? clockTime : local.toLocalDate() + " " + clockTime);
  }

  /** How somebody went, to be put behind the name. */
  static String reason(LeftWhy why) {
    return switch (why) {
      case LEFT -> " left";
      case LOST -> " lost connection";
      case SLOW -> " lost connection (too slow)";
      case SHUTDOWN -> " left (server shutdown)";
      case REPLACED -> " continues elsewhere";
      case REMOVED -> " was removed";
    };
  }

  /**
   * Where the name stands in the text from {@code from} on, not inside a longer word or name; -1 if
   * nowhere.
   */
  private static int mention(String text, String name, int from) {
    int length = name.length();
    for (int at = from; length > 0 && at + length <= text.length(); at++) {
      if (text.regionMatches(true, at, name, 0, length)
          && !isNamePart(text, at - 1, -1)
          && !isNamePart(text, at + length, 1)) {
        return at;
      }
    }
    return -1;
  }

  /** Whether a name goes on here: {@code bob_2} is somebody else, and "bob." ends a sentence. */
  private static boolean isNamePart(String text, int index, int step) {
    return isLetterOrDigit(text, index)
        || (isIn(text, index)
            && "_.-".indexOf(text.charAt(index)) >= 0
            && isLetterOrDigit(text, index + step));
  }

  private static boolean isLetterOrDigit(String text, int index) {
    return isIn(text, index) && Character.isLetterOrDigit(text.charAt(index));
  }

  private static boolean isIn(String text, int index) {
    return index >= 0 && index < text.length();
  }
}
