package simplechat.redis;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import simplechat.protocol.MemberName;
import simplechat.protocol.ProtocolException;
import simplechat.protocol.ResumeToken;

/**
 * A room at one moment, as open.lua returns it.
 *
 * @param end the next position
 * @param lastId of the newest entry
 * @param taken number of this node's last request
 * @param sessions those lost longest first
 */
record Snapshot(String epoch, long end, String lastId, long taken, List<Known> sessions) {
  private static final int FIXED = 4;
  private static final int WIDTH = 6;

  /** A session; of no node if it is lost. */
  record Known(
      ResumeToken token, String node, long claim, int received, Duration lostFor, MemberName name) {
    boolean isLost() {
      return node.equals("-");
    }
  }

  /** A session with a name that this version does not allow is left out. */
  static Snapshot of(List<Object> reply) {
    List<Known> sessions = new ArrayList<>();
    for (int at = FIXED; at + WIDTH <= reply.size(); at += WIDTH) {
      try {
        sessions.add(
            new Known(
                Entry.token(text(reply, at)),
                text(reply, at + 1),
                number(reply, at + 2),
                (int) number(reply, at + 3),
                Duration.ofMillis(number(reply, at + 4)),
                MemberName.of(text(reply, at + 5))));
      } catch (ProtocolException e) {
        // Of no use here, and not ours to remove.
      }
    }
    sessions.sort(Comparator.comparing(Known::lostFor).reversed());
    return new Snapshot(
        text(reply, 0), number(reply, 1), text(reply, 2), number(reply, 3), sessions);
  }

  /** One element of a script's reply, a number or a text. */
  static String text(List<Object> reply, int index) {
    Object element = reply.get(index);
    return element instanceof byte[] bytes
        ? new String(bytes, StandardCharsets.UTF_8)
        : String.valueOf(element);
  }

  static long number(List<Object> reply, int index) {
    Object element = reply.get(index);
    return element instanceof Long number ? number : Long.parseLong(text(reply, index));
  }
}
