package simplechat.support;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;
import simplechat.server.TlsFiles;

/**
 * Certificates made for the tests, and the peers' side of TLS.
 *
 * <p>Servers that a thread starts between {@link #use} and {@link #unuse} speak TLS, and peers
 * connect to them so without being told; with {@code -Dchat.tls=true} all servers and peers do.
 */
public final class TestTls {
  private static final char[] PASSWORD = "changeit".toCharArray();
  private static final boolean ALWAYS = Boolean.getBoolean("chat.tls");
  private static final Set<Integer> PORTS = ConcurrentHashMap.newKeySet();
  private static final ThreadLocal<Boolean> WANTED = ThreadLocal.withInitial(() -> ALWAYS);

  private TestTls() {}

  /** For {@code localhost} and {@code 127.0.0.1}, by a key of its own, good for years. */
  public static TlsFiles good() {
    return Good.FILES;
  }

  private static final class Good {
    static final TlsFiles FILES = make("-ext", "SAN=dns:localhost,ip:127.0.0.1,ip:::1");
    static final SSLContext CONTEXT = context(FILES.certificates());
  }

  /** For a server program that is to speak TLS. */
  public static List<String> options() {
    TlsFiles files = good();
    return List.of("--tls-cert", "" + files.certificates(), "--tls-key", "" + files.key());
  }

  /** What {@code keytool} makes of these options, and of those that it needs. */
  public static TlsFiles make(String... options) {
    try {
      Path dir = Files.createTempDirectory("chat-tls");
      Path store = dir.resolve("store");
      List<String> command = new ArrayList<>();
      command.add(Path.of(System.getProperty("java.home"), "bin", "keytool").toString());
      command.addAll(List.of("-J-XX:TieredStopAtLevel=1", "-genkeypair", "-alias", "it"));
      command.addAll(List.of("-keyalg", "EC", "-dname", "CN=chat", "-validity", "3650"));
      command.addAll(List.of("-keystore", store.toString(), "-storetype", "PKCS12"));
      command.addAll(List.of("-storepass", new String(PASSWORD)));
      command.addAll(List.of(options));
      Process keytool = new ProcessBuilder(command).redirectErrorStream(true).start();
      String said = new String(keytool.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      assertThat(keytool.waitFor()).as(said).isZero();
      KeyStore made = KeyStore.getInstance(store.toFile(), PASSWORD);
      TlsFiles files = new TlsFiles(dir.resolve("cert.pem"), dir.resolve("key.pem"));
      pem(files.certificates(), "CERTIFICATE", made.getCertificate("it").getEncoded());
      pem(files.key(), "PRIVATE KEY", made.getKey("it", PASSWORD).getEncoded());
      Files.delete(store);
      // Deleted in the reverse order.
      for (Path file : List.of(dir, files.certificates(), files.key())) {
        file.toFile().deleteOnExit();
      }
      return files;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (GeneralSecurityException | InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  /** What this thread starts from now on speaks TLS. */
  public static void use() {
    WANTED.set(true);
  }

  public static void unuse() {
    WANTED.set(ALWAYS);
  }

  static boolean isWanted() {
    return WANTED.get();
  }

  /** Who connects there speaks TLS. */
  public static void serve(int port) {
    PORTS.add(port);
  }

  /** They do not any more. */
  public static void close(int port) {
    PORTS.remove(port);
  }

  /** The same socket, or one that speaks TLS over it if that is what the port expects. */
  static Socket over(Socket tcp) throws IOException {
    boolean speaks = PORTS.contains(((InetSocketAddress) tcp.getRemoteSocketAddress()).getPort());
    return speaks ? handshake(tcp) : tcp;
  }

  /** Speaks TLS over a connection. */
  public static SSLSocket handshake(Socket tcp, String... protocols) throws IOException {
    SSLSocket socket =
        (SSLSocket)
            Good.CONTEXT.getSocketFactory().createSocket(tcp, "localhost", tcp.getPort(), true);
    if (protocols.length > 0) {
      socket.setEnabledProtocols(protocols);
    }
    socket.startHandshake();
    return socket;
  }

  private static SSLContext context(Path certificates) {
    try (InputStream in = Files.newInputStream(certificates)) {
      KeyStore trusted = KeyStore.getInstance(KeyStore.getDefaultType());
      trusted.load(null, null);
      trusted.setCertificateEntry(
          "it", java.security.cert.CertificateFactory.getInstance("X.509").generateCertificate(in));
      TrustManagerFactory trust =
          TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
      trust.init(trusted);
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(null, trust.getTrustManagers(), null);
      return context;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (GeneralSecurityException e) {
      throw new AssertionError(e);
    }
  }

  private static void pem(Path file, String what, byte[] der) throws IOException {
    String body = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der);
    Files.writeString(
        file, "-----BEGIN " + what + "-----\n" + body + "\n-----END " + what + "-----\n");
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
  }
}
