package simplechat;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import simplechat.support.ServerProcess;

/** The class-data archive that makes a start quick, and that no start depends on. */
class StartUpIT {
  private static final Path ROOT = Sources.root();
  private static final Path CLIENT = ROOT.resolve("client/target/chat-client.jar");

  @TempDir private Path dir;

  /** JDK 17 stores classes of picocli's old format, later ones do not. */
  @Test
  void aStartReadsNextToNothingFromTheJar() throws Exception {
    Path archive = dir.resolve("client.jsa");
    Path home = Path.of(System.getProperty("java.home"));
    String script = ROOT.resolve("scripts/archive.sh").toString();
    run("sh", script, "" + home, "client", "" + CLIENT, "" + archive);
    Path loaded = dir.resolve("loaded");
    talk(archive, "-Xlog:class+load:file=" + loaded);
    List<String> classes = Files.readAllLines(loaded);
    assertThat(classes.stream().filter(line -> line.contains("shared objects file")))
        .hasSizeGreaterThan(1_000);
    assertThat(
            classes.stream()
                .filter(line -> line.contains("chat-client.jar"))
                .filter(line -> !line.contains(" picocli.") || Runtime.version().feature() < 18))
        .as("classes that are not in the archive")
        .hasSizeLessThan(20);
  }

  @Test
  void anArchiveThatDoesNotFitDoesNoHarm() throws IOException {
    Path garbage = dir.resolve("garbage.jsa");
    Files.writeString(garbage, "not an archive at all");
    talk(garbage);
    talk(dir.resolve("missing.jsa"));
  }

  @Test
  void theLauncherMakesAnArchiveWhereThereIsNone() throws Exception {
    run(ROOT.resolve("chat").toString(), "client", "--version");
    try (Stream<Path> archives = Files.list(ROOT.resolve("target/cds"))) {
      assertThat(archives.filter(file -> file.getFileName().toString().startsWith("client-")))
          .anyMatch(file -> file.toFile().lastModified() >= CLIENT.toFile().lastModified());
    }
  }

  /** Says something with the options of the launcher, and has nothing to complain of. */
  private static void talk(Path archive, String... options) {
    try (ServerProcess server = ServerProcess.start("--port", "0")) {
      Stream<String> java =
          Stream.of(
              ServerProcess.java(),
              "-Xlog:disable",
              "-Xlog:all=error,cds*=off:stderr",
              "-Xshare:auto",
              "-XX:SharedArchiveFile=" + archive);
      Stream<String> program =
          Stream.of(
              "-XX:TieredStopAtLevel=1",
              "-XX:+UseSerialGC",
              "-jar",
              "" + CLIENT,
              "--port",
              "" + server.address().getPort(),
              "-u",
              "ann");
      List<String> command =
          Stream.of(java, Stream.of(options), program).flatMap(part -> part).toList();
      try (ServerProcess client = ServerProcess.run(Map.of(), command)) {
        client.type("send hello");
        client.endOfInput();
        assertThat(client.exit()).as("%s", client.err()).isZero();
        assertThat(client.err()).isEmpty();
        assertThat(client.out())
            .containsExactly("* welcome, ann: nobody else is here yet", "left the chat");
      }
    }
  }

  private void run(String... command) throws Exception {
    Path output = dir.resolve("output");
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
    Process process = builder.redirectOutput(output.toFile()).start();
    assertThat(process.waitFor(2, TimeUnit.MINUTES)).as("%s ends", List.of(command)).isTrue();
    assertThat(process.exitValue()).as(Files.readString(output)).isZero();
  }
}
