package simplechat.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import simplechat.client.Goodbye;
import simplechat.client.RoomEvent;
import simplechat.client.ScriptedServer.Peer;
import simplechat.protocol.ServerMessage.LeftWhy;

/** docs/JSON.md lists the objects and fields that there are, and no others. */
class JsonPageTest {
  private static final Path PAGE =
      Path.of(System.getProperty("chat.root", ".."), "docs", "JSON.md");

  @Test
  void thePageListsTheObjectsAndTheirFieldsInOrder() throws IOException {
    Map<String, List<String>> told = new TreeMap<>();
    for (String object : objects()) {
      List<String> keys = names(object, "\"(\\w+)\":");
      assertThat(keys).first().isEqualTo("type");
      told.put(object.replaceAll("^.\"type\":\"(\\w+)\".*", "$1"), keys.subList(1, keys.size()));
    }
    Map<String, List<String>> listed = new TreeMap<>();
    Set<String> explained = new TreeSet<>();
    for (String line : Files.readAllLines(PAGE)) {
      String[] cells = line.split("\\|", -1);
      if (cells.length == 5 && cells[1].startsWith(" `")) {
        String name = cells[1].replaceAll("[ `]", "");
        List<String> fields = names(cells[2], "`(\\w+)`");
        if (fields.isEmpty()) {
          explained.add(name);
        } else {
          listed.put(name, fields);
        }
      }
    }
    assertThat(listed).isEqualTo(told);
    Set<String> fields = new TreeSet<>(Set.of("type"));
    told.values().forEach(fields::addAll);
    assertThat(explained).isEqualTo(fields);
  }

  /** One of each. */
  private static List<String> objects() {
    List<String> objects = new ArrayList<>();
    Settings settings =
        new Settings("localhost", 1, Admission.FREE, "alice", 0, false, false, false, true, false);
    Journal journal = new Journal(settings, item -> objects.add(item.line().plain()));
    Instant time = Instant.EPOCH;
    journal.welcome(Peer.welcomeOf("alice", 0, 1, 1));
    journal.live();
    journal.message(new RoomEvent.Message(1, time, false, "bob", "hi"));
    journal.said(2, "hi");
    journal.joined(new RoomEvent.Joined(3, time, false, "eve", 3, false));
    journal.left(new RoomEvent.Left(4, time, false, "eve", 2, LeftWhy.LEFT));
    journal.gap(1);
    journal.roster(List.of("alice", "bob"));
    Goodbye lost = new Goodbye(Goodbye.Ending.LOST, 0, 0, "");
    journal.lost(lost);
    journal.back(Duration.ofSeconds(1), 0);
    journal.ended(lost);
    assertThat(objects).hasSize(10);
    return objects;
  }

  private static List<String> names(String text, String pattern) {
    return Pattern.compile(pattern)
        .matcher(text)
        .results()
        .map((MatchResult found) -> found.group(1))
        .toList();
  }
}
