package simplechat.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Clock;
import java.time.Instant;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import simplechat.client.RoomEvent;
import simplechat.protocol.ServerMessage.LeftWhy;

class TranscriptTest {
  private static final Instant NOON_THREE = Instant.parse("2026-11-23T12:03:20Z");

  private final Transcript transcript =
      new Transcript(Clock.fixed(Instant.parse("2026-11-23T15:00:00Z"), ZoneId.of("UTC")));

  @Test
  void linesReadAsTheyShould() {
    assertThat(message("bob", "hi")).isEqualTo("12:03 bob: hi");
    assertThat(transcript.joined(joined("bob", false)).plain()).isEqualTo("12:03 * bob joined");
    assertThat(transcript.joined(joined("bob", true)).plain()).isEqualTo("12:03 * bob is back");
    assertThat(left(LeftWhy.LEFT)).isEqualTo("12:03 * bob left");
    assertThat(left(LeftWhy.LOST)).isEqualTo("12:03 * bob lost connection");
    assertThat(transcript.gap(37).plain()).isEqualTo("* you missed 37 events");
    assertThat(transcript.roster(List.of("carol", "Bob", "alice")).plain())
        .isEqualTo("* here (3): alice, Bob, carol");
  }

  @Test
  void anotherDayHasItsDate() {
    RoomEvent.Message old =
        new RoomEvent.Message(1, Instant.parse("2026-11-22T23:59:59Z"), true, "bob", "hi");
    assertThat(transcript.message(old, "alice").plain()).isEqualTo("2026-11-22 23:59 bob: hi");
    RoomEvent.Message far =
        new RoomEvent.Message(1, Instant.ofEpochSecond(0xFFFF_FFFFL), true, "bob", "hi");
    assertThat(transcript.message(far, "alice").plain()).isEqualTo("2106-02-07 06:28 bob: hi");
  }

  @Test
  void noNameOrTextPosesAsAnotherLine() {
    assertThat(message("bob", "hi\n12:04 alice: I owe you"))
        .isEqualTo("12:03 bob: hi\n      12:04 alice: I owe you");
    assertThat(message("bob", "hi\r12:04 alice: x")).isEqualTo("12:03 bob: hi␍12:04 alice: x");
    assertThat(message("* bob joined\n", "")).doesNotContain("\n").doesNotContain("* bob joined");
    assertThat(message("\u001b]0;x\u0007", "\u001b[2J")).doesNotContain("\u001b");
  }

  @Test
  void onesOwnNameIsAMentionOnlyAsAWord() {
    assertThat(Transcript.mentions("hello Alice!", "alice")).isTrue();
    assertThat(Transcript.mentions("alice", "alice")).isTrue();
    assertThat(Transcript.mentions("malice and alices", "alice")).isFalse();
    assertThat(Transcript.mentions("malice, alice", "alice")).isTrue();
    assertThat(Transcript.mentions("anything", "")).isFalse();
    assertThat(Transcript.mentions("alice_2, alice-2 and dear.alice", "alice")).isFalse();
    assertThat(Transcript.mentions("so said alice. -alice- _alice_", "alice")).isTrue();
    assertThat(Transcript.mentions("well...alice", "alice")).isTrue();
    RoomEvent.Message message =
        new RoomEvent.Message(1, NOON_THREE, false, "bob", "hi alice\nand alice");
    assertThat(transcript.message(message, "alice").plain())
        .isEqualTo("12:03 bob: hi alice\n      and alice");
    assertThat(mentions(message)).containsExactly("alice", "alice");
    assertThat(
            mentions(
                new RoomEvent.Message(
                    1, NOON_THREE, false, "bob", "Alice, malice ALICE alice_2 alice, alice.")))
        .containsExactly("Alice", "ALICE", "alice", "alice");
  }

  /** Each is a part that costs memory. */
  @Test
  void ofATextThatIsFullOfOnesNameSoManyStandOut() {
    String text = "a ".repeat(100_000);
    RoomEvent.Message message = new RoomEvent.Message(1, NOON_THREE, false, "bob", text);
    Line line = transcript.message(message, "a");
    assertThat(line.parts()).hasSizeBetween(100, 250);
    assertThat(line.plain()).isEqualTo("12:03 bob: " + text);
  }

  private List<String> mentions(RoomEvent.Message message) {
    return transcript.message(message, "alice").parts().stream()
        .filter(part -> part.look() == Line.Look.MENTION)
        .map(Line.Part::text)
        .toList();
  }

  @Test
  void aCrowdThatComesOrGoesTakesOneLine() {
    List<String> printed = new ArrayList<>();
    List<Runnable> later = new ArrayList<>();
    Doorway doorway =
        new Doorway(transcript, (event, line) -> printed.add(line.plain()), later::add);
    for (int i = 1; i <= 100; i++) {
      doorway.add(new RoomEvent.Joined(i, NOON_THREE, false, "m" + i, 4 + i, false));
    }
    assertThat(printed).isEmpty();
    assertThat(later).hasSize(1);
    later.remove(0).run();
    assertThat(printed).containsExactly("12:03 * 100 people joined (104 here)");
    printed.clear();
    doorway.add(joined("bob", false));
    doorway.add(joined("eve", false));
    doorway.flush();
    assertThat(printed).containsExactly("12:03 * bob joined", "12:03 * eve joined");
    printed.clear();
    for (int i = 1; i <= 40; i++) {
      doorway.add(new RoomEvent.Left(i, NOON_THREE, false, "m" + i, 104 - i, LeftWhy.LOST));
    }
    // The second of those who have been told of already.
    later.remove(0).run();
    assertThat(printed).isEmpty();
    doorway.flush();
    doorway.add(joined("bob", false));
    for (int i = 1; i <= 3; i++) {
      doorway.add(new RoomEvent.Left(i, NOON_THREE, false, "m" + i, 65 - i, LeftWhy.LEFT));
    }
    doorway.flush();
    assertThat(printed)
        .containsExactly(
            "12:03 * 40 people left (64 here)", "12:03 * 1 person joined, 3 left (62 here)");
  }

  private String message(String name, String text) {
    return transcript
        .message(new RoomEvent.Message(1, NOON_THREE, false, name, text), "alice")
        .plain();
  }

  private String left(LeftWhy why) {
    return transcript.left(new RoomEvent.Left(1, NOON_THREE, false, "bob", 1, why)).plain();
  }

  private static RoomEvent.Joined joined(String name, boolean cameBack) {
    return new RoomEvent.Joined(1, NOON_THREE, false, name, 2, cameBack);
  }
}
