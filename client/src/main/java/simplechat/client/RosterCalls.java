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
 * <p>Bounds: {@value #CALLS_MAX} calls and {@value #NAMES_MAX} names, more than any server has
 * members.
 */
final class RosterCalls {
  private static final int CALLS_MAX = 16;
  private static final int NAMES_MAX = 100_000;

  private final Queue<CompletableFuture<List<String>>> calls = new ArrayDeque<>();
  private List<String> names = new ArrayList<>();

  /** False if too many wait already. */
  boolean add(CompletableFuture<List<String>> call) {
    return calls.size() < CALLS_MAX && calls.add(call);
  }

  void receive(Roster roster) throws ProtocolException {
    CompletableFuture<List<String>> call = calls.peek();
    if (call == null) {
      throw new ProtocolException(ErrorCode.MALFORMED, "a ROSTER that nobody asked for");
    }
    if (names.size() + roster.names().size() > NAMES_MAX) {
      throw new ProtocolException(ErrorCode.MALFORMED, "a ROSTER without an end");
    }
    names.addAll(roster.names());
    if (!roster.more()) {
      List<String> all = List.copyOf(names);
      names = new ArrayList<>();
      calls.remove();
      call.complete(all);
    }
  }

  /** The connection is over. */
  void fail(EndedException reason) {
    names = new ArrayList<>();
    while (!calls.isEmpty()) {
      calls.remove().completeExceptionally(reason);
    }
  }
}
