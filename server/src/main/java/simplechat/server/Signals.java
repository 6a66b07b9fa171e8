package simplechat.server;

import java.lang.reflect.Proxy;
import java.util.Map;
import java.util.function.IntConsumer;

/**
 * The signals that ask a program to stop. Left to itself the JVM answers them with an exit status
 * of 128 and more.
 */
final class Signals {
  private static final Map<String, Integer> STOP = Map.of("TERM", 15, "INT", 2);

  private Signals() {}

  /**
   * Looks {@code sun.misc.Signal} up by name: it is in every JDK, but javac's warning about it
   * cannot be answered in the source.
   *
   * @param stop gets the number of each SIGTERM and SIGINT, on a thread of its own
   */
  static void onStop(IntConsumer stop) {
    STOP.forEach((name, number) -> handle(name, () -> stop.accept(number)));
  }

  private static void handle(String name, Runnable action) {
    try {
      Class<?> signal = Class.forName("sun.misc.Signal");
      Class<?> handler = Class.forName("sun.misc.SignalHandler");
      Object proxy =
          Proxy.newProxyInstance(
              Signals.class.getClassLoader(),
              new Class<?>[] {handler},
              (self, method, arguments) -> {
                action.run();
                return null;
              });
      signal
          .getMethod("handle", signal, handler)
          .invoke(null, signal.getConstructor(String.class).newInstance(name), proxy);
    } catch (ReflectiveOperationException e) {
      // Started with -Xrs, or without jdk.unsupported: the system's own answer to signals applies.
      System.getLogger(Signals.class.getName()).log(System.Logger.Level.DEBUG, "no signals", e);
    }
  }
}
