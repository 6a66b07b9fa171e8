package simplechat.server;

import java.io.Closeable;
import java.io.FileInputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * File descriptors that are open for nothing, so that some can be had when no other is left:
 * whoever comes then can at least be told that the server is full.
 *
 * <p>Threading: one thread at a time.
 */
final class SpareDescriptors {
  static final int COUNT = 16;

  /** Opening it never waits for anything. */
  private static final String NOTHING = "/dev/null";

  private final List<Closeable> held = new ArrayList<>();

  /** Opens all of them; false if that cannot be done, and then none is held. */
  boolean hold() {
    try {
      while (held.size() < COUNT) {
        held.add(new FileInputStream(NOTHING));
      }
      return true;
    } catch (IOException e) {
      release();
      return false;
    }
  }

  /** Gives them up; false if there were none. */
  boolean release() {
    boolean any = !held.isEmpty();
    for (Closeable one : held) {
      try {
        one.close();
      } catch (IOException e) {
        // There is nothing in it that could be lost.
      }
    }
    held.clear();
    return any;
  }
}
