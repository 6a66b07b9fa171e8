package simplechat.cli;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The texts that were sent and of which nobody knows yet whether the room has them.
 *
 * <p>Threading: any thread. Bounds: a pipe waits in {@link #awaitRoom}; a person does not type that
 * fast.
 */
final class Unconfirmed {
  private static final int TEXTS_MAX = 1_000;

  /** With the longest text on top still below what the client library keeps. */
  private static final int CHARS_MAX = 512 * 1024;

  private final Map<Long, String> texts = new LinkedHashMap<>();
  private long chars;
  private long lastTicket;
  private long progress;
  private boolean refused;
  private boolean over;

  /** The ticket by which the answer is told. */
  synchronized long add(String text) {
    texts.put(++lastTicket, text);
    chars += text.length();
    return lastTicket;
  }

  /** The room has it. */
  synchronized void confirm(long ticket) {
    remove(ticket);
  }

  /** It is known not to be in the room. */
  synchronized void refuse(long ticket) {
    remove(ticket);
    refused = true;
  }

  /** A text was refused before it was sent. */
  synchronized void refuse() {
    refused = true;
  }

  /** Nothing will be confirmed any more. */
  synchronized void end() {
    over = true;
    notifyAll();
  }

  /** Waits until another text may be sent, false if there is no sense in sending any. */
  synchronized boolean awaitRoom() throws InterruptedException {
    while (!over && (texts.size() >= TEXTS_MAX || chars >= CHARS_MAX)) {
      wait();
    }
    return !over;
  }

  /** Rises with every answer. */
  synchronized long progress() {
    return progress;
  }

  /** True if every text that was to be sent is in the room. */
  synchronized boolean allConfirmed() {
    return texts.isEmpty() && !refused;
  }

  synchronized List<String> texts() {
    return new ArrayList<>(texts.values());
  }

  private void remove(long ticket) {
    String text = texts.remove(ticket);
    if (text != null) {
      chars -= text.length();
      progress++;
      notifyAll();
    }
  }
}
