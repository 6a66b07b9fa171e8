package simplechat.client;

import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.socket.SocketChannel;
import io.netty.handler.ssl.NotSslRecordException;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslHandshakeTimeoutException;
import io.netty.handler.ssl.SslProvider;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.CertPathBuilderException;
import java.security.cert.CertPathValidatorException;
import java.security.cert.CertificateException;
import java.security.cert.CertificateExpiredException;
import java.security.cert.CertificateFactory;
import java.security.cert.CertificateNotYetValidException;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.stream.Stream;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/**
 * Whom a client that speaks TLS takes for its server: whoever has a certificate for the host's name
 * that leads to a CA, and has not expired.
 *
 * <p>Threading: any thread.
 */
public final class Trust {
  /** Of the end of a connection that is stuck; it is closed then without a word. */
  private static final long CLOSE_MILLIS = 200;

  private static final String UNKNOWN = "its certificate is not from a CA that is trusted here";

  /** Steps of a handshake may take long, and an event loop has no time. */
  private static final Executor STEPS =
      step -> {
        Thread thread = new Thread(step, "chat-tls");
        thread.setDaemon(true);
        thread.start();
      };

  /** The first that is among the causes of a failure decides. */
  private static final List<Map.Entry<Class<? extends Throwable>, String>> REASONS =
      List.of(
          Map.entry(NotSslRecordException.class, "the server does not speak TLS"),
          Map.entry(SslHandshakeTimeoutException.class, "no answer to the TLS handshake"),
          Map.entry(CertificateExpiredException.class, "its certificate has expired"),
          Map.entry(CertificateNotYetValidException.class, "its certificate is not valid yet"),
          Map.entry(CertPathBuilderException.class, UNKNOWN),
          Map.entry(CertPathValidatorException.class, UNKNOWN));

  private final X509Certificate @Nullable [] authorities;
  private volatile @Nullable SslContext context;

  private Trust(X509Certificate @Nullable [] authorities) {
    this.authorities = authorities;
  }

  /** Those that Java trusts, which are usually the system's. */
  public static Trust ofSystem() {
    return new Trust(null);
  }

  /**
   * Those in a PEM file alone, which is read now; a certificate that is its own CA is one too.
   *
   * @throws IOException if there are none in it, or it cannot be read
   */
  public static Trust of(Path authorities) throws IOException {
    try (InputStream in = Files.newInputStream(authorities)) {
      X509Certificate[] read =
          CertificateFactory.getInstance("X.509").generateCertificates(in).stream()
              .map(X509Certificate.class::cast)
              .toArray(X509Certificate[]::new);
      if (read.length > 0) {
        return new Trust(read);
      }
    } catch (CertificateException e) {
      throw new IOException("no certificate in it", e);
    }
    throw new IOException("no certificate in it");
  }

  /** Takes its time, so not on a loop; afterwards {@link #handler} is quick. */
  void prepare() throws SSLException {
    if (context == null) {
      SslContextBuilder builder =
          SslContextBuilder.forClient()
              .sslProvider(SslProvider.JDK)
              .protocols("TLSv1.3", "TLSv1.2")
              .endpointIdentificationAlgorithm("HTTPS");
      context = authorities == null ? builder.build() : builder.trustManager(authorities).build();
    }
  }

  /** For one connection to this host, to be the first in its pipeline. */
  SslHandler handler(ByteBufAllocator allocator, String host, int port, long timeoutMillis) {
    SslContext prepared = context;
    if (prepared == null) {
      throw new IllegalStateException("not prepared");
    }
    SslHandler handler = prepared.newHandler(allocator, host, port, STEPS);
    handler.setHandshakeTimeoutMillis(timeoutMillis);
    handler.setCloseNotifyFlushTimeoutMillis(CLOSE_MILLIS);
    return handler;
  }

  /**
   * After a handshake: what a certificate that is its own CA is not asked for.
   *
   * @throws CertificateException if it is not valid now
   * @throws SSLException if there is none
   */
  static void checkTime(SslHandler handler, Instant now) throws CertificateException, SSLException {
    X509Certificate own = (X509Certificate) handler.engine().getSession().getPeerCertificates()[0];
    if (now.isAfter(own.getNotAfter().toInstant())) {
      throw new CertificateExpiredException();
    }
    if (now.isBefore(own.getNotBefore().toInstant())) {
      throw new CertificateNotYetValidException();
    }
  }

  /** Says farewell in TLS, and then ends our side of the stream. */
  static void endOutput(SocketChannel channel) {
    SslHandler handler = channel.pipeline().get(SslHandler.class);
    if (handler == null) {
      channel.shutdownOutput();
    } else {
      handler.closeOutbound().addListener(done -> channel.shutdownOutput());
    }
  }

  /** Why there was no handshake, in words. */
  static String reason(Throwable failure) {
    List<Throwable> causes =
        Stream.iterate(failure, cause -> cause != null, Throwable::getCause).toList();
    for (Map.Entry<Class<? extends Throwable>, String> known : REASONS) {
      if (causes.stream().anyMatch(known.getKey()::isInstance)) {
        return known.getValue();
      }
    }
    String text = String.valueOf(causes.get(causes.size() - 1).getMessage());
    if (causes.stream().anyMatch(CertificateException.class::isInstance)) {
      return text.startsWith("No ")
          ? "its certificate is for another host"
          : "its certificate is not accepted";
    }
    return text.contains("fatal alert")
        ? "the server refused the TLS handshake"
        : "the TLS handshake failed";
  }
}
