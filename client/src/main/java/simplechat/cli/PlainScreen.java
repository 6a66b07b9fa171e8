package simplechat.cli;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * Lines as bytes: no escape sequence, one write for each batch of whole lines. Complaints go to the
 * second stream. UTF-8 whatever the locale says.
 */
final class PlainScreen implements Screen {
  private final Kind shown;
  private final OutputStream out;
  private final OutputStream err;

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
      out.write(text.toString().getBytes(StandardCharsets.UTF_8));
      out.flush();
    }
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
