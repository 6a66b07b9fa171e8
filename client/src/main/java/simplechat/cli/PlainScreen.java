package simplechat.cli;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Lines as bytes: no escape sequence, and no write for each line where there are many. Complaints
 * go to the second stream. UTF-8 whatever the locale says.
 */
final class PlainScreen implements Screen {
  /** A slow reader takes so much now and then. */
  private static final int PIECE_BYTES = 8 * 1024;

  private static final Path STDOUT = Path.of("/dev/fd/1");

  private final Kind shown;
  private final OutputStream out;
  private final OutputStream err;
  private final AtomicLong pieces = new AtomicLong();

  /**
   * @param shown what goes to the first stream, of what is no complaint
   */
  PlainScreen(Kind shown, OutputStream out, OutputStream err) {
    this.shown = shown;
    this.out = out;
    this.err = err;
  }

  /** The raw streams: those of System would encode by the locale, and hide a closed pipe. */
  static PlainScreen ofProcess(Kind shown) {
    return new PlainScreen(
        shown, new FileOutputStream(FileDescriptor.out), new FileOutputStream(FileDescriptor.err));
  }

  @Override
  public void show(List<Item> items) throws IOException {
    StringBuilder text = new StringBuilder();
    for (Item item : items) {
      if (item.kind() == Kind.COMPLAINT) {
        complain(item.line());
      } else if (item.kind() == shown) {
        text.append(item.line().plain()).append('\n');
      }
    }
    if (text.length() > 0) {
      write(text.toString().getBytes(StandardCharsets.UTF_8));
    }
  }

  /**
   * Whether a failure of the output is one: who reads a pipe may go, but a disk must not be full.
   */
  static boolean isFault(IOException e) {
    return Files.isRegularFile(STDOUT) || String.valueOf(e.getMessage()).contains("No space");
  }

  private void write(byte[] bytes) throws IOException {
    for (int from = 0; from < bytes.length; from += PIECE_BYTES) {
      out.write(bytes, from, Math.min(PIECE_BYTES, bytes.length - from));
      pieces.incrementAndGet();
    }
    out.flush();
  }

  @Override
  public long progress() {
    return pieces.get();
  }

  /** A closed stderr is no reason to stop talking. */
  private void complain(Line line) {
    try {
      err.write((line.plain() + '\n').getBytes(StandardCharsets.UTF_8));
      err.flush();
    } catch (IOException e) {
      // There is nowhere left to say it.
    }
  }

  @Override
  public void prompt(String prompt) {}

  @Override
  public void ring() {}
}
