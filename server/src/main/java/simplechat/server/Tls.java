package simplechat.server;

import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslProvider;
import io.netty.handler.ssl.SupportedCipherSuiteFilter;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.IOException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How the server speaks TLS: with which certificate, and who computes its handshakes.
 *
 * <p>The files are looked at every second. When they have changed, and have then been the same for
 * a second, new handshakes use what is in them; if that cannot be used, what was there before.
 *
 * <p>Threading: any thread. Computing and reading is done by threads of its own, of which there are
 * half as many as cores and 64 at most, which is how many handshakes are at work at once, so that
 * whoever makes the server compute does not hold up the members; what waits for them is at most one
 * step of each connection. Endings: {@link #close}.
 */
final class Tls {
  private static final Logger LOG = LoggerFactory.getLogger(Tls.class);
  private static final long LOOK_MILLIS = 1_000;
  private static final int AT_WORK_MAX = 64;

  /** Those that remember a session are the clients; what the server remembers is bounded. */
  private static final int SESSIONS_MAX = 1_000;

  private static final Duration SESSION = Duration.ofHours(1);

  /**
   * Forward secret and authenticated; the first are those that processors have instructions for.
   */
  private static final List<String> CIPHERS =
      List.of(
          "TLS_AES_128_GCM_SHA256",
          "TLS_AES_256_GCM_SHA384",
          "TLS_CHACHA20_POLY1305_SHA256",
          "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
          "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
          "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
          "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
          "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
          "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256");

  private final TlsFiles files;
  private final InstantSource clock;
  private final ScheduledThreadPoolExecutor threads;
  private volatile SslContext context;
  private String used;
  private String seen;

  /** The files cannot be used; the message says why, in a line. */
  static final class UnusableException extends IllegalStateException {
    private static final long serialVersionUID = 1L;

    UnusableException(Exception cause) {
      super(cause.getMessage(), cause);
    }
  }

  /**
   * Reads the files, for which it waits.
   *
   * @throws UnusableException if they cannot be used
   */
  Tls(TlsFiles files, InstantSource clock) {
    this.files = files;
    this.clock = clock;
    this.used = files.state();
    this.seen = used;
    try {
      this.context = load();
    } catch (IOException e) {
      throw new UnusableException(e);
    }
    SecretFile.warnIfOpen(files.key());
    this.threads =
        new ScheduledThreadPoolExecutor(
            Math.max(1, Math.min(AT_WORK_MAX, Runtime.getRuntime().availableProcessors() / 2)),
            new DefaultThreadFactory("chat-tls", true));
    threads.setRemoveOnCancelPolicy(true);
  }

  /** For the next handshake. */
  SslContext context() {
    return context;
  }

  /** Does a step of a handshake, unless the server has ended. */
  void compute(Runnable step) {
    try {
      threads.execute(step);
    } catch (RejectedExecutionException e) {
      // Its connection has ended too.
    }
  }

  /** From now on new files are used. Before this it has no thread. */
  static void watch(@Nullable Tls tls) {
    if (tls != null) {
      tls.threads.scheduleWithFixedDelay(
          tls::look, LOOK_MILLIS, LOOK_MILLIS, TimeUnit.MILLISECONDS);
    }
  }

  /** Ends its threads, if there is one. */
  static void close(@Nullable Tls tls) {
    if (tls != null) {
      tls.threads.shutdownNow();
    }
  }

  private void look() {
    String before = seen;
    seen = files.state();
    if (seen.equals(used) || !seen.equals(before)) {
      return;
    }
    used = seen;
    try {
      context = load();
      LOG.info("new handshakes use what is in {} now", files.certificates());
    } catch (IOException | RuntimeException e) {
      LOG.warn("the certificate stays what it was: {}", e.getMessage());
    }
  }

  private SslContext load() throws IOException {
    TlsFiles.Content content = files.read();
    X509Certificate own = content.chain().get(0);
    Instant ends = own.getNotAfter().toInstant();
    Instant begins = own.getNotBefore().toInstant();
    if (clock.instant().isAfter(ends)) {
      LOG.warn("{} has expired, on {}: clients refuse it", files.certificates(), ends);
    } else if (clock.instant().isBefore(begins)) {
      LOG.warn("{} begins on {}: clients refuse it until then", files.certificates(), begins);
    }
    return SslContextBuilder.forServer(content.key(), content.chain())
        .sslProvider(SslProvider.JDK)
        .protocols("TLSv1.3", "TLSv1.2")
        .ciphers(CIPHERS, SupportedCipherSuiteFilter.INSTANCE)
        .sessionCacheSize(SESSIONS_MAX)
        .sessionTimeout(SESSION.toSeconds())
        .build();
  }
}
