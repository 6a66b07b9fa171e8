package simplechat.cli;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/** A file that an option names cannot be read; the message says which and why, in a line. */
final class UnreadableException extends IOException {
  private static final long serialVersionUID = 1;

  UnreadableException(Path file, IOException cause) {
    super("cannot read " + file + ": " + reason(cause), cause);
  }

  /** Of some failures the class says what happened, and all messages begin with the path again. */
  static String reason(IOException cause) {
    if (cause instanceof NoSuchFileException) {
      return "no such file";
    }
    if (cause instanceof AccessDeniedException) {
      return "permission denied";
    }
    return cause instanceof FileSystemException failure && failure.getReason() != null
        ? failure.getReason()
        : String.valueOf(cause.getMessage());
  }
}
