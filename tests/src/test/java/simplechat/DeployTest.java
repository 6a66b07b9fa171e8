package simplechat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import simplechat.server.ServerConfig;
import simplechat.support.ServerProcess;

/**
 * The files under deploy/ fit the server and the launcher, as far as no engine is needed for it.
 */
class DeployTest {
  static final String OF_REDIS = "chat_redis_";

  private static final Path DEPLOY = Sources.root().resolve("deploy");

  /** Time that the server has beyond its drain: peers may linger for 2 s, and Java has to end. */
  private static final int RESERVE_SECONDS = 3;

  /** What {@code DescriptorLimit} keeps. */
  private static final int HEAD_ROOM = 128;

  @ParameterizedTest
  @ValueSource(strings = {"chat.service", "chat@.service"})
  void theUnitsSuitTheServer(String name) throws Exception {
    String unit = Files.readString(DEPLOY.resolve(name));
    ServerConfig defaults = ServerConfig.defaults();
    assertThat(number(unit, "TimeoutStopSec=(\\d+)"))
        .isGreaterThanOrEqualTo(defaults.drain().toSeconds() + RESERVE_SECONDS);
    assertThat(number(unit, "LimitNOFILE=(\\d+)"))
        .isGreaterThanOrEqualTo(defaults.maxConnections() + HEAD_ROOM);
    assertThat(words(unit, "(?m)^ExecStart=/usr/bin/java (.*) \\$JAVA_OPTS -jar "))
        .isEqualTo(launcherOptions());
    assertThat(allocator(unit)).isNotEmpty().isEqualTo(allocator(launcher()));
  }

  /** What one of them has for itself it has from its name, or from a file of its own. */
  @Test
  void serversOfOneRoomDoNotShareAPort() throws Exception {
    String unit = Files.readString(DEPLOY.resolve("chat@.service"));
    assertThat(unit).containsPattern("(?m)^ExecStart=.* --port %i$");
    assertThat(matches(unit, "(?m)^EnvironmentFile=-?(.*)$"))
        .containsExactly("/etc/simple-chat/room-%i.env", "/etc/simple-chat/room.env");
    assertThat(unit.indexOf("room-%i.env"))
        .isGreaterThan(unit.indexOf("=/etc/simple-chat/room.env"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"chat.service", "chat@.service"})
  void systemdFindsNothingWrongWithTheUnits(String name) throws Exception {
    assumeTrue(
        Files.isExecutable(Path.of("/usr/bin/systemd-analyze"))
            && Files.isExecutable(Path.of("/usr/bin/java")),
        "no systemd-analyze or /usr/bin/java here");
    Process verify =
        new ProcessBuilder("systemd-analyze", "verify", DEPLOY.resolve(name).toString())
            .redirectErrorStream(true)
            .start();
    String said = new String(verify.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(verify.waitFor()).as(said).isZero();
    assertThat(said).doesNotContain("/deploy/chat");
  }

  @Test
  void theContainerRunsAsNobodyWithTheOptionsOfTheLauncher() throws Exception {
    String file = Files.readString(DEPLOY.resolve("Containerfile"));
    assertThat(number(file, "(?m)^USER (\\d+):\\d+$")).isPositive();
    assertThat(file).contains("\nSTOPSIGNAL SIGTERM\n");
    assertThat(words(file, "\"exec java (.*) \\$JAVA_OPTS -jar ")).isEqualTo(launcherOptions());
    assertThat(allocator(file)).isEqualTo(allocator(launcher()));
  }

  /** The very command of the container file, and the figures that the alarms are about. */
  @Test
  void theHealthCheckAndTheAlarmsKnowTheStatus() throws Exception {
    assumeTrue(Files.isExecutable(Path.of("/bin/bash")), "no bash here");
    String health =
        first(
                Files.readString(DEPLOY.resolve("Containerfile")),
                "CMD \\[\"bash\", \"-c\", \"(.*)\"\\]")
            .replace("\\\\", "\\");
    try (ServerProcess server = ServerProcess.start("--port", "0", "--metrics-port", "0")) {
      URI status = server.status();
      assertThat(run(health, status.getPort())).as("of a server that lives").isZero();
      HttpResponse<String> metrics =
          HttpClient.newHttpClient()
              .send(
                  HttpRequest.newBuilder(status.resolve("/metrics")).build(),
                  HttpResponse.BodyHandlers.ofString());
      String alerts = Files.readString(DEPLOY.resolve("alerts.yml"));
      String operating = Files.readString(Sources.root().resolve("docs/OPERATING.md"));
      for (String text : List.of(alerts, operating)) {
        Set<String> figures = figures(text);
        assertThat(figures).hasSizeGreaterThanOrEqualTo(8);
        // RedisAccessTest looks for the others.
        figures.removeIf(figure -> figure.startsWith(OF_REDIS));
        assertThat(figures).allMatch(figure -> metrics.body().contains("\n" + figure));
      }
      String codes = first(alerts, "reason=~\"([a-z_|]+join_timeout)\"");
      assertThat(Pattern.compile("\\|").splitAsStream(codes))
          .hasSizeGreaterThan(2)
          .allMatch(code -> metrics.body().contains("closed_total{reason=\"" + code + "\"}"));
      server.signal("TERM");
      assertThat(server.exit()).isZero();
      await().until(() -> run(health, status.getPort()) != 0);
    }
  }

  @Test
  void everyAlarmIsInTheBook() throws Exception {
    Set<String> alarms = matches(Files.readString(DEPLOY.resolve("alerts.yml")), "- alert: (\\w+)");
    assertThat(alarms).hasSizeGreaterThanOrEqualTo(8);
    String book = Files.readString(Sources.root().resolve("docs/OPERATING.md"));
    assertThat(alarms).allMatch(book::contains);
  }

  private static int run(String command, int port) throws IOException, InterruptedException {
    ProcessBuilder builder = new ProcessBuilder("bash", "-c", command);
    builder.environment().put("CHAT_METRICS_PORT", Integer.toString(port));
    Process process =
        builder.redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.DISCARD).start();
    assertThat(process.waitFor(10, TimeUnit.SECONDS)).isTrue();
    return process.exitValue();
  }

  private static Set<String> launcherOptions() throws IOException {
    return words(launcher(), "server\\) set -- ((?:.|\n)*?) \\$\\{JAVA_OPTS");
  }

  /** What is set for the C library, in a shell as what holds if nobody has set it. */
  private static Set<String> allocator(String text) {
    return matches(text.replace(":-", "="), "\\b(MALLOC_[A-Z_]+=\\d+)");
  }

  private static String launcher() throws IOException {
    return Files.readString(Sources.root().resolve("chat"));
  }

  static Set<String> figures(String text) {
    return matches(text, "\\b((?:chat|jvm)_[a-z_]+[a-z])");
  }

  private static Set<String> words(String text, String pattern) {
    return Set.of(first(text, pattern).replace("\\\n", " ").trim().split("\\s+"));
  }

  private static long number(String text, String pattern) {
    return Long.parseLong(first(text, pattern));
  }

  private static String first(String text, String pattern) {
    return Pattern.compile(pattern)
        .matcher(text)
        .results()
        .findFirst()
        .orElseThrow(() -> new AssertionError("no " + pattern))
        .group(1);
  }

  private static Set<String> matches(String text, String pattern) {
    return Pattern.compile(pattern)
        .matcher(text)
        .results()
        .map((MatchResult found) -> found.group(1))
        .collect(Collectors.toCollection(TreeSet::new));
  }
}
