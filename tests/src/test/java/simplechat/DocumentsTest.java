package simplechat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/** Rules for what people read here. */
class DocumentsTest {
  @Test
  void aDocumentHasOneTitleAndLinksThatLeadSomewhere() throws IOException {
    Pattern link = Pattern.compile("\\]\\(([^)#\\s]+)(#[^)]*)?\\)");
    List<Path> documents = Sources.endingIn(".md");
    assertThat(documents).isNotEmpty();
    for (Path document : documents) {
      String text = Files.readString(document).replaceAll("(?ms)^```.*?^```", "");
      assertThat(text.lines().filter(line -> line.startsWith("# "))).as("" + document).hasSize(1);
      for (MatchResult found : link.matcher(text).results().toList()) {
        if (!found.group(1).contains("://") && !found.group(1).startsWith("mailto:")) {
          assertThat(document.resolveSibling(found.group(1))).as("" + document).exists();
        }
      }
    }
  }

  @Test
  void theReadmeListsTheOptionsThatThereAre() throws Exception {
    Path readme = Sources.root().resolve("README.md");
    assumeTrue(Files.exists(readme), "there is no README.md yet");
    Map<String, String> mains =
        Map.of(
            "server", "simplechat.server.ServerMain",
            "client", "simplechat.cli.ClientMain",
            "`send`", "simplechat.cli.SendMain",
            "bench", "simplechat.bench.BenchMain");
    for (Map.Entry<String, String> main : mains.entrySet()) {
      Set<String> known = new TreeSet<>();
      CommandSpec.forAnnotatedObject(Class.forName(main.getValue()))
          .options()
          .forEach(option -> known.add(option.longestName()));
      known.removeAll(Set.of("--help", "--version"));
      assertThat(known).isNotEmpty();
      assertThat(listed(readme, main.getKey())).isEqualTo(known);
    }
  }

  @Test
  void theBookForOperatorsHasEveryOptionOfTheServerWithItsDefault() throws Exception {
    Path book = Sources.root().resolve("docs/OPERATING.md");
    CommandSpec server =
        CommandSpec.forAnnotatedObject(Class.forName("simplechat.server.ServerMain"));
    Map<String, String> rows = new TreeMap<>();
    Pattern row = Pattern.compile("\\| `(--[a-z-]+)` \\| ([^,|]+?)(,[^|]*)? \\|.*");
    for (String line : Files.readAllLines(book)) {
      Matcher found = row.matcher(line);
      if (found.matches()) {
        assertThat(rows.put(found.group(1), found.group(2))).as(line).isNull();
      }
    }
    Map<String, String> options = new TreeMap<>();
    for (OptionSpec option : server.options()) {
      String value = option.defaultValue();
      options.put(
          option.longestName(),
          value == null || value.isEmpty() ? option.arity().max() == 0 ? "off" : "none" : value);
    }
    options.keySet().removeAll(Set.of("--help", "--version"));
    assertThat(rows).isEqualTo(options);
  }

  /** First cells that name an option, in the tables under a heading that names the program. */
  private static Set<String> listed(Path readme, String program) throws IOException {
    Set<String> options = new TreeSet<>();
    boolean here = false;
    for (String line : Files.readAllLines(readme)) {
      if (line.startsWith("#")) {
        here = line.toLowerCase(Locale.ROOT).contains(program);
      }
      Matcher row = Pattern.compile("\\| *`?(?:-\\w, )?(--[a-z][a-z-]*).*").matcher(line);
      if (here && row.matches()) {
        options.add(row.group(1));
      }
    }
    return options;
  }

  @Test
  void decisionsAreNumberedDenselyAndHaveAStatus() throws IOException {
    Path directory = Sources.root().resolve("docs/decisions");
    assumeTrue(Files.isDirectory(directory), "there are no decisions yet");
    try (Stream<Path> files = Files.list(directory)) {
      List<Path> decisions =
          files.filter(file -> file.getFileName().toString().matches("\\d.*")).sorted().toList();
      for (int i = 0; i < decisions.size(); i++) {
        assertThat("" + decisions.get(i).getFileName()).startsWith("%04d-".formatted(i + 1));
        assertThat(Files.readString(decisions.get(i))).containsPattern("(?m)^\\W*Status\\b");
      }
      assertThat(decisions).isNotEmpty();
    }
  }

  @Test
  void theChangelogBeginsWithWhatIsUnreleased() throws IOException {
    Path changelog = Sources.root().resolve("CHANGELOG.md");
    assumeTrue(Files.exists(changelog), "there is no CHANGELOG.md yet");
    assertThat(Files.readAllLines(changelog).stream().filter(line -> line.startsWith("## ")))
        .first()
        .asString()
        .contains("Unreleased");
  }

  /** What is required is in one of the tables, and the tests that are named there exist. */
  @Test
  void everyPromiseNamesATestThatThereIs() throws IOException {
    Map<String, String> sources = new TreeMap<>();
    for (Path file : Sources.endingIn("Test.java")) {
      sources.put(file.getFileName().toString().replace(".java", ""), Files.readString(file));
    }
    Pattern row = Pattern.compile("\\| ([BCDJK]\\d+(?:, [BCDJK]\\d+)*)[^|]*\\|[^|]*\\|(.*)\\|");
    Pattern named = Pattern.compile("\\b([A-Z]\\w+Test)?(?:\\.(\\w+))?");
    Set<String> promised = new TreeSet<>();
    for (String line : Files.readAllLines(Sources.root().resolve("docs/TRUST.md"))) {
      Matcher cells = row.matcher(line);
      if (!cells.matches()) {
        continue;
      }
      promised.addAll(List.of(cells.group(1).split(", ")));
      String test = "";
      for (MatchResult found : named.matcher(cells.group(2)).results().toList()) {
        test = found.group(1) == null ? test : found.group(1);
        if (!test.isEmpty()) {
          assertThat(sources).as(line).containsKey(test);
        }
        if (found.group(2) != null && !test.isEmpty() && sources.containsKey(test)) {
          assertThat(sources.get(test)).as(line).contains(" " + found.group(2) + "(");
        }
      }
    }
    Map<String, Integer> most = Map.of("B", 21, "C", 23, "D", 18, "J", 9, "K", 10);
    most.forEach(
        (group, count) ->
            assertThat(promised)
                .containsAll(IntStream.rangeClosed(1, count).mapToObj(i -> group + i).toList()));
  }
}
