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
import java.util.function.IntSupplier;
import simplechat.cli.Line.Part;

/**
 * Lines as bytes: no escape sequence, and no write for each line where there are many. Complaints
 * go to the second stream. UTF-8 whatever the locale says.
 *
 * <p>Where such a stream ends at a terminal, as the output does of a program that reads a pipe,
 * lines are cut into {@link Rows} as at any terminal; but for those that a program reads, which are
 * whole.
 */
final class PlainScreen implements Screen {
  /** A slow reader takes so much now and then. */
  private static final int PIECE_BYTES = 8 * 1024;

  private static final Path STDOUT = Path.of("/dev/fd/1");

  private final Kind shown;
  private final OutputStream out;
  private final OutputStream err;
  private final IntSupplier outColumns;
  private final IntSupplier errColumns;
  private final Rows rows = Rows.inLocale(System.getenv());
  private final AtomicLong pieces = new AtomicLong();

  /**
   * @param shown what goes to the first stream, of what is no complaint
   */
  PlainScreen(Kind shown, OutputStream out, OutputStream err) {
    this(shown, out, err, () -> 0, () -> 0);
  }

  /**
   * @param outColumns of the terminal behind the first stream, 0 if there is none
   * @param errColumns of that behind the second
   */
  private PlainScreen(
      Kind shown,
      OutputStream out,
      OutputStream err,
      IntSupplier outColumns,
      IntSupplier errColumns) {
    this.shown = shown;
    this.out = out;
    this.err = err;
    this.outColumns = outColumns;
    this.errColumns = errColumns;
  }

  /** The raw streams: those of System would encode by the locale, and hide a closed pipe. */
  static PlainScreen ofProcess(Kind shown) {
    List<StreamWidth> widths = StreamWidth.ofProcess();
    return new PlainScreen(
        shown,
        new FileOutputStream(FileDescriptor.out),
        new FileOutputStream(FileDescriptor.err),
        widths.get(0),
        widths.get(1));
  }

  @Override
  public void show(List<Item> items) throws IOException {
    StringBuilder text = new StringBuilder();
    for (Item item : items) {
      if (item.kind() == Kind.COMPLAINT) {
        complain(item.line());
      } else if (item.kind() == shown) {
        append(text, item.line(), shown == Kind.RECORD ? 0 : outColumns.getAsInt());
      }
    }
    if (text.length() > 0) {
      write(text.toString().getBytes(StandardCharsets.UTF_8));
    }
  }

  private void append(StringBuilder text, Line line, int columns) {
    if (columns == 0) {
      text.append(line.plain()).append('\n');
      return;
    }
    for (List<Part> row : rows.of(line, columns)) {
      row.forEach(part -> text.append(part.text()));
      text.append('\n');
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
    StringBuilder text = new StringBuilder();
    append(text, line, errColumns.getAsInt());
    try {
      err.write(text.toString().getBytes(StandardCharsets.UTF_8));
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
