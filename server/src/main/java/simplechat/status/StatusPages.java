package simplechat.status;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.LongSupplier;

/**
 * What there is to be seen, by its path.
 *
 * <p>Threading: asked on the status server's loop, which also writes the metrics; the figures come
 * from elsewhere.
 */
final class StatusPages {
  private static final String TEXT = "text/plain; charset=utf-8";

  private final StatusServer.Source source;
  private final Executor loop;
  private final Duration patience;
  private final LongSupplier nanoTime;
  private final long startedNanos;
  private final byte[] page = resource("status.html");
  private final MetricsText metricsText = new MetricsText();

  /** An answer. */
  record Page(int status, String type, ByteBuf body) {
    Page(int status, String type, byte[] body) {
      this(status, type, Unpooled.wrappedBuffer(body));
    }

    static Page text(int status, String text) {
      return new Page(status, TEXT, (text + "\n").getBytes(StandardCharsets.UTF_8));
    }
  }

  StatusPages(StatusServer.Source source, Executor loop, Duration patience, LongSupplier nanoTime) {
    this.source = source;
    this.loop = loop;
    this.patience = patience;
    this.nanoTime = nanoTime;
    this.startedNanos = nanoTime.getAsLong();
  }

  /** Never fails, and has an answer soon. */
  CompletionStage<Page> of(String path) {
    return switch (path) {
      case "/" -> now(new Page(200, "text/html; charset=utf-8", page));
      case "/status.json" -> withMetrics(this::json);
      case "/metrics" -> withMetrics(this::metrics);
      case "/health/live" -> withMetrics(unused -> Page.text(200, "live"));
      case "/health/ready" -> now(ready());
      default -> now(Page.text(404, "there are /, /metrics, /health/live and /health/ready"));
    };
  }

  private static CompletionStage<Page> now(Page page) {
    return CompletableFuture.completedFuture(page);
  }

  private Page ready() {
    String why = source.unready();
    return why == null ? Page.text(200, "ready") : Page.text(503, why);
  }

  private Page json(ServerMetrics metrics) {
    long upNanos = nanoTime.getAsLong() - startedNanos;
    String json = StatusJson.of(metrics, source.unready(), TimeUnit.NANOSECONDS.toSeconds(upNanos));
    return new Page(200, "application/json", json.getBytes(StandardCharsets.UTF_8));
  }

  private Page metrics(ServerMetrics metrics) {
    ByteArrayOutputStream body = new ByteArrayOutputStream();
    try {
      metricsText.write(metrics, source.unready() == null, body);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return new Page(200, MetricsText.CONTENT_TYPE, body.toByteArray());
  }

  private CompletionStage<Page> withMetrics(Function<ServerMetrics, Page> page) {
    return source
        .metrics()
        .toCompletableFuture()
        .copy()
        .orTimeout(patience.toMillis(), TimeUnit.MILLISECONDS)
        .thenApplyAsync(page, loop)
        .exceptionally(e -> Page.text(503, "an event loop does not answer"));
  }

  private static byte[] resource(String name) {
    try (InputStream in = StatusPages.class.getResourceAsStream(name)) {
      return Objects.requireNonNull(in, name).readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
