package simplechat.bench;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A server in a process of its own, for this bench alone. */
final class StartedServer implements AutoCloseable {
  private static final String READY = "listening on ";
  private static final int STOP_SECONDS = 15;

  private final Process process;
  private final InetSocketAddress address;

  private StartedServer(Process process, InetSocketAddress address) {
    this.process = process;
    this.address = address;
  }

  /**
   * @param launcher path of {@code ./chat}
   * @throws BenchException if it does not come up; what it had to say is on stderr
   */
  static StartedServer start(String launcher, int members, List<String> options)
      throws BenchException, IOException {
    List<String> command = new ArrayList<>(List.of(launcher, "server", "--host", "127.0.0.1"));
    command.addAll(List.of("--port", "0", "--max-connections", Integer.toString(members + 16)));
    command.addAll(options);
    ProcessBuilder builder = new ProcessBuilder(command);
    // A key or a certificate of another server, for one, would keep us out.
    builder.environment().keySet().removeIf(variable -> variable.startsWith("CHAT_"));
    Process process = builder.redirectError(ProcessBuilder.Redirect.INHERIT).start();
    // Also where a signal ends this program.
    Runtime.getRuntime().addShutdownHook(new Thread(process::destroy));
    // The reader stays open: the process would not like to find its stdout closed.
    BufferedReader stdout =
        new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
    String line = stdout.readLine();
    if (line == null || !line.startsWith(READY)) {
      process.destroy();
      throw new BenchException("the server did not start");
    }
    int port = Integer.parseInt(line.substring(line.lastIndexOf(':') + 1));
    return new StartedServer(
        process, new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
  }

  InetSocketAddress address() {
    return address;
  }

  long pid() {
    return process.pid();
  }

  /** Ends it as a user would, and in the end by force. */
  @Override
  public void close() {
    process.destroy();
    try {
      if (!process.waitFor(STOP_SECONDS, TimeUnit.SECONDS)) {
        process.destroyForcibly();
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
  }
}
