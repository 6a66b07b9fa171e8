package simplechat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import simplechat.support.Load;

/**
 * M3: the hook judges what is committed, and nothing else, by real commits to a repository with the
 * files of this one.
 *
 * <p>Maven refuses in these tests, so it is through with one module at most; that it accepts takes
 * a whole build and is seen at full size. Which files it is asked about is seen with a program in
 * its place.
 */
class PreCommitTest {
  private static final String MAIN = "protocol/src/main/java/simplechat/protocol/Extra.java";
  private static final String TEST = "protocol/src/test/java/simplechat/protocol/ExtraTest.java";
  private static final String GOOD =
      "package simplechat.protocol;\n\n/** One more. */\ninterface Extra {}\n";
  private static final String BROKEN_SCRIPT = "#!/bin/sh\nif true; then\n";

  @TempDir private Path dir;
  private Path repository;
  private Path bin;

  private record Ended(int status, String output) {}

  @BeforeEach
  void commitAllThereIs() throws Exception {
    assumeTrue(Files.exists(Sources.root().resolve(".git")), "not a checkout: no git");
    repository = Files.createDirectories(dir.resolve("a repository"));
    bin = Files.createDirectories(dir.resolve("bin"));
    for (Path file : Sources.all()) {
      Path copy = repository.resolve(Sources.root().relativize(file).toString());
      Files.createDirectories(copy.getParent());
      Files.copy(file, copy, StandardCopyOption.COPY_ATTRIBUTES);
    }
    git("init", "--quiet");
    git("config", "user.name", "Ann");
    git("config", "user.email", "ann@example.org");
    git("add", "--all");
    git("commit", "--quiet", "--message", "All");
    git("config", "core.hooksPath", ".githooks");
  }

  @Test
  void whatIsNotFormattedIsRefused() throws Exception {
    // The formatter of newer JDKs is another, and not there offline if the build had no use for it.
    assumeTrue(Runtime.version().feature() < 25 || Load.isFull());
    stage(MAIN, GOOD.replace("{}", "{ }"));
    assertThat(refused(Map.of())).contains("format violations", "Extra.java", "spotless:apply");
  }

  @Test
  void whatDoesNotCompileIsRefused() throws Exception {
    stage(MAIN, GOOD.replace("{}", "extends Missing {}"));
    assertThat(refusedByTheCompiler()).contains("Extra.java", "cannot find symbol");
  }

  /** One of the compiler's, of Error Prone's, and of NullAway's. */
  @ParameterizedTest
  @CsvSource({
    "java.util.List LIST = java.util.List.of();, found raw type",
    "boolean SAME = Integer.valueOf(1000) == Integer.valueOf(1000);, [BoxedPrimitiveEquality]",
    "Object NOTHING = null;, [NullAway]"
  })
  void aWarningIsRefused(String field, String warning) throws Exception {
    stage(MAIN, GOOD.replace("{}", "{\n  " + field + "\n}"));
    assertThat(refusedByTheCompiler()).contains("Extra.java", warning);
  }

  @Test
  void aFastTestThatFailsIsRefused() throws Exception {
    stage(
        TEST,
        """
        package simplechat.protocol;

        import static org.junit.jupiter.api.Assertions.fail;

        import org.junit.jupiter.api.Test;

        class ExtraTest {
          @Test
          void fails() {
            fail("as it should");
          }
        }
        """);
    assertThat(refusedByTheCompiler()).contains("ExtraTest.fails", "as it should");
  }

  /** A good file is staged; what lies about beside it is broken in each way. */
  @Test
  void whatIsNotStagedIsNotJudged() throws Exception {
    assumeTrue(Load.isFull(), "a whole build");
    stage(MAIN, GOOD);
    write(MAIN, "broken");
    write("client/src/main/java/simplechat/cli/Draft.java", "broken");
    write("chat", BROKEN_SCRIPT);
    Ended commit = commit(Map.of());
    assertThat(commit.status()).as(commit.output()).isZero();
    assertThat(git("show", "HEAD:" + MAIN).output()).isEqualTo(GOOD);
    assertThat(Files.readString(repository.resolve(MAIN))).isEqualTo("broken");
  }

  /** And what is staged is, though it has been mended since. */
  @Test
  void whatIsMendedButNotStagedIsRefused() throws Exception {
    stage(MAIN, "broken");
    write(MAIN, GOOD);
    assertThat(refusedByTheCompiler()).contains("Extra.java");
  }

  @Test
  void aBrokenScriptIsRefusedAlsoBeforeOneThatIsGood() throws Exception {
    stage("scripts/a.sh", BROKEN_SCRIPT);
    stage("scripts/b.sh", "#!/usr/bin/env bash\necho good\n");
    assertThat(refused(Map.of())).contains("a.sh");
    stage("scripts/a.sh", "#!/bin/sh\necho good\n");
    stage("scripts/b.sh", "#!/usr/bin/env bash\ncase x in\n");
    assertThat(refused(Map.of())).contains("b.sh");
    stage("scripts/b.sh", "#!/usr/bin/env bash\n[[ -n x ]] && echo good\n");
    write("scripts/b.sh", BROKEN_SCRIPT);
    assertThat(commit(Map.of()).status()).isZero();
  }

  /** Each by what it would be built or tested with; a rename takes a source away, too. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "PROTOCOL.md",
        "docs/JSON.md",
        "pom.xml",
        ".mvn/jvm.config",
        "client/src/test/resources/größe.txt",
        "client/src/main/java/simplechat/cli/Größe.java"
      })
  void whatIsBuiltIsJudged(String file) throws Exception {
    stage(file, "anything");
    assertThat(asksMaven()).isTrue();
    git("mv", file, "taken-away");
    assertThat(asksMaven()).isTrue();
  }

  @Test
  void aDocumentThatIsNotExecutedCostsNoBuild() throws Exception {
    stage("docs/NEW.md", "# New\n");
    assertThat(asksMaven()).isFalse();
  }

  /** True if Maven was asked; the commit is what it says. */
  private boolean asksMaven() throws IOException, InterruptedException {
    Path asked = dir.resolve("asked");
    Files.deleteIfExists(asked);
    program("mvn", "pwd >'%s'; exit 1".formatted(asked));
    Ended refused = commit(Map.of("PATH", bin + ":" + System.getenv("PATH")));
    if (!Files.exists(asked)) {
      assertThat(refused.status()).as(refused.output()).isZero();
      return false;
    }
    assertThat(refused.status()).as(refused.output()).isNotZero();
    assertThat(Files.readString(asked).strip()).endsWith(".git/pre-commit");
    program("mvn", "exit 0");
    Ended accepted = commit(Map.of("PATH", bin + ":" + System.getenv("PATH")));
    assertThat(accepted.status()).as(accepted.output()).isZero();
    return true;
  }

  private String refusedByTheCompiler() throws IOException, InterruptedException {
    return refused(Map.of("MAVEN_OPTS", "-Dspotless.check.skip=true"));
  }

  private String refused(Map<String, String> environment) throws IOException, InterruptedException {
    String before = git("rev-parse", "HEAD").output();
    Ended commit = commit(environment);
    assertThat(commit.status()).as(commit.output()).isNotZero();
    assertThat(commit.output()).contains("pre-commit: refused, see above");
    assertThat(git("rev-parse", "HEAD").output()).isEqualTo(before);
    return commit.output();
  }

  private void stage(String file, String text) throws IOException, InterruptedException {
    write(file, text);
    git("add", file);
  }

  private void write(String file, String text) throws IOException {
    Path path = repository.resolve(file);
    Files.createDirectories(path.getParent());
    Files.writeString(path, text);
  }

  private void program(String name, String line) throws IOException {
    Path file = bin.resolve(name);
    Files.writeString(file, "#!/bin/sh\n" + line + "\n");
    assertThat(file.toFile().setExecutable(true)).isTrue();
  }

  private Ended commit(Map<String, String> environment) throws IOException, InterruptedException {
    return run(environment, "commit", "--message", "What is staged");
  }

  private Ended git(String... arguments) throws IOException, InterruptedException {
    Ended ended = run(Map.of(), arguments);
    assertThat(ended.status()).as(ended.output()).isZero();
    return ended;
  }

  private Ended run(Map<String, String> environment, String... arguments)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of("git"));
    command.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().keySet().removeIf(name -> name.startsWith("GIT_"));
    builder.environment().put("GIT_CONFIG_GLOBAL", "/dev/null");
    builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
    builder.environment().putAll(environment);
    Path output = dir.resolve("output");
    Process process =
        builder
            .directory(repository.toFile())
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    assertThat(process.waitFor(5, TimeUnit.MINUTES)).as("it ends").isTrue();
    return new Ended(process.exitValue(), Files.readString(output, StandardCharsets.UTF_8));
  }
}
