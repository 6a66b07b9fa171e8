package simplechat.client;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import simplechat.protocol.ErrorCode;
import simplechat.protocol.ProtocolException;

/**
 * The texts that were sent and are neither in the room nor refused, in the order of their numbers.
 *
 * <p>The texts themselves are kept because a resume sends them again.
 *
 * <p>Threading: confined to the event loop, but for {@link #reserve} and {@link #pendingBytes},
 * which any thread may call. Bounds: {@link ChatClient#PENDING_MAX_BYTES}, each text counted with
 * what an entry costs.
 */
final class Outbox {
  /**
   * About what an entry costs beside its text: a guess that keeps a flood of empty texts bounded.
   */
  private static final int ENTRY_BYTES = 128;

  private final AtomicLong pendingBytes = new AtomicLong();
  private final Deque<Pending> pending = new ArrayDeque<>();
  private long lastNo;
  private long ackedNo;

  /** A text that waits for its answer. */
  private record Pending(long sendNo, String text, CompletableFuture<Long> confirmed) {}

  /** Takes up the count where a resumed session has it; nothing may be pending. */
  void startAt(long received) {
    lastNo = received;
    ackedNo = 0;
  }

  /** Books a text before it is added, false if there is no room for it. */
  boolean reserve(String text) {
    long cost = cost(text);
    if (pendingBytes.addAndGet(cost) > ChatClient.PENDING_MAX_BYTES) {
      pendingBytes.addAndGet(-cost);
      return false;
    }
    return true;
  }

  long pendingBytes() {
    return pendingBytes.get();
  }

  void add(String text, CompletableFuture<Long> confirmed) {
    pending.add(new Pending(++lastNo, text, confirmed));
  }

  /** Gives back what {@link #reserve} booked for a text that is not added after all. */
  void release(String text) {
    pendingBytes.addAndGet(-cost(text));
  }

  /**
   * How many texts an ACK up to this number covers.
   *
   * @throws ProtocolException MALFORMED if it covers none, or one that was not sent
   */
  long covered(int sendNo) throws ProtocolException {
    long upTo = Integer.toUnsignedLong(sendNo);
    if (upTo <= ackedNo || upTo > lastNo) {
      throw new ProtocolException(ErrorCode.MALFORMED, "an ACK for texts that do not wait for it");
    }
    return pending.stream().takeWhile(text -> text.sendNo <= upTo).count();
  }

  /** The texts up to this number are in the room, the last of them at this position. */
  void acknowledge(int sendNo, long count, long position) {
    ackedNo = Integer.toUnsignedLong(sendNo);
    for (long behind = count - 1; behind >= 0; behind--) {
      Pending text = pending.remove();
      release(text.text);
      text.confirmed.complete(position - behind);
    }
  }

  /**
   * A text was refused; it keeps its number and has no place in the room.
   *
   * @throws ProtocolException MALFORMED if it does not wait for an answer
   */
  void refuse(int sendNo, RefusedException reason) throws ProtocolException {
    long number = Integer.toUnsignedLong(sendNo);
    for (Iterator<Pending> texts = pending.iterator(); texts.hasNext(); ) {
      Pending text = texts.next();
      if (text.sendNo == number) {
        texts.remove();
        release(text.text);
        text.confirmed.completeExceptionally(reason);
        return;
      }
    }
    throw new ProtocolException(ErrorCode.MALFORMED, "a refusal of a text that does not wait");
  }

  /** The connection is over. */
  void fail(EndedException reason) {
    while (!pending.isEmpty()) {
      Pending text = pending.remove();
      release(text.text);
      text.confirmed.completeExceptionally(reason);
    }
  }

  private static long cost(String text) {
    return ENTRY_BYTES + (long) text.length() * Character.BYTES;
  }
}
