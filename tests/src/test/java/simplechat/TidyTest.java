package simplechat;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.source.tree.CompilationUnitTree;
import com.sun.source.tree.LineMap;
import com.sun.source.tree.MethodTree;
import com.sun.source.util.JavacTask;
import com.sun.source.util.SourcePositions;
import com.sun.source.util.TreeScanner;
import com.sun.source.util.Trees;
import java.io.IOException;
import java.nio.charset.MalformedInputException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import javax.tools.JavaCompiler;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;

/** Rules for the files of this repository that no compiler and no formatter knows. */
class TidyTest {
  private static final int FILE_LINES = 400;

  private static final int METHOD_LINES = 60;
  private static final int COLUMNS = 100;

  /** Words that are not used here, and what is. They are written in halves for this file's sake. */
  private static final Map<String, String> WORDS =
      Map.of(
          "pay" + "load", "text, or body",
          "black" + "list", "refused ones",
          "white" + "list", "allowed ones",
          "util" + "ize", "use",
          "lever" + "age", "use",
          "obvious" + "ly", "nothing",
          "seam" + "less", "what it does");

  private static final Pattern PRIVATE =
      Pattern.compile(
          "(?<![\\w.])/(wo"
              + "rk|ro"
              + "ot|ho"
              + "me/\\w+|Us"
              + "ers/\\w+)/"
              + "|repo1?\\.ma"
              + "ven|npm"
              + "js\\.|py"
              + "pi\\.org|arti"
              + "factory|jit"
              + "pack");

  @Test
  void filesAndMethodsAreShort() throws IOException {
    JavaCompiler javac = ToolProvider.getSystemJavaCompiler();
    List<Path> sources = Sources.main();
    assertThat(sources).hasSizeGreaterThanOrEqualTo(30);
    var files = javac.getStandardFileManager(null, null, null).getJavaFileObjectsFromPaths(sources);
    JavacTask task = (JavacTask) javac.getTask(null, null, null, null, null, files);
    SourcePositions positions = Trees.instance(task).getSourcePositions();
    List<String> long_ = new ArrayList<>();
    for (CompilationUnitTree unit : task.parse()) {
      LineMap lines = unit.getLineMap();
      String file = unit.getSourceFile().getName();
      if (lines.getLineNumber(positions.getEndPosition(unit, unit)) > FILE_LINES) {
        long_.add(file);
      }
      new TreeScanner<Void, Void>() {
        @Override
        public Void visitMethod(MethodTree method, Void unused) {
          long first = lines.getLineNumber(positions.getStartPosition(unit, method));
          long last = lines.getLineNumber(Math.max(0, positions.getEndPosition(unit, method)));
          if (last - first >= METHOD_LINES) {
            long_.add(file + ":" + first);
          }
          return super.visitMethod(method, null);
        }
      }.scan(unit, null);
    }
    assertThat(long_).isEmpty();
  }

  @Test
  void linesOfJavaFitOnAScreen() throws IOException {
    for (Path file : Sources.endingIn(".java")) {
      assertThat(Files.readAllLines(file))
          .as(file.toString())
          .allMatch(line -> line.codePointCount(0, line.length()) <= COLUMNS || isLink(line));
    }
  }

  @Test
  void noFileNamesAMachineOrUsesAWordThatIsNotOurs() throws IOException {
    Pattern words = Pattern.compile("(?i)\\b(" + String.join("|", WORDS.keySet()) + ")");
    List<String> found = new ArrayList<>();
    List<Path> files = Sources.all();
    assertThat(files).hasSizeGreaterThanOrEqualTo(50);
    for (Path file : files) {
      try {
        String text = Files.readString(file);
        for (Pattern pattern : List.of(words, PRIVATE)) {
          pattern.matcher(text).results().forEach(hit -> found.add(file + ": " + hit.group()));
        }
      } catch (MalformedInputException e) {
        found.removeIf(hit -> hit.startsWith(file + ":")); // not a text
      }
    }
    assertThat(found).as("use instead: %s", WORDS).isEmpty();
  }

  /** What is built tomorrow is what was built today; advisories are looked up by the workflow. */
  @Test
  void everyVersionIsPinned() throws IOException {
    Pattern version = Pattern.compile("<(?:[\\w.-]+\\.)?version>([^<]*)<");
    List<Path> poms = Sources.endingIn("pom.xml");
    assertThat(poms).hasSizeGreaterThanOrEqualTo(5);
    for (Path pom : poms) {
      assertThat(version.matcher(Files.readString(pom)).results().map(found -> found.group(1)))
          .as(pom.toString())
          .allMatch(found -> found.matches("\\d[\\w.-]*|\\$\\{[\\w.]+}"));
    }
    Pattern action = Pattern.compile("uses: (\\S+)");
    List<Path> workflows =
        Sources.endingIn(".yml").stream()
            .filter(file -> file.toString().contains("/.git"))
            .toList();
    assertThat(workflows).isNotEmpty();
    for (Path workflow : workflows) {
      assertThat(action.matcher(Files.readString(workflow)).results().map(found -> found.group(1)))
          .as(workflow.toString())
          .isNotEmpty()
          .allMatch(found -> found.matches("[\\w./-]+@[0-9a-f]{40}"));
    }
  }

  private static boolean isLink(String line) {
    return line.contains("https://");
  }
}
