package simplechat.client;

import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Consumer;
import simplechat.protocol.ClientMessage;

/**
 * What a server repeats behind a WELCOME: history, or what a lost member missed; and when it is
 * over.
 *
 * <p>The positions alone do not tell: some of them are the member's own coming and going, of which
 * nothing comes. So a PING goes out behind the WELCOME of a resume, and the replay is over when its
 * answer comes directly behind it. An answer may overtake what waits for a full socket, but then
 * something else comes in between, and the question is put again.
 *
 * <p>Threading: confined to the event loop.
 */
final class Replay {
  private final Stream stream;
  private final long toldBefore;
  private final Consumer<ClientMessage> out;
  private final Runnable whenOver;
  private boolean over;
  private long missed;
  private long frames;
  private long framesBeforePing;
  private int asked;

  /**
   * @param toldBefore what lies before this position was told before the loss
   * @param missed what is gone of an earlier replay that was not over when it was lost
   */
  Replay(
      Stream stream, long toldBefore, long missed, Consumer<ClientMessage> out, Runnable whenOver) {
    this.stream = stream;
    this.toldBefore = toldBefore;
    this.missed = missed;
    this.out = out;
    this.whenOver = whenOver;
  }

  /** Looks whether it is over; at the latest when something comes that does not belong to it. */
  void look() {
    if (!over && stream.live()) {
      end();
    }
  }

  /**
   * Asks where it ends; by a number that nobody guesses, so who does not read what is asked gets no
   * other question by answering. Those about life have 0.
   */
  void ask() {
    if (!over) {
      framesBeforePing = frames;
      asked = 1 + ThreadLocalRandom.current().nextInt(Integer.MAX_VALUE);
      out.accept(new ClientMessage.Ping(asked));
    }
  }

  /** An answer to a PING came; true if it was the one behind all that is repeated. */
  boolean answered(int opaque) {
    if (opaque == 0 || opaque != asked || over) {
      return false;
    }
    if (frames == framesBeforePing) {
      end();
    } else {
      ask();
    }
    return over;
  }

  /** A frame of the stream came. */
  void count() {
    frames++;
  }

  void countMissed(long events) {
    missed += events;
  }

  /** How many events are gone so far. */
  long missed() {
    return missed;
  }

  /** Those of which nobody will be told at its end, because it has not come to it. */
  long missedUntold() {
    return over ? 0 : missed;
  }

  boolean wasTold(long position) {
    return position < toldBefore;
  }

  private void end() {
    over = true;
    whenOver.run();
  }
}
