package simplechat.bench;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.TrustManagerFactory;
import org.jspecify.annotations.Nullable;

/**
 * How the members speak TLS, and the memory in which they do so in turn.
 *
 * <p>Threading: the crowd's.
 */
final class Tls {
  private static final int CAME_BYTES = 64 * 1024;
  private static final int RECORD_BYTES = 20 * 1024;

  private final SSLContext context;
  private final InetSocketAddress server;
  private final ByteBuffer came = ByteBuffer.allocateDirect(CAME_BYTES);
  private final ByteBuffer record = ByteBuffer.allocateDirect(RECORD_BYTES);

  private Tls(SSLContext context, InetSocketAddress server) {
    this.context = context;
    this.server = server;
  }

  /**
   * @param authorities PEM certificates that count, null for those that Java knows
   */
  static Tls of(@Nullable Path authorities, InetSocketAddress server) throws BenchException {
    try {
      TrustManagerFactory trust =
          TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
      trust.init(authorities == null ? null : store(authorities));
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(null, trust.getTrustManagers(), null);
      return new Tls(context, server);
    } catch (GeneralSecurityException | IOException e) {
      throw new BenchException("cannot use " + authorities + ": " + e.getMessage());
    }
  }

  private static KeyStore store(Path authorities) throws GeneralSecurityException, IOException {
    KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
    store.load(null, null);
    try (InputStream in = Files.newInputStream(authorities)) {
      for (Certificate one : CertificateFactory.getInstance("X.509").generateCertificates(in)) {
        store.setCertificateEntry("ca" + store.size(), one);
      }
    }
    return store;
  }

  TlsPipe over(SocketChannel socket) {
    SSLEngine engine = context.createSSLEngine(server.getHostString(), server.getPort());
    engine.setUseClientMode(true);
    SSLParameters parameters = engine.getSSLParameters();
    parameters.setEndpointIdentificationAlgorithm("HTTPS");
    engine.setSSLParameters(parameters);
    return new TlsPipe(socket, engine, this);
  }

  /** For what one read of a socket brings, behind the rest of the one before. */
  ByteBuffer came() {
    return came;
  }

  /** For one record on its way out. */
  ByteBuffer record() {
    return record;
  }
}
