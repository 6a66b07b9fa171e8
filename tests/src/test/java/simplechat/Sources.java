package simplechat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** The files of this repository, without what is built from them. */
final class Sources {
  private static final Set<String> NOT_OURS = Set.of(".git", "target", ".idea", ".vscode");

  private Sources() {}

  /** The root of the repository: told by the build, or found upwards from here. */
  static Path root() {
    Path at = Path.of(System.getProperty("chat.root", "")).toAbsolutePath();
    while (!Files.isDirectory(at.resolve("protocol/src")) && at.getParent() != null) {
      at = at.getParent();
    }
    return at;
  }

  /** All of them. */
  static List<Path> all() {
    List<Path> found = new ArrayList<>();
    try {
      Files.walkFileTree(
          root(),
          new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path directory, BasicFileAttributes unused) {
              return NOT_OURS.contains(String.valueOf(directory.getFileName()))
                  ? FileVisitResult.SKIP_SUBTREE
                  : FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes unused) {
              // Of a second work tree .git is a file; a JVM that is asked something leaves the
              // other.
              String name = file.getFileName().toString();
              if (!NOT_OURS.contains(name) && !name.startsWith(".attach_pid")) {
                found.add(file);
              }
              return FileVisitResult.CONTINUE;
            }
          });
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return found;
  }

  /** Those whose names end so. */
  static List<Path> endingIn(String suffix) {
    return all().stream().filter(file -> file.toString().endsWith(suffix)).toList();
  }

  /** The Java files that are shipped. */
  static List<Path> main() {
    return endingIn(".java").stream()
        .filter(file -> file.toString().contains("/src/main/java/"))
        .toList();
  }
}
