package simplechat.redis;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Predicate;

/**
 * What was asked and has no answer, numbered without a hole.
 *
 * <p>Threading: the room's loop. Bounds: kept by who asks, see {@link #texts} and {@link #bytes};
 * what is no text is bounded by the members.
 */
final class Outbox {
  /** A call holds Redis up for as long as it takes, some 10 µs a request. */
  private static final int CALL_MAX_REQUESTS = 128;

  private static final int CALL_MAX_BYTES = 128 * 1024;

  private final Deque<Request> waiting = new ArrayDeque<>();

  /** Number of the first that waits. */
  private long first = 1;

  /** Number of the last that was ever sent: it may have been taken. */
  private long sent;

  private int texts;
  private long bytes;

  void add(Request request) {
    waiting.add(request);
    count(request, 1);
  }

  boolean isEmpty() {
    return waiting.isEmpty();
  }

  /** How many texts wait. */
  int texts() {
    return texts;
  }

  /** Memory of what waits. */
  long bytes() {
    return bytes;
  }

  /** Number of the first that waits. */
  long first() {
    return first;
  }

  /** Number of the last that waits. */
  long last() {
    return first + waiting.size() - 1;
  }

  /** The next call: the oldest, as many as it may hold, one at least. */
  List<Request> call() {
    List<Request> call = new ArrayList<>();
    long length = 0;
    for (Request request : waiting) {
      length += request.length();
      if (!call.isEmpty() && (length > CALL_MAX_BYTES || call.size() == CALL_MAX_REQUESTS)) {
        break;
      }
      call.add(request);
    }
    sent = Math.max(sent, first + call.size() - 1);
    return call;
  }

  /** The oldest has its answer. */
  Request answered() {
    Request request = waiting.remove();
    count(request, -1);
    first++;
    return request;
  }

  /** Takes out what has never been sent, so that its number is free. */
  void withdraw(Predicate<Request> which, Consumer<Request> then) {
    long number = first;
    for (Iterator<Request> each = waiting.iterator(); each.hasNext(); number++) {
      Request request = each.next();
      if (number > sent && which.test(request)) {
        each.remove();
        count(request, -1);
        then.accept(request);
      }
    }
  }

  /** Forgets everything and begins to count anew. */
  void clear(Consumer<Request> then) {
    waiting.forEach(then);
    waiting.clear();
    texts = 0;
    bytes = 0;
    sent = 0;
    first = 1;
  }

  private void count(Request request, int sign) {
    texts += request.kind() == 'M' ? sign : 0;
    bytes += (long) sign * request.length();
  }
}
