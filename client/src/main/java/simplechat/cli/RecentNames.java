package simplechat.cli;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * Names of those who spoke or came lately, for completion.
 *
 * <p>Threading: any thread. Bounds: {@value #MAX} names; the one that was silent longest goes.
 */
final class RecentNames {
  private static final int MAX = 200;

  private final Set<String> names = new LinkedHashSet<>();

  synchronized void add(String name) {
    names.remove(name);
    // Completion must not put into the line what a screen would not show as it is.
    if (NameOffer.fault(name) != null) {
      return;
    }
    names.add(name);
    if (names.size() > MAX) {
      names.remove(names.iterator().next());
    }
  }

  synchronized void remove(String name) {
    names.remove(name);
  }

  /** Most recent first. */
  synchronized List<String> list() {
    List<String> recent = new ArrayList<>(names);
    Collections.reverse(recent);
    return recent;
  }
}
