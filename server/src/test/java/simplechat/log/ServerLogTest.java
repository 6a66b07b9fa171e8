package simplechat.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.LoggerContext;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.slf4j.Logger;

class ServerLogTest {
  private static final String HOSTILE =
      "a\nb\r\u001b[31m\u0000\u007f\u0085\u202e\u2028\u200b\ud800\"x\" \\ \udb40\udc41z=1";

  /** What moves a cursor, hides, or turns text round; and half a character. */
  private static final Pattern UNPRINTABLE = Pattern.compile("[\\p{C}\\p{Zl}\\p{Zp}]");

  /** Between quotes nothing but what may stand there. */
  private static final Pattern JSON =
      Pattern.compile(
          "\\{(\"[a-z]+\":\"[^\"\\\\]*+" + "(\\\\([\"\\\\]|u[0-9a-f]{4})[^\"\\\\]*+)*+\",?)+\\}");

  private final LoggerContext context = new LoggerContext();
  private final Logger logger = context.getLogger("simplechat.server.Connection");
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();

  @ParameterizedTest
  @EnumSource
  void anEventIsALineWhateverBytesAreInIt(LineFormat format) throws Exception {
    ServerLog log = install("info", format, out);
    logger.warn("refused {}", HOSTILE);
    logger.atWarn().setMessage("closed").addKeyValue("name", HOSTILE).log();
    logger.error("failed", new IllegalStateException(HOSTILE, new IOException(HOSTILE)));
    logger.debug("nobody wants to know");
    log.close(Duration.ofSeconds(5));
    List<String> lines = lines();
    assertThat(lines).hasSize(3).noneMatch(line -> UNPRINTABLE.matcher(line).find());
    assertThat(lines.get(1))
        .contains("\\u001b[31m")
        .contains("\\u202e")
        .contains("\\udb40\\udc41")
        .contains("\\\"x\\\"");
    assertThat(lines.get(2)).contains("IllegalStateException").contains("ServerLogTest.java:");
    if (format == LineFormat.JSON) {
      assertThat(lines).allMatch(line -> JSON.matcher(line).matches());
    }
  }

  /** What we do about it, we say ourselves; it knows better than us which sockets there are. */
  @Test
  void whatLibrariesSayInPassingIsNoLine() throws Exception {
    ServerLog log = install("info", LineFormat.TEXT, out);
    context.getLogger("io.netty.channel").info("a library has news");
    context.getLogger("io.lettuce.core.resource").warn("both are available");
    context.getLogger("io.lettuce.core.resource").error("this matters");
    log.close(Duration.ofSeconds(5));
    assertThat(lines()).singleElement().asString().contains("this matters");
  }

  @Test
  void aKindHasTenLinesASecondAndTheRestIsCounted() throws Exception {
    ServerLog log = install("info", LineFormat.TEXT, out);
    for (int i = 0; i < 1000; i++) {
      logger.atInfo().setMessage("closed").addKeyValue("address", i).log();
    }
    logger.info("of another kind");
    assertThat(log.lost()).isEqualTo(990);
    await().until(() -> lines().size() >= 12);
    log.close(Duration.ofSeconds(5));
    assertThat(lines().stream().filter(line -> line.contains("closed address="))).hasSize(10);
    assertThat(lines().get(10)).contains("of another kind");
    assertThat(lines().get(11)).contains("left out lines=990 like=closed");
    assertThat(log.lost()).isEqualTo(990);
  }

  @Test
  void aStreamThatTakesNothingHoldsUpNobody() throws Exception {
    CompletableFuture<Void> freed = new CompletableFuture<>();
    OutputStream stuck =
        new OutputStream() {
          @Override
          public void write(int b) {}

          @Override
          public void write(byte[] bytes, int from, int length) throws IOException {
            freed.join(); // not a latch: a stream takes no notice of interrupts
            out.write(bytes, from, length);
          }
        };
    ServerLog log = install("info", LineFormat.TEXT, stuck);
    long began = System.nanoTime();
    for (int i = 0; i < 5000; i++) {
      logger.info("of kind " + i % 180);
    }
    assertThat(System.nanoTime() - began).isLessThan(Duration.ofSeconds(2).toNanos());
    freed.complete(null);
    log.close(Duration.ofSeconds(5));
    assertThat(lines().size() + log.lost()).isEqualTo(5000);
    assertThat(lines()).hasSizeBetween(1000, 1001);
  }

  @Test
  void whatAStreamRefusesIsCounted() throws Exception {
    OutputStream full =
        new OutputStream() {
          @Override
          public void write(int b) throws IOException {
            throw new IOException("no space left");
          }
        };
    ServerLog log = install("info", LineFormat.TEXT, full);
    logger.info("one");
    logger.info("two");
    log.close(Duration.ofSeconds(5));
    assertThat(log.lost()).isEqualTo(2);
  }

  @Test
  void whatMembersSayIsSilentUnlessAskedFor() throws Exception {
    ServerLog log = install("debug", LineFormat.TEXT, out);
    context.getLogger(ServerLog.SAID).trace("a secret");
    log.close(Duration.ofSeconds(5));
    assertThat(lines()).isEmpty();
  }

  private ServerLog install(String level, LineFormat format, OutputStream stream) {
    return ServerLog.install(context, level, format, false, stream);
  }

  private List<String> lines() {
    return out.toString(StandardCharsets.UTF_8).lines().toList();
  }
}
