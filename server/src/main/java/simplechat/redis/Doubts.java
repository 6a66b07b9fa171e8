package simplechat.redis;

import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import simplechat.room.Ledger;
import simplechat.room.Member;

/**
 * Requests of members that were without effect: why, is known when the room has been read as far as
 * it goes behind them.
 *
 * <p>Threading: the room's loop. Bounds: what is asked between two looks.
 */
final class Doubts {
  /** How far the room must be read to know why; 0 is not known yet. */
  private final Map<Request, Long> requests = new LinkedHashMap<>();

  void add(Request request) {
    requests.put(request, 0L);
  }

  boolean isEmpty() {
    return requests.isEmpty();
  }

  void clear() {
    requests.clear();
  }

  /** So far the room goes now. */
  void looked(long end) {
    requests.replaceAll((request, known) -> known == 0 ? end : known);
  }

  /**
   * Forgets those that are decided by what was read. True if one was right: a member is there as it
   * was when it asked.
   */
  boolean settle(Ledger ledger) {
    boolean right = false;
    for (Iterator<Map.Entry<Request, Long>> each = requests.entrySet().iterator();
        each.hasNext(); ) {
      Map.Entry<Request, Long> doubt = each.next();
      if (doubt.getValue() > 0 && doubt.getValue() <= ledger.end()) {
        Request request = doubt.getKey();
        Member member = request.member();
        right |= member != null && ledger.sessions().isPresent(member, request.claim());
        each.remove();
      }
    }
    return right;
  }
}
