package simplechat.cli;

import java.io.ByteArrayOutputStream;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.io.PipedInputStream;
import java.io.PipedOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import simplechat.client.ClientOptions;

/**
 * The program in this process, with pipes for its streams: sooner there than a process, and as
 * impatient as a test likes it.
 */
final class PipedVisit implements AutoCloseable {
  private final PipedOutputStream keys = new PipedOutputStream();
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();
  private volatile CountDownLatch reader = new CountDownLatch(0);
  private final OutputStream readOut =
      new FilterOutputStream(out) {
        @Override
        public void write(byte[] bytes, int index, int length) throws IOException {
          try {
            reader.await();
          } catch (InterruptedException e) {
            throw new InterruptedIOException();
          }
          out.write(bytes, index, length);
        }
      };
  private final CompletableFuture<Integer> exitCode = new CompletableFuture<>();
  private final @Nullable TranscriptFile log;

  /** Of a member called alice, who is told of the room in objects, or a log, or neither. */
  PipedVisit(int port, ClientOptions options, boolean json, @Nullable Path logFile)
      throws IOException {
    this(port, options, json, logFile, System::nanoTime);
  }

  /**
   * @param nanoTime by which its patience with the server is measured
   */
  PipedVisit(
      int port, ClientOptions options, boolean json, @Nullable Path logFile, LongSupplier nanoTime)
      throws IOException {
    log = logFile == null ? null : TranscriptFile.open(logFile);
    Settings settings =
        new Settings(
            "127.0.0.1", port, Admission.FREE, "alice", 0, true, false, false, json, log != null);
    Screen plain = new PlainScreen(json ? Screen.Kind.RECORD : Screen.Kind.TALK, readOut, err);
    Visit visit =
        new Visit(
            settings,
            new Transcript(Clock.systemUTC()),
            new PipeInput(new PipedInputStream(keys)),
            log == null ? plain : log.beside(plain),
            new Interrupts(() -> {}),
            options,
            nanoTime);
    new Thread(() -> run(visit)).start();
  }

  private void run(Visit visit) {
    try {
      exitCode.complete(visit.run());
    } catch (InterruptedException | RuntimeException e) {
      exitCode.completeExceptionally(e);
    }
  }

  void endInput() throws IOException {
    keys.close();
  }

  void type(String text) throws IOException {
    keys.write(text.getBytes(StandardCharsets.UTF_8));
    keys.flush();
  }

  /** From now on nobody reads what is printed. */
  void hold() {
    reader = new CountDownLatch(1);
  }

  /** Takes back {@link #hold}. */
  void release() {
    reader.countDown();
  }

  boolean endsWithin(long millis) throws Exception {
    try {
      exitCode.get(millis, TimeUnit.MILLISECONDS);
      return true;
    } catch (TimeoutException e) {
      return false;
    }
  }

  int exitCode() throws Exception {
    return exitCode.get(20, TimeUnit.SECONDS);
  }

  String out() {
    return out.toString(StandardCharsets.UTF_8);
  }

  String err() {
    return err.toString(StandardCharsets.UTF_8);
  }

  @Override
  public void close() throws IOException {
    // Else its printer would wait for as long as this JVM lives.
    release();
    keys.close();
    if (log != null) {
      log.close();
    }
  }
}
