package simplechat.cli;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The texts that were sent and of which nobody knows yet whether the room has them.
 *
 * <p>Threading: any thread. Bounds: a pipe waits in {@link #awaitRoom}, a paste in {@link
 * #awaitAnswers}; a person does not type that fast.
 */
final class Unconfirmed {
  /** So long a pipe waits for any answer of a server that could give one. */
  static final int PATIENCE_SECONDS = 30;

  private static final int TEXTS_MAX = 1_000;

  /** With the longest text on top still below what the client library keeps. */
  private static final int CHARS_MAX = 512 * 1024;

  /**
   * What a pipe may say while the connection is lost. A little less than what the client library
   * then takes, because that learns of the loss a little earlier.
   */
  private static final int OFFLINE_MAX = 90;

  private static final long LOOK_MILLIS = 100;

  private final long patienceNanos;
  private final Map<Long, String> texts = new LinkedHashMap<>();
  private final List<String> lost = new ArrayList<>();
  private long chars;
  private long lastTicket;
  private long progress;
  private long lateTicket;
  private boolean refused;
  private boolean offline;
  private int addedOffline;
  private boolean over;

  Unconfirmed() {
    this(Duration.ofSeconds(PATIENCE_SECONDS));
  }

  Unconfirmed(Duration patience) {
    patienceNanos = patience.toNanos();
  }

  /** The ticket by which the answer is told. */
  synchronized long add(String text) {
    texts.put(++lastTicket, text);
    chars += text.length();
    addedOffline += offline ? 1 : 0;
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

  /** Nobody will ever know whether the room has it. */
  synchronized void lose(long ticket) {
    String text = remove(ticket);
    if (text != null) {
      lost.add(text);
      refused = true;
    }
  }

  /** What was lost since this was last asked. */
  synchronized List<String> takeLost() {
    List<String> taken = List.copyOf(lost);
    lost.clear();
    return taken;
  }

  /** Its answer takes long enough to be waited for; false if it is there. */
  synchronized boolean isLate(long ticket) {
    lateTicket = Math.max(lateTicket, ticket);
    return texts.containsKey(ticket);
  }

  /** How many of them a person should know of: late ones, and without a connection all. */
  synchronized int marked() {
    if (offline) {
      return texts.size();
    }
    return (int) texts.keySet().stream().takeWhile(ticket -> ticket <= lateTicket).count();
  }

  /** Whether the connection is lost. */
  synchronized void offline(boolean now) {
    offline = now;
    addedOffline = 0;
    notifyAll();
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

  /**
   * Waits until another text may be sent.
   *
   * @param excused asked now and then: whether no answer can come, so that none is missed
   * @return false if there is no sense in sending any, because it is over or nothing is answered
   */
  synchronized boolean awaitRoom(BooleanSupplier excused) throws InterruptedException {
    long before = progress;
    long since = System.nanoTime();
    while (!over && isFull()) {
      wait(LOOK_MILLIS);
      if (progress != before || excused.getAsBoolean()) {
        before = progress;
        since = System.nanoTime();
      } else if (System.nanoTime() - since > patienceNanos) {
        return false;
      }
    }
    return !over;
  }

  /**
   * Waits while there is a connection and too much of what was sent over it is not answered yet.
   */
  synchronized void awaitAnswers() throws InterruptedException {
    while (!over && !offline && isFull()) {
      wait();
    }
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

  private boolean isFull() {
    return texts.size() >= TEXTS_MAX
        || chars >= CHARS_MAX
        || (offline && addedOffline >= OFFLINE_MAX);
  }

  private @Nullable String remove(long ticket) {
    String text = texts.remove(ticket);
    if (text != null) {
      chars -= text.length();
      progress++;
      notifyAll();
    }
    return text;
  }
}
