package simplechat.server;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import simplechat.protocol.RoomKey;

/** Files of which only their owner should know what is in them. Reading waits for the disk. */
final class SecretFile {
  private static final Logger LOG = LoggerFactory.getLogger(SecretFile.class);
  private static final int MAX_BYTES = 1024 * 1024;

  private SecretFile() {}

  /**
   * The room's key.
   *
   * @param variable stands in for a file that is not given; an empty one is none
   * @throws IllegalArgumentException if it cannot be a key
   * @throws IOException if the file cannot be read, with its name and why in the message
   */
  static @Nullable RoomKey key(@Nullable Path file, @Nullable String variable) throws IOException {
    if (file != null) {
      RoomKey key = RoomKey.ofFile(read(file));
      warnIfOpen(file);
      return key;
    }
    return variable == null || variable.isEmpty()
        ? null
        : new RoomKey(variable.getBytes(StandardCharsets.UTF_8));
  }

  /**
   * All of a file.
   *
   * @throws IOException with its name and why in the message
   */
  static byte[] read(Path file) throws IOException {
    try {
      if (Files.size(file) > MAX_BYTES) {
        throw new IOException("longer than " + MAX_BYTES + " bytes");
      }
      return Files.readAllBytes(file);
    } catch (NoSuchFileException e) {
      throw unreadable(file, "no such file", e);
    } catch (AccessDeniedException e) {
      throw unreadable(file, "permission denied", e);
    } catch (IOException e) {
      throw unreadable(file, String.valueOf(e.getMessage()), e);
    }
  }

  /** Once, when it is first read. */
  static void warnIfOpen(Path file) {
    try {
      if (Files.getPosixFilePermissions(file).contains(PosixFilePermission.OTHERS_READ)) {
        LOG.warn("{} can be read by everybody on this machine: chmod 600 closes it", file);
      }
    } catch (IOException | UnsupportedOperationException e) {
      // A file system without such permissions.
    }
  }

  private static IOException unreadable(Path file, String why, IOException cause) {
    return new IOException("cannot read " + file + ": " + why, cause);
  }
}
