package simplechat.support;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Locale;

/**
 * The figures that the tests of what the server promises have found: a line for each, on stdout and
 * in {@code target/trust.txt}, from which {@code scripts/trust.sh} makes the table of
 * docs/TRUST.md.
 *
 * <p>Threading: any thread.
 */
public final class Figures {
  private static final Path FILE = Path.of(System.getProperty("chat.root"), "target", "trust.txt");

  private Figures() {}

  /**
   * @param scenario its number, as {@code C15}
   * @param figure what was found
   * @param bound what had to be found
   */
  public static void tell(String scenario, String figure, String bound) {
    write("%s | %s | %s | %s | %s".formatted(scenario, figure, bound, test(), load()));
  }

  /** The same for a test that drew from a seed. */
  public static void tell(String scenario, String figure, String bound, long seed) {
    write(
        "%s | %s | %s | %s | %s, seed %d".formatted(scenario, figure, bound, test(), load(), seed));
  }

  /** Milliseconds of so many nanoseconds, with one digit behind the point. */
  public static String millis(long nanos) {
    return String.format(Locale.ROOT, "%.1f ms", nanos / 1e6);
  }

  /** The same in MiB. */
  public static String mebibytes(long bytes) {
    return String.format(Locale.ROOT, "%.1f MiB", bytes / (1024.0 * 1024.0));
  }

  /** The method that JUnit has called, as far down the stack as there is a test. */
  private static String test() {
    return StackWalker.getInstance()
        .walk(
            frames ->
                frames
                    .filter(frame -> frame.getClassName().endsWith("Test"))
                    .reduce((inner, outer) -> outer)
                    .map(
                        frame ->
                            frame.getClassName().replaceFirst(".*[.]", "")
                                + "."
                                + frame.getMethodName())
                    .orElse("?"));
  }

  private static String load() {
    return Load.isFull() ? "full" : "quick";
  }

  private static synchronized void write(String line) {
    System.out.println(line);
    try {
      Files.createDirectories(FILE.getParent());
      Files.writeString(
          FILE,
          line + "\n",
          StandardCharsets.UTF_8,
          StandardOpenOption.CREATE,
          StandardOpenOption.APPEND);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
