package simplechat.client;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import simplechat.protocol.ErrorCode;
import simplechat.protocol.ProtocolException;
import simplechat.protocol.ServerMessage.Roster;

/**
 * WHOs that wait for their answer, and the part of the first answer that came.
 *
 * <p>Bounds: {@value #CALLS_MAX} calls and {@value #NAMES_MAX} names. Of a longer answer nothing is
 * kept; it is read to its end, and the call fails.
 */
final class RosterCalls {
  private static final int CALLS_MAX = 16;
  private static final int NAMES_MAX = 100_000;

  private final Queue<CompletableFuture<List<String>>> calls = new ArrayDeque<>();
  private List<String> names = new ArrayList<>();
  private boolean tooLong;

  /** False if too many wait already. */
  boolean add(CompletableFuture<List<String>> call) {
    return calls.size() < CALLS_MAX && calls.add(call);
  }

  void receive(Roster roster) throws ProtocolException {
    CompletableFuture<List<String>> call = calls.peek();
    if (call == null) {
      throw new ProtocolException(ErrorCode.MALFORMED, "a ROSTER that nobody asked for");
    }
    tooLong |= names.size() + roster.names().size() > NAMES_MAX;
    if (tooLong) {
      names = new ArrayList<>();
    } else {
      names.addAll(roster.names());
    }
    if (!roster.more()) {
      calls.remove();
      answer(call);
    }
  }

  private void answer(CompletableFuture<List<String>> call) {
    List<String> all = List.copyOf(names);
    boolean known = !tooLong;
    begin();
    if (known) {
      call.complete(all);
    } else {
      call.completeExceptionally(
          new BacklogFullException("more than " + NAMES_MAX + " members are here"));
    }
  }

  private void begin() {
    names = new ArrayList<>();
    tooLong = false;
  }

  /** The connection is over. */
  void fail(EndedException reason) {
    begin();
    while (!calls.isEmpty()) {
      calls.remove().completeExceptionally(reason);
    }
  }
}
