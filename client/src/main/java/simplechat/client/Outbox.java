package simplechat.client;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
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
  private long writtenNo;
  private long ackedNo;

  /** Up to here the server had them at its last welcome: their places are in the replay. */
  private long receivedNo;

  /** A text that waits for its answer. */
  private record Pending(long sendNo, String text, CompletableFuture<Long> confirmed) {}

  /**
   * How many texts an ACK covers.
   *
   * @param old of those that the server had when it welcomed us
   * @param fresh of those that it took since
   */
  record Covered(long old, long fresh) {}

  /** Begins to count where the session has it, which is 0 in a new one; nothing may be pending. */
  void begin(long received) {
    lastNo = received;
    writtenNo = received;
    receivedNo = received;
    ackedNo = 0;
  }

  /**
   * The session goes on.
   *
   * @param received the number of the last text that the server has
   * @return the texts behind it, which are to be written again
   * @throws ProtocolException MALFORMED if it has one that was not written, or lost one that it
   *     confirmed
   */
  List<String> resume(long received) throws ProtocolException {
    if (received < ackedNo || received > writtenNo) {
      throw new ProtocolException(ErrorCode.MALFORMED, "a WELCOME for texts that were not sent");
    }
    receivedNo = received;
    writtenNo = lastNo;
    return pending.stream().filter(text -> text.sendNo > received).map(Pending::text).toList();
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

  boolean isEmpty() {
    return pending.isEmpty();
  }

  /** Adds a text that is not written before the session goes on. */
  void add(String text, CompletableFuture<Long> confirmed) {
    pending.add(new Pending(++lastNo, text, confirmed));
  }

  /** Everything that was added is written. */
  void written() {
    writtenNo = lastNo;
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
  Covered covered(int sendNo) throws ProtocolException {
    long upTo = Integer.toUnsignedLong(sendNo);
    if (upTo <= ackedNo || upTo > writtenNo) {
      throw new ProtocolException(ErrorCode.MALFORMED, "an ACK for texts that do not wait for it");
    }
    long all = pending.stream().takeWhile(text -> text.sendNo <= upTo).count();
    long old =
        pending.stream().takeWhile(text -> text.sendNo <= Math.min(upTo, receivedNo)).count();
    return new Covered(old, all - old);
  }

  /**
   * The texts up to this number are in the room.
   *
   * @param covered what {@link #covered} said
   * @param from where the first of them may lie
   * @param position where the last of them lies
   */
  void acknowledge(int sendNo, Covered covered, long from, long position) {
    ackedNo = Integer.toUnsignedLong(sendNo);
    // Between the old ones and the fresh ones lies at least our own coming back.
    boolean apart = covered.old > 0 && covered.fresh > 0 && from <= position;
    for (long i = 0; i < covered.old; i++) {
      confirm(apart ? from + i : position - covered.fresh - (covered.old - 1 - i));
    }
    for (long behind = covered.fresh - 1; behind >= 0; behind--) {
      confirm(position - behind);
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

  /**
   * The replay is over. What the server had and has not acknowledged by now was refused, and the
   * refusal got lost with the connection that it was written to.
   */
  void settle() {
    while (!pending.isEmpty() && pending.element().sendNo <= receivedNo) {
      Pending text = pending.remove();
      release(text.text);
      text.confirmed.completeExceptionally(
          new RefusedException(ErrorCode.BUSY, "refused while the connection was lost"));
    }
  }

  /** The connection is over. */
  void fail(EndedException reason) {
    while (!pending.isEmpty()) {
      Pending text = pending.remove();
      release(text.text);
      text.confirmed.completeExceptionally(reason);
    }
  }

  private void confirm(long position) {
    Pending text = pending.remove();
    release(text.text);
    text.confirmed.complete(position);
  }

  private static long cost(String text) {
    return ENTRY_BYTES + (long) text.length() * Character.BYTES;
  }
}
