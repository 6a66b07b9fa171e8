package simplechat.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import simplechat.client.RoomEvent;

/**
 * Keeps those who come and go for up to a second, so that a crowd takes one line and not one each.
 *
 * <p>Whatever else is to be printed flushes first, so the order of the room is kept.
 */
final class Doorway {
  /** Up to here each gets a line. */
  private static final int FEW = 3;

  private final Transcript transcript;
  private final BiConsumer<RoomEvent, Line> print;
  private final Executor inASecond;

  /** Of a crowd the last one alone, however large it is. */
  private final List<RoomEvent> passed = new ArrayList<>();

  private int came;
  private int went;

  /** How many crowds were told of, so that nobody tells of the next one too early. */
  private int told;

  /**
   * @param print takes the last event that a line tells of
   */
  Doorway(Transcript transcript, BiConsumer<RoomEvent, Line> print) {
    this(transcript, print, CompletableFuture.delayedExecutor(1, TimeUnit.SECONDS));
  }

  Doorway(Transcript transcript, BiConsumer<RoomEvent, Line> print, Executor inASecond) {
    this.transcript = transcript;
    this.print = print;
    this.inASecond = inASecond;
  }

  synchronized void add(RoomEvent.Joined joined) {
    came++;
    pass(joined);
  }

  synchronized void add(RoomEvent.Left left) {
    went++;
    pass(left);
  }

  synchronized void flush() {
    if (came + went > FEW) {
      RoomEvent last = passed.get(passed.size() - 1);
      print.accept(last, transcript.crowd(came, went, last));
    } else {
      passed.forEach(one -> print.accept(one, transcript.passing(one)));
    }
    passed.clear();
    came = 0;
    went = 0;
    told++;
  }

  private synchronized void flush(int crowd) {
    if (crowd == told) {
      flush();
    }
  }

  private void pass(RoomEvent event) {
    if (came + went == 1) {
      int crowd = told;
      inASecond.execute(() -> flush(crowd));
    }
    if (came + went > FEW) {
      passed.clear();
    }
    passed.add(event);
  }
}
