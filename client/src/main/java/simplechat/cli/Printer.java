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
 * what comes in between is a read's worth, and what is more than {@value #MOST_CHARS} chars is
 * lost.
 */
final class Printer {
  /** Some screens full of text: enough to print in large pieces. */
  private static final int FULL_CHARS = 256 * 1024;

  /** About what an item costs beside its text, in chars: a flood of short lines is bounded, too. */
  private static final int ITEM_CHARS = 64;

  /** More is dropped: of a server that goes on whatever it is told, or a script of many faults. */
  private static final int MOST_CHARS = 16 * FULL_CHARS;

  private static final long POLL_MILLIS = 20;
  private static final long SALVAGE_MILLIS = 1_000;

  private final Screen screen;
  private final Runnable drained;
  private final Runnable gone;
  private final Thread thread = new Thread(this::run, "chat-printer");
  private List<Item> waiting = new ArrayList<>();
  private int waitingChars;
  private long dropped;
  private @Nullable Supplier<String> prompt;
  private boolean ringing;
  private boolean finishing;
  private boolean full;
  private volatile boolean failed;

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

  /** True from {@link #ifFull} ran something until there is room again. */
  synchronized boolean isFull() {
    return full;
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
        return !failed;
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

  private void showLast(List<Item> complaints) {
    try {
      screen.show(complaints);
    } catch (IOException e) {
      // There is nowhere left to say it.
    }
  }

  /** A number that changes whenever a part of what was printed has gone out. */
  long progress() {
    return screen.progress();
  }

  /**
   * Shows what went wrong and is still waiting, if the screen is stuck; to be called at the end.
   */
  void salvage() throws InterruptedException {
    List<Item> complaints;
    synchronized (this) {
      complaints = waiting.stream().filter(item -> item.kind() == Kind.COMPLAINT).toList();
    }
    // It may be the same pipe that is stuck.
    Thread last = new Thread(() -> showLast(complaints), "chat-complaints");
    last.setDaemon(true);
    last.start();
    last.join(SALVAGE_MILLIS);
  }

  synchronized void add(Item item) {
    if (waitingChars > MOST_CHARS) {
      dropped++;
    } else if (!finishing) {
      waiting.add(item);
      waitingChars += item.line().length() + ITEM_CHARS;
      notifyAll();
    }
  }

  private void run() {
    try {
      while (printBatch()) {
        // Until there is nothing left to print, or nobody to print for.
      }
    } catch (IOException e) {
      if (PlainScreen.isFault(e)) {
        failed = true;
        Program.complain("cannot write: " + e.getMessage());
      }
      abandon();
      gone.run();
    } catch (InterruptedException e) {
      abandon();
    } catch (RuntimeException | Error e) {
      // Else those who wait for room would wait for ever, and what is lost would count as printed.
      failed = true;
      abandon();
      Program.complain("internal error: " + e);
      gone.run();
    }
  }

  /** Prints what has gathered, false if that was the last. */
  private boolean printBatch() throws IOException, InterruptedException {
    List<Item> batch;
    Supplier<String> newPrompt;
    boolean ring;
    boolean last;
    synchronized (this) {
      while (waiting.isEmpty() && prompt == null && !ringing && !finishing) {
        wait();
      }
      if (dropped > 0) {
        waiting.add(
            new Item(Line.notice(dropped + " lines were too many to show"), Kind.COMPLAINT));
        dropped = 0;
      }
      batch = waiting;
      waiting = new ArrayList<>();
      waitingChars = 0;
      newPrompt = prompt;
      prompt = null;
      ring = ringing;
      ringing = false;
      last = finishing;
    }
    screen.show(batch);
    if (newPrompt != null) {
      screen.prompt(newPrompt.get());
    }
    if (ring) {
      screen.ring();
    }
    synchronized (this) {
      if (full && waitingChars <= FULL_CHARS) {
        full = false;
        drained.run();
      }
    }
    return !last;
  }

  private synchronized void abandon() {
    finishing = true;
    waiting = new ArrayList<>();
    waitingChars = 0;
  }
}
