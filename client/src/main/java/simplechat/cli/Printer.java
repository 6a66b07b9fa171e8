package simplechat.cli;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import simplechat.cli.Screen.Item;
import simplechat.cli.Screen.Kind;

/**
 * The thread between those who have something to say and a screen that may be slow or stuck.
 *
 * <p>Threading: any thread may print, in the order of its calls, and is never held up. Bounds:
 * whoever feeds it from the network asks {@link #ifFull} and stops until {@code drained} is called;
 * what comes in between is a read's worth.
 */
final class Printer {
  /** Some screens full of text: enough to print in large pieces. */
  private static final int FULL_CHARS = 256 * 1024;

  private static final long POLL_MILLIS = 20;

  private final Screen screen;
  private final Runnable drained;
  private final Runnable gone;
  private final Thread thread = new Thread(this::run, "chat-printer");
  private List<Item> waiting = new ArrayList<>();
  private int waitingChars;
  private @Nullable Supplier<String> prompt;
  private boolean ringing;
  private boolean finishing;
  private boolean full;

  /**
   * @param drained called when there is room again after {@link #ifFull} ran something
   * @param gone called once if nobody can read the screen any more; what is printed later is
   *     dropped
   */
  Printer(Screen screen, Runnable drained, Runnable gone) {
    this.screen = screen;
    this.drained = drained;
    this.gone = gone;
    thread.setDaemon(true);
    thread.start();
  }

  void print(Line line) {
    add(new Item(line, Kind.TALK));
  }

  void complain(Line line) {
    add(new Item(line, Kind.COMPLAINT));
  }

  /** Behind what is printed already, and asked for when it is time. */
  synchronized void prompt(Supplier<String> current) {
    prompt = current;
    notifyAll();
  }

  synchronized void ring() {
    ringing = true;
    notifyAll();
  }

  /** Runs this if too much is waiting; in the lock, so that {@code drained} comes behind it. */
  synchronized void ifFull(Runnable pause) {
    if (waitingChars > FULL_CHARS && !finishing) {
      full = true;
      pause.run();
    }
  }

  /**
   * Waits until everything is out, or for so long none of it has gone out. Returns false if that
   * was not all.
   *
   * @param patienceMillis asked again and again
   */
  boolean finish(LongSupplier patienceMillis) throws InterruptedException {
    synchronized (this) {
      finishing = true;
      notifyAll();
    }
    long progress = screen.progress();
    long since = System.nanoTime();
    while (true) {
      thread.join(POLL_MILLIS);
      if (!thread.isAlive()) {
        return true;
      }
      long progressNow = screen.progress();
      long now = System.nanoTime();
      if (progressNow != progress) {
        progress = progressNow;
        since = now;
      } else if (TimeUnit.NANOSECONDS.toMillis(now - since) > patienceMillis.getAsLong()) {
        return false;
      }
    }
  }

  synchronized void add(Item item) {
    if (!finishing) {
      waiting.add(item);
      waitingChars += item.line().length();
      notifyAll();
    }
  }

  private void run() {
    try {
      while (printBatch()) {
        // Until there is nothing left to print, or nobody to print for.
      }
    } catch (IOException e) {
      abandon();
      gone.run();
    } catch (InterruptedException e) {
      abandon();
    }
  }

  /** Prints what has gathered, false if that was the last. */
  private boolean printBatch() throws IOException, InterruptedException {
    List<Item> batch;
    Supplier<String> newPrompt;
    boolean ring;
    boolean last;
    boolean roomAgain;
    synchronized (this) {
      while (waiting.isEmpty() && prompt == null && !ringing && !finishing) {
        wait();
      }
      batch = waiting;
      waiting = new ArrayList<>();
      waitingChars = 0;
      newPrompt = prompt;
      prompt = null;
      ring = ringing;
      ringing = false;
      last = finishing;
      roomAgain = full;
      full = false;
    }
    screen.show(batch);
    if (newPrompt != null) {
      screen.prompt(newPrompt.get());
    }
    if (ring) {
      screen.ring();
    }
    if (roomAgain) {
      drained.run();
    }
    return !last;
  }

  private synchronized void abandon() {
    finishing = true;
    waiting = new ArrayList<>();
    waitingChars = 0;
  }
}
