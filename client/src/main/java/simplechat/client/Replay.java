package simplechat.client;

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
  /** Of the PING behind a WELCOME; those about life have another. */
  private static final int OPAQUE = 1;

  private final Stream stream;
  private final long toldBefore;
  private final Consumer<ClientMessage> out;
  private final Runnable whenOver;
  private boolean over;
  private long missed;
  private long frames;
  private long framesBeforePing;

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

  /** Asks where it ends. */
  void ask() {
    if (!over) {
      framesBeforePing = frames;
      out.accept(new ClientMessage.Ping(OPAQUE));
    }
  }

  /** An answer to a PING came. */
  void answered(int opaque) {
    if (opaque != OPAQUE || over) {
      return;
    }
    if (frames == framesBeforePing) {
      end();
    } else {
      ask();
    }
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
