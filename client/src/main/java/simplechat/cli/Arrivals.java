package simplechat.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import simplechat.client.RoomEvent;

/**
 * Keeps those who join for up to a second, so that a crowd takes one line and not one each.
 *
 * <p>Whatever else is to be printed flushes first, so the order of the room is kept.
 */
final class Arrivals {
  /** Up to here each gets a line. */
  private static final int FEW = 3;

  private final Transcript transcript;
  private final Consumer<Line> print;
  private final Executor inASecond;
  private final List<RoomEvent.Joined> first = new ArrayList<>();
  private int count;

  Arrivals(Transcript transcript, Consumer<Line> print) {
    this(transcript, print, CompletableFuture.delayedExecutor(1, TimeUnit.SECONDS));
  }

  Arrivals(Transcript transcript, Consumer<Line> print, Executor inASecond) {
    this.transcript = transcript;
    this.print = print;
    this.inASecond = inASecond;
  }

  synchronized void add(RoomEvent.Joined joined) {
    if (count++ == 0) {
      inASecond.execute(this::flush);
    }
    // Of a crowd only the last is of interest, however large it is.
    if (first.size() > FEW) {
      first.clear();
    }
    first.add(joined);
  }

  synchronized void flush() {
    if (count > FEW) {
      print.accept(transcript.joined(count, first.get(first.size() - 1)));
    } else {
      first.forEach(joined -> print.accept(transcript.joined(joined)));
    }
    first.clear();
    count = 0;
  }
}
