package simplechat.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalTime;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import simplechat.client.ScriptedServer;
import simplechat.client.ScriptedServer.Peer;
import simplechat.protocol.ClientMessage;
import simplechat.protocol.ServerMessage;

/** The whole screen of a real terminal, and its cursor, after each step of one who types. */
@Tag("slow")
class ScreenStepsTest {
  private static final int ROWS = 45;
  private static final String WIDE = "\u540d\u524d";
  private static final String ACCENTED = "e\u0301";

  private final List<String> said = new ArrayList<>();
  private String above = "";
  private int columns;

  @ParameterizedTest
  @CsvSource({"20,33", "80,50", "200,120"})
  void whatComesInStandsAboveWhatIsTyped(int width, int otherWidth) throws Exception {
    assumeTrue(Tmux.isInstalled(), "tmux is not installed");
    columns = width;
    int time = (int) Instant.now().getEpochSecond();
    String clock = clock(time);
    try (ScriptedServer server = new ScriptedServer();
        Tmux tmux = new Tmux(columns, ROWS)) {
      tmux.startClient(server.port(), "-u alice");
      Peer peer = server.acceptAndWelcome(0);
      tmux.await("here yet\nalice>");
      above = tmux.screen().replaceAll("alice>$", "");

      String typed = "send " + WIDE + " " + ACCENTED + " ";
      for (int i = 100; cells(typed) < 230; i++) {
        typed += i + " ";
      }
      typed += "end";
      tmux.type(typed);
      expect(tmux, typed, typed.length());

      tell(peer, time, clock, "hi");
      expect(tmux, typed, typed.length());

      tmux.press("Home");
      expect(tmux, typed, 0);
      for (String text : List.of("one", WIDE, ACCENTED + "!", "four")) {
        tell(peer, time, clock, text);
      }
      expect(tmux, typed, 0);

      // Over the command, its space, two wide characters and a space, to the letter with an accent.
      for (int i = 0; i < 8; i++) {
        tmux.press("Right");
      }
      int cursor = typed.indexOf(ACCENTED);
      expect(tmux, typed, cursor);
      tmux.type("X");
      typed = typed.substring(0, cursor) + "X" + typed.substring(cursor);
      tell(peer, time, clock, "six");
      expect(tmux, typed, cursor + 1);

      tmux.press("DC");
      typed = typed.replace(ACCENTED, "");
      expect(tmux, typed, cursor + 1);

      columns = otherWidth;
      tmux.resize(columns);
      tmux.press("End");
      tmux.type("!");
      typed += "!";
      // What stands above is the terminal's to wrap again, and each does that in its own way.
      String rows = rows("alice> " + typed);
      tmux.await("\n" + rows);
      assertThat(tmux.screen()).endsWith(rows);

      tmux.press("Enter");
      assertThat(peer.expect(ClientMessage.Send.class).text())
          .isEqualTo(typed.substring("send ".length()));
    }
  }

  /**
   * A terminal wraps its rows again before it tells the program how wide it is now, and tmux tells
   * of no more than four sizes a second.
   */
  @ParameterizedTest
  @CsvSource({"80,50", "60,23", "100,140"})
  void whatComesInWhileTheWindowIsDraggedStandsAboveWhatIsTyped(int width, int otherWidth)
      throws Exception {
    assumeTrue(Tmux.isInstalled(), "tmux is not installed");
    columns = width;
    int time = (int) Instant.now().getEpochSecond();
    String clock = clock(time);
    try (ScriptedServer server = new ScriptedServer();
        Tmux tmux = new Tmux(columns, 200)) {
      tmux.startClient(server.port(), "-u alice");
      Peer peer = server.acceptAndWelcome(0);
      tmux.await("here yet\nalice>");
      above = tmux.screen().replaceAll("alice>$", "");
      String typed = "send " + (WIDE + " " + ACCENTED + " ").repeat(30) + "fin";
      tmux.type(typed);
      tmux.press("Left", "Left", "Left");
      expect(tmux, typed, typed.length() - 3);

      int step = Integer.signum(otherWidth - width);
      for (int now = width + step; now != width; now += step) {
        tmux.resize(now);
        tell(peer, time, clock, "m" + said.size());
        step = now == otherWidth ? -step : step;
      }
      tmux.resize(width);
      tell(peer, time, clock, "last");
      expect(tmux, typed, typed.length() - 3);

      // A key does not wait until what is being dragged stays.
      tmux.resize(otherWidth);
      columns = otherWidth;
      tmux.type("X");
      typed = typed.replace("fin", "Xfin");
      tmux.await("\n" + rows("alice> " + typed));
      tmux.press("Enter");
      assertThat(peer.expect(ClientMessage.Send.class).text())
          .isEqualTo(typed.substring("send ".length()));
    }
  }

  /** Where no cursor may be sent up, and none to the right. */
  @ParameterizedTest
  @ValueSource(strings = {"NO_COLOR=1", "TERM=dumb"})
  void withoutEscapeSequencesALineMovesInOneRow(String variable) throws Exception {
    assumeTrue(Tmux.isInstalled(), "tmux is not installed");
    columns = 20;
    int time = (int) Instant.now().getEpochSecond();
    String clock = clock(time);
    Path recording = Files.createTempFile("chat-terminal", ".raw");
    recording.toFile().deleteOnExit();
    try (ScriptedServer server = new ScriptedServer();
        Tmux tmux = new Tmux(columns, ROWS)) {
      tmux.type("export " + variable);
      tmux.press("Enter");
      tmux.record(recording);
      tmux.startClient(server.port(), "-u alice");
      Peer peer = server.acceptAndWelcome(0);
      tmux.await("here yet\nalice>");
      above = tmux.screen().replaceAll("alice>$", "");

      tmux.type("send one two three four");
      expectRow(tmux, "<o three four", 13);
      tell(peer, time, clock, "hi");
      tell(peer, time, clock, WIDE);
      expectRow(tmux, "<o three four", 13);
      tmux.press("Home");
      expectRow(tmux, "alice> send one tw>", 7);
      tell(peer, time, clock, "ho");
      expectRow(tmux, "alice> send one tw>", 7);
      tmux.press("Right", "Right", "Right", "Right", "Right");
      tmux.type("XY");
      expectRow(tmux, "alice> send XYone >", 14);
      tmux.press("Right", "Right");
      expectRow(tmux, "<nd XYone two thre>", 8);
      tmux.press("End");
      tmux.type(" " + WIDE);
      expectRow(tmux, "< four " + WIDE, 11);
      tmux.press("BSpace");
      tell(peer, time, clock, "again");
      expectRow(tmux, "< four " + WIDE.charAt(0), 9);
      tmux.press("Enter");
      assertThat(peer.expect(ClientMessage.Send.class).text())
          .isEqualTo("XYone two three four " + WIDE.charAt(0));
      peer.send(new ServerMessage.Ack(said.size(), 1));
      // What was said is to be read afterwards.
      above += String.join("", said) + "alice> send XYone tw\no three four \u540d\n";
      said.clear();
      expectRow(tmux, "alice>", 7);

      tmux.type("send " + "\u540d".repeat(20));
      expectRow(tmux, "<" + "\u540d".repeat(4), 9);
      tmux.press("Home", "Right", "Right", "Right", "Right", "Right", "Right", "Right", "Right");
      expectRow(tmux, "<nd " + "\u540d".repeat(7) + ">", 10);
      columns = 33;
      tmux.resize(columns);
      tmux.await("\nalice> send " + "\u540d".repeat(9) + ">");
      assertThat(tmux.cursor()).startsWith("18,");
      tmux.press("C-u");
      tmux.type("leave");
      tmux.press("Enter");
      peer.expect(ClientMessage.Leave.class);
    }
    String recorded = Files.readString(recording);
    assertThat(recorded.substring(recorded.indexOf("welcome"))).doesNotContain("\u001b");
  }

  private void expectRow(Tmux tmux, String row, int cursor) {
    String screen = above + String.join("", said) + row;
    Awaitility.await()
        .pollInterval(Duration.ofMillis(50))
        .untilAsserted(
            () -> {
              assertThat(tmux.screen()).isEqualTo(screen);
              assertThat(tmux.cursor()).isEqualTo(cursor + "," + (screen.lines().count() - 1));
            });
  }

  private static String clock(int time) {
    return LocalTime.ofInstant(Instant.ofEpochSecond(time), ZoneId.systemDefault())
        .format(DateTimeFormatter.ofPattern("HH:mm"));
  }

  private void tell(Peer peer, int time, String clock, String text) throws Exception {
    peer.send(new ServerMessage.Msg(said.size(), time, "bob", text));
    said.add(clock + " bob: " + text + "\n");
  }

  /** Waits until this is all there is to be seen. */
  private void expect(Tmux tmux, String typed, int cursor) {
    String line = "alice> " + typed;
    String screen = above + String.join("", said) + rows(line);
    String before = rows("alice> " + typed.substring(0, cursor) + "|");
    int row = (int) (above + String.join("", said) + before).lines().count() - 1;
    int column = cells(before.substring(before.lastIndexOf('\n') + 1)) - 1;
    Awaitility.await()
        .pollInterval(Duration.ofMillis(50))
        .untilAsserted(
            () -> {
              assertThat(tmux.screen()).isEqualTo(screen);
              assertThat(tmux.cursor()).isEqualTo(column + "," + row);
            });
  }

  /** As a terminal wraps a line; blanks at the end of a row cannot be seen. */
  private String rows(String line) {
    StringBuilder rows = new StringBuilder();
    int used = 0;
    for (int i = 0; i < line.length(); i++) {
      int width = cells(line.substring(i, i + 1));
      if (used + width > columns) {
        while (rows.charAt(rows.length() - 1) == ' ') {
          rows.setLength(rows.length() - 1);
        }
        rows.append('\n');
        used = 0;
      }
      rows.append(line.charAt(i));
      used += width;
    }
    return rows.toString();
  }

  private static int cells(String text) {
    return text.chars().map(c -> c == 0x301 ? 0 : c >= 0x2E80 ? 2 : 1).sum();
  }
}
