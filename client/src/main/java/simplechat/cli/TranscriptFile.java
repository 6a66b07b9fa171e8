package simplechat.cli;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Set;

/**
 * What happened in the room, in a file that only its owner may read; it is appended to, and whole
 * lines at a time.
 *
 * <p>Threading: that of the screen which it stands {@link #beside}.
 */
final class TranscriptFile implements AutoCloseable {
  private static final Set<PosixFilePermission> OWNER_ONLY =
      PosixFilePermissions.fromString("rw-------");

  /** The file cannot be written, with a reason for people. */
  static final class UnusableException extends IOException {
    private static final long serialVersionUID = 1;

    UnusableException(Path path, IOException cause) {
      super("cannot write the log " + path + ": " + reason(cause), cause);
    }

    private static String reason(IOException cause) {
      // Of a file that is made if it is not there.
      return cause instanceof NoSuchFileException
          ? "no such directory"
          : UnreadableException.reason(cause);
    }
  }

  private final Path path;
  private final OutputStream out;
  private boolean broken;

  private TranscriptFile(Path path, OutputStream out) {
    this.path = path;
    this.out = out;
  }

  static TranscriptFile open(Path path) throws UnusableException {
    boolean posix = FileSystems.getDefault().supportedFileAttributeViews().contains("posix");
    FileAttribute<?>[] attributes =
        posix
            ? new FileAttribute<?>[] {PosixFilePermissions.asFileAttribute(OWNER_ONLY)}
            : new FileAttribute<?>[0];
    Set<StandardOpenOption> options = Set.of(StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    try {
      FileChannel file = FileChannel.open(path, options, attributes);
      if (posix && Files.isRegularFile(path)) {
        // It may have been there before, and everybody's.
        Files.setPosixFilePermissions(path, OWNER_ONLY);
      }
      return new TranscriptFile(path, Channels.newOutputStream(file));
    } catch (IOException e) {
      throw new UnusableException(path, e);
    }
  }

  /** A screen that shows what this one shows, and whose logged lines go to the file. */
  Screen beside(Screen screen) {
    return new Screen() {
      @Override
      public void show(List<Item> items) throws IOException {
        try {
          write(items);
        } catch (IOException e) {
          broken = true;
          String why = new UnusableException(path, e).getMessage();
          screen.show(List.of(new Item(Line.of(String.valueOf(why)), Kind.COMPLAINT)));
        }
        screen.show(items.stream().filter(item -> item.kind() != Kind.LOG).toList());
      }

      @Override
      public long progress() {
        return screen.progress();
      }

      @Override
      public void prompt(String prompt) {
        screen.prompt(prompt);
      }

      @Override
      public void ring() {
        screen.ring();
      }
    };
  }

  @Override
  public void close() {
    try {
      out.close();
    } catch (IOException e) {
      // Nothing is held back that a close could lose.
    }
  }

  private void write(List<Screen.Item> items) throws IOException {
    StringBuilder text = new StringBuilder();
    for (Screen.Item item : items) {
      if (item.kind() == Screen.Kind.LOG) {
        text.append(item.line().plain()).append('\n');
      }
    }
    if (text.length() > 0 && !broken) {
      out.write(text.toString().getBytes(StandardCharsets.UTF_8));
    }
  }
}
