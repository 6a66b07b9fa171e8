package simplechat.server;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import simplechat.protocol.RoomKey;

/**
 * Asks those who join for the room's key, if it has one, and bars who guesses.
 *
 * <p>Threading: any loop; none waits for another. Bounds: {@link #ADDRESSES_MAX} addresses are
 * remembered; while there are as many, a wrong key from another one is the last of its connection.
 */
final class KeyGuard {
  /** So many wrong keys of one address within {@link #WINDOW}, and it is barred. */
  static final int GUESSES = 5;

  static final Duration WINDOW = Duration.ofMinutes(1);

  /** How long, from the last wrong key on. */
  static final Duration BARRED = Duration.ofMinutes(1);

  static final int ADDRESSES_MAX = 10_000;

  private static final long LOOK_NANOS = Duration.ofSeconds(1).toNanos();

  /** What is to become of a HELLO. */
  enum Verdict {
    RIGHT,
    WRONG,
    BARRED
  }

  private final @Nullable RoomKey key;
  private final LongSupplier nanoTime;
  private final ConcurrentMap<Address, Guesses> guesses = new ConcurrentHashMap<>();
  private final AtomicLong lookedNanos;

  /** When the latest wrong keys came, the last one last. */
  private record Guesses(List<Long> atNanos) {
    Guesses and(long nowNanos) {
      List<Long> recent = new ArrayList<>(GUESSES);
      for (long atNanos : atNanos) {
        if (nowNanos - atNanos < WINDOW.toNanos()) {
          recent.add(atNanos);
        }
      }
      recent.add(nowNanos);
      return new Guesses(recent.subList(Math.max(0, recent.size() - GUESSES), recent.size()));
    }

    boolean bar(long nowNanos) {
      return atNanos.size() == GUESSES && !areOver(nowNanos);
    }

    boolean areOver(long nowNanos) {
      return nowNanos - atNanos.get(atNanos.size() - 1) >= BARRED.toNanos();
    }
  }

  /**
   * @param key null if everybody may come in
   */
  KeyGuard(@Nullable RoomKey key, LongSupplier nanoTime) {
    this.key = key;
    this.nanoTime = nanoTime;
    this.lookedNanos = new AtomicLong(nanoTime.getAsLong());
  }

  /** True if nobody from there is to be listened to for now. */
  boolean bars(Address from) {
    Guesses before = key == null ? null : guesses.get(from);
    return before != null && before.bar(nanoTime.getAsLong());
  }

  /** Judges a HELLO. One without a key is wrong, but no guess. */
  Verdict judge(Address from, @Nullable RoomKey offered) {
    RoomKey right = key;
    if (right == null) {
      return Verdict.RIGHT;
    }
    if (bars(from)) {
      return Verdict.BARRED;
    }
    if (offered == null) {
      return Verdict.WRONG;
    }
    return right.equals(offered) ? Verdict.RIGHT : wrong(from);
  }

  /** What to say about it. */
  static String wrong(@Nullable RoomKey offered) {
    return offered == null ? "this room asks for a key" : "wrong key";
  }

  /** How many addresses are remembered. */
  int addresses() {
    return guesses.size();
  }

  private Verdict wrong(Address from) {
    long now = nanoTime.getAsLong();
    if (guesses.size() >= ADDRESSES_MAX) {
      forget(now);
    }
    if (guesses.size() >= ADDRESSES_MAX && !guesses.containsKey(from)) {
      return Verdict.BARRED;
    }
    Guesses all =
        guesses.compute(
            from, (unused, before) -> (before == null ? new Guesses(List.of()) : before).and(now));
    return all.bar(now) ? Verdict.BARRED : Verdict.WRONG;
  }

  /** Looks through all of them, which must not become a guesser's way to keep a loop busy. */
  private void forget(long nowNanos) {
    long looked = lookedNanos.get();
    if (nowNanos - looked >= LOOK_NANOS && lookedNanos.compareAndSet(looked, nowNanos)) {
      guesses.values().removeIf(all -> all.areOver(nowNanos));
    }
  }
}
