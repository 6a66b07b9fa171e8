package simplechat.cli;

import java.util.concurrent.atomic.AtomicReference;
import org.jline.utils.Signals;
import org.jspecify.annotations.Nullable;

/**
 * What happens when the process is asked to end from outside: the first signal begins the end, the
 * second is the end.
 *
 * <p>Threading: signals come on a thread of the JVM.
 */
final class Interrupts {
  /** A signal with the exit code that shells know it by. */
  private enum Request {
    INT(130),
    TERM(143),
    HUP(129);

    final int exitCode;

    Request(int exitCode) {
      this.exitCode = exitCode;
    }
  }

  private final AtomicReference<@Nullable Request> first = new AtomicReference<>();
  private volatile Runnable begin = () -> {};
  private volatile Runnable atOnce = () -> {};

  /**
   * @param begin begins the end; must not wait
   */
  Interrupts(Runnable begin) {
    this.begin = begin;
    for (Request request : Request.values()) {
      Signals.register(request.name(), () -> on(request));
    }
  }

  /** From now on the first signal does this instead, also if it has come already. */
  void begin(Runnable other) {
    begin = other;
    if (first.get() != null) {
      other.run();
    }
  }

  /** What must not be left undone even by a second signal. */
  void atOnce(Runnable last) {
    atOnce = last;
  }

  /** The exit code of the signal that came, 0 if none did. */
  int exitCode() {
    Request request = first.get();
    return request == null ? 0 : request.exitCode;
  }

  private void on(Request request) {
    if (first.compareAndSet(null, request)) {
      begin.run();
      return;
    }
    try {
      atOnce.run();
    } finally {
      Runtime.getRuntime().halt(request.exitCode);
    }
  }
}
