package simplechat.cli;

import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.util.concurrent.TimeUnit;
import org.jline.utils.Signals;
import org.jspecify.annotations.Nullable;

/**
 * What a shell and a terminal do with a program in the middle of its work: they stop it, let it go
 * on, and give the terminal another size. Where the system knows no such signals, nothing of it
 * happens.
 *
 * <p>Threading: signals come on threads of the JVM.
 */
final class JobControl {
  private static final String STOP = "TSTP";
  private static final String CONTINUE = "CONT";
  private static final long STOP_SECONDS = 2;

  private final PromptReader reader;
  private @Nullable Object stopBefore;
  private @Nullable Object continueBefore;

  JobControl(PromptReader reader) {
    this.reader = reader;
    listen();
    Signals.register("WINCH", reader::resize);
  }

  /** Gives the terminal back, stops, and takes it again when the program goes on. */
  void suspend() {
    reader.suspend(this::stop);
  }

  private void listen() {
    stopBefore = Signals.register(STOP, this::suspend);
    // After a stop that nobody can foresee (SIGSTOP) the terminal may be in any state.
    continueBefore = Signals.register(CONTINUE, reader::resume);
  }

  /**
   * Stops the job, as the terminal's driver does at Ctrl-Z: also a script that started this
   * program. It is the system's own answer to the signal, because that does not stop a program
   * which nobody could continue. A shell sends it, because Java can signal neither itself nor a
   * group, and is stopped with the others. So it ends when the job goes on; and when the time is
   * over before it ended, then this program was continued alone.
   */
  private void stop() {
    Signals.unregister(STOP, stopBefore);
    Signals.unregister(CONTINUE, continueBefore);
    try {
      Process shell =
          new ProcessBuilder("sh", "-c", "kill -" + STOP + " 0")
              .redirectOutput(Redirect.DISCARD)
              .redirectError(Redirect.DISCARD)
              .start();
      if (!shell.waitFor(STOP_SECONDS, TimeUnit.SECONDS)) {
        shell.destroyForcibly();
      }
    } catch (IOException e) {
      // There is no shell, so nobody expects to get the terminal.
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      listen();
    }
  }
}
