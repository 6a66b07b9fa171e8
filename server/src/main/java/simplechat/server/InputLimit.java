package simplechat.server;

import java.util.Collection;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import simplechat.protocol.ErrorCode;
import simplechat.protocol.ServerMessage.LeftWhy;

/**
 * Bounds the memory for what has come and cannot be handed on: frames that are not whole, and what
 * lies behind a frame that has to wait. When all connections together hold too much, the one that
 * has held something for the longest time ends as SLOW, until it is no longer too much.
 *
 * <p>Threading: {@link #changed} on any loop, the choice on the room's.
 */
final class InputLimit {
  private final Collection<ConnectionLoop> loops;
  private final ConnectionLoop roomLoop;
  private final long maxBytes;
  private final AtomicLong bytes = new AtomicLong();
  private final AtomicBoolean choosing = new AtomicBoolean();
  private @Nullable Candidate oldest;
  private int awaited;

  /** The connection of one loop that has held something for the longest time. */
  record Candidate(ConnectionLoop loop, Connection connection, long sinceNanos) {}

  InputLimit(Collection<ConnectionLoop> loops, ConnectionLoop roomLoop, long maxBytes) {
    this.loops = loops;
    this.roomLoop = roomLoop;
    this.maxBytes = maxBytes;
  }

  /** How much all hold together. */
  long bytes() {
    return bytes.get();
  }

  /** One of them holds so much more than before. */
  void changed(int moreBytes) {
    long all = bytes.addAndGet(moreBytes);
    if (all > maxBytes && choosing.compareAndSet(false, true)) {
      roomLoop.onLoop(this::choose);
    }
  }

  private void choose() {
    oldest = null;
    awaited = loops.size();
    for (ConnectionLoop loop : loops) {
      loop.onLoop(
          () -> {
            Candidate candidate = loop.oldestInput();
            roomLoop.onLoop(() -> proposed(candidate));
          });
    }
  }

  private void proposed(@Nullable Candidate candidate) {
    if (candidate != null && (oldest == null || candidate.sinceNanos() - oldest.sinceNanos() < 0)) {
      oldest = candidate;
    }
    awaited--;
    if (awaited == 0) {
      Candidate goes = oldest;
      if (goes == null) {
        choosing.set(false);
      } else {
        goes.loop().execute(() -> end(goes.connection()));
      }
    }
  }

  /** Not within the read of it, of which more may be to come. */
  private void end(Connection goes) {
    try {
      goes.end(ErrorCode.SLOW, "too much has come in part", LeftWhy.SLOW);
    } finally {
      choosing.set(false);
      changed(0);
    }
  }
}
