package simplechat.cli;

import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;
import java.util.function.Supplier;
import simplechat.cli.Line.Look;
import simplechat.cli.Screen.Item;
import simplechat.cli.Screen.Kind;
import simplechat.client.Goodbye;
import simplechat.client.RoomEvent;
import simplechat.protocol.ServerMessage.Welcome;

/**
 * What happens, told to others than people: as an object for {@code --json} (docs/JSON.md), and as
 * a line for {@code --log}.
 *
 * <pre>
 *   --- room 00000000000000a7 ---
 *   17 bob: hi
 *   18 * carol joined
 * </pre>
 *
 * <p>A line of the log is the same at every member: it has the position, no time, because nobody is
 * told the time of a message of their own, and it has these too. So files can be compared.
 *
 * <p>Threading: the client's event loop, which brings everything in the order of the room.
 */
final class Journal {
  private final Consumer<Item> sink;
  private final boolean json;
  private final boolean log;
  private final boolean quiet;
  private String ownName = "";
  private String room = "";
  private Line arrival = new Line();

  Journal(Settings settings, Consumer<Item> sink) {
    this.sink = sink;
    this.json = settings.json();
    this.log = settings.log();
    this.quiet = settings.quiet();
  }

  void welcome(Welcome welcome) {
    ownName = welcome.name();
    String epoch = String.format(Locale.ROOT, "%016x", welcome.epoch());
    record(
        () ->
            new Json("welcome")
                .put("name", ownName)
                .put("members", Integer.toUnsignedLong(welcome.members()))
                .put("room", epoch)
                .put("position", welcome.head())
                .put("resumed", welcome.resumed()));
    if (!epoch.equals(room)) {
      room = epoch;
      log(() -> new Line().add(Look.PLAIN, "--- room " + epoch + " ---"));
    }
    // The last position before the head is the member's own coming in, of which it is not told.
    arrival = coming(welcome.head() - 1, ownName, welcome.resumed());
  }

  /** The replay has been told, so what comes next in the order is the member itself. */
  void live() {
    log(() -> arrival);
  }

  void message(RoomEvent.Message message) {
    record(() -> json("message", message).put("name", message.name()).put("text", message.text()));
    log(() -> saying(message.position(), message.name(), message.text()));
  }

  /** The room has a message of our own. */
  void said(long position, String text) {
    record(() -> new Json("sent").put("position", position).put("text", text));
    log(() -> saying(position, ownName, text));
  }

  void joined(RoomEvent.Joined joined) {
    if (!quiet) {
      record(
          () ->
              json("joined", joined)
                  .put("name", joined.name())
                  .put("members", joined.members())
                  .put("back", joined.cameBack()));
    }
    log(() -> coming(joined.position(), joined.name(), joined.cameBack()));
  }

  void left(RoomEvent.Left left) {
    if (!quiet) {
      record(
          () ->
              json("left", left)
                  .put("name", left.name())
                  .put("members", left.members())
                  .put("why", left.why().name().toLowerCase(Locale.ROOT)));
    }
    log(
        () ->
            at(left.position())
                .add(Look.PLAIN, "* ")
                .addName(left.name())
                .add(Look.PLAIN, Transcript.reason(left.why())));
  }

  void gap(long missed) {
    record(() -> new Json("gap").put("missed", missed));
    log(() -> Line.of("--- " + missed + " missed ---"));
  }

  void roster(List<String> names) {
    record(() -> new Json("roster").put("names", names));
  }

  void lost(Goodbye why) {
    record(() -> new Json("lost").put("code", why.code()).put("text", why.text()));
  }

  void back(Duration away, long missed) {
    record(() -> new Json("back").put("seconds", away.toSeconds()).put("missed", missed));
  }

  void ended(Goodbye goodbye) {
    record(
        () ->
            new Json("end")
                .put("left", goodbye.inOrder())
                .put("code", goodbye.code())
                .put("text", goodbye.text()));
  }

  private static Json json(String type, RoomEvent event) {
    return new Json(type)
        .put("position", event.position())
        .put("time", event.time().toString())
        .put("replayed", event.replayed());
  }

  private static Line at(long position) {
    return new Line().add(Look.PLAIN, position + " ");
  }

  private static Line saying(long position, String name, String text) {
    return at(position).addName(name).add(Look.PLAIN, ": ").addText(Look.PLAIN, text);
  }

  private static Line coming(long position, String name, boolean back) {
    return at(position)
        .add(Look.PLAIN, "* ")
        .addName(name)
        .add(Look.PLAIN, back ? " is back" : " joined");
  }

  /** Made only if somebody wants it. */
  private void record(Supplier<Json> object) {
    if (json) {
      sink.accept(new Item(object.get().line(), Kind.RECORD));
    }
  }

  private void log(Supplier<Line> line) {
    if (log) {
      sink.accept(new Item(line.get(), Kind.LOG));
    }
  }
}
