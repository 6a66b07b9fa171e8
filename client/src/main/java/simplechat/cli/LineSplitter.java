package simplechat.cli;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * The lines of a byte stream in UTF-8, whatever the locale says; the last one counts without its
 * end. A byte order mark at its begin is none of it.
 *
 * <p>Bounds: a line that is longer than the limit is dropped as it comes.
 */
final class LineSplitter {
  /** What is told of the stream, in its order. Each may throw to end the reading. */
  interface Receiver {
    void line(String line) throws InterruptedException;

    /**
     * A line that cannot be used.
     *
     * @param number of the line, from 1
     */
    void unusable(long number, String why) throws InterruptedException;
  }

  private static final int READ_BYTES = 8 * 1024;
  private static final String BYTE_ORDER_MARK = "\ufeff";

  private final InputStream in;
  private final int maxBytes;
  private final Receiver receiver;
  private final ByteArrayOutputStream line = new ByteArrayOutputStream(256);
  private long number;
  private boolean tooLong;

  LineSplitter(InputStream in, int maxBytes, Receiver receiver) {
    this.in = in;
    this.maxBytes = maxBytes;
    this.receiver = receiver;
  }

  /** Reads to the end of the stream; one that cannot be read any more has ended. */
  void run() throws InterruptedException {
    byte[] bytes = new byte[READ_BYTES];
    for (int count = read(bytes); count >= 0; count = read(bytes)) {
      int start = 0;
      for (int i = 0; i < count; i++) {
        if (bytes[i] == '\n') {
          append(bytes, start, i);
          finish();
          start = i + 1;
        }
      }
      append(bytes, start, count);
    }
    if (line.size() > 0 || tooLong) {
      finish();
    }
  }

  private int read(byte[] bytes) {
    try {
      return in.read(bytes);
    } catch (IOException e) {
      return -1;
    }
  }

  private void append(byte[] bytes, int start, int end) {
    if (tooLong || line.size() + end - start > maxBytes) {
      tooLong = true;
    } else {
      line.write(bytes, start, end - start);
    }
  }

  private void finish() throws InterruptedException {
    number++;
    if (tooLong) {
      receiver.unusable(number, "longer than " + maxBytes + " bytes");
    } else {
      decode(line.toByteArray());
    }
    line.reset();
    tooLong = false;
  }

  private void decode(byte[] bytes) throws InterruptedException {
    boolean carriageReturn = bytes.length > 0 && bytes[bytes.length - 1] == '\r';
    byte[] content = carriageReturn ? Arrays.copyOf(bytes, bytes.length - 1) : bytes;
    String decoded;
    try {
      decoded = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(content)).toString();
    } catch (CharacterCodingException e) {
      receiver.unusable(number, "not valid UTF-8");
      return;
    }
    boolean marked = number == 1 && decoded.startsWith(BYTE_ORDER_MARK);
    receiver.line(marked ? decoded.substring(BYTE_ORDER_MARK.length()) : decoded);
  }
}
