package simplechat.cli;

import static simplechat.cli.Program.wrong;

import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;
import simplechat.client.Trust;
import simplechat.protocol.Limits;
import simplechat.protocol.RoomKey;

/** What one shows at the door; options go before variables. */
final class AdmissionOptions {
  private static final Pattern LITERAL = Pattern.compile("[0-9.]+|.*:.*");

  @Option(
      names = "--tls",
      description = "speak TLS, to a server whose certificate is for this host and from a known CA")
  private boolean tls;

  @Option(
      names = "--tls-ca",
      paramLabel = "FILE",
      description = "speak TLS; PEM certificates of the CAs that count instead of those Java knows")
  private @Nullable Path tlsCa;

  @Option(
      names = "--key-file",
      paramLabel = "FILE",
      description = "holds the room's key; CHAT_KEY can be the key itself")
  private @Nullable Path keyFile;

  @Option(
      names = "--insecure",
      description = "send the key although the network can read it on the way")
  private boolean insecure;

  /**
   * @param host to which the key would be sent
   * @throws UnreadableException if there is a file that cannot be read
   */
  Admission admission(String host) throws UnreadableException {
    RoomKey key = key();
    Trust trust = trust();
    if (key != null && trust == null && !insecure && !isLoopback(host)) {
      throw wrong("the key would be readable on the way to " + host + ": use --tls");
    }
    return new Admission(trust, key, insecure);
  }

  /** Who names a CA has said that they want TLS. */
  private @Nullable Trust trust() throws UnreadableException {
    Path file = tlsCa;
    if (file == null && DoorOptions.isSet("CHAT_TLS_CA")) {
      file = Path.of(System.getenv("CHAT_TLS_CA"));
    }
    if (file == null) {
      return tls || DoorOptions.isTrue("CHAT_TLS") ? Trust.ofSystem() : null;
    }
    try {
      return Trust.of(file);
    } catch (IOException e) {
      throw new UnreadableException(file, e);
    }
  }

  private @Nullable RoomKey key() throws UnreadableException {
    Path file = keyFile;
    String where = "--key-file";
    if (file == null && DoorOptions.isSet("CHAT_KEY_FILE")) {
      where = "CHAT_KEY_FILE";
      file = Path.of(System.getenv(where));
    } else if (file == null) {
      where = "CHAT_KEY";
    }
    try {
      if (file != null) {
        RoomKey key = RoomKey.ofFile(read(file));
        warnIfOpen(file);
        return key;
      }
      return DoorOptions.isSet(where)
          ? new RoomKey(System.getenv(where).getBytes(StandardCharsets.UTF_8))
          : null;
    } catch (IllegalArgumentException e) {
      throw wrong(where + ": " + e.getMessage());
    }
  }

  /** No more than shows that it is too much, so nobody knows by how much. */
  private static byte[] read(Path file) throws UnreadableException {
    int most = Limits.KEY_MAX_BYTES + "\r\n".length();
    try (var in = Files.newInputStream(file)) {
      byte[] content = in.readNBytes(most + 1);
      if (content.length > most) {
        throw new IllegalArgumentException(
            "a room key has 1 to " + Limits.KEY_MAX_BYTES + " bytes, and " + file + " has more");
      }
      return content;
    } catch (IOException e) {
      throw new UnreadableException(file, e);
    }
  }

  private static void warnIfOpen(Path file) {
    try {
      if (Files.getPosixFilePermissions(file).contains(PosixFilePermission.OTHERS_READ)) {
        Program.complain(file + " can be read by everybody on this machine: chmod 600 closes it");
      }
    } catch (IOException | UnsupportedOperationException e) {
      // A file system without such permissions.
    }
  }

  /** Of names only the one that can mean nothing else; what others mean changes. */
  private static boolean isLoopback(String host) {
    if (!LITERAL.matcher(host).matches()) {
      return host.equalsIgnoreCase("localhost");
    }
    try {
      return InetAddress.getByName(host).isLoopbackAddress();
    } catch (UnknownHostException e) {
      return false;
    }
  }
}
