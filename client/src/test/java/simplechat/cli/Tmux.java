package simplechat.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;

/** A real terminal, on a tmux server of its own that dies with it. */
final class Tmux implements AutoCloseable {
  private static final Path PROGRAM = Path.of("/usr/bin/tmux");

  private final String socket =
      "chat-test-" + ProcessHandle.current().pid() + "-" + System.nanoTime();

  static boolean isInstalled() {
    return Files.isExecutable(PROGRAM);
  }

  /** Begins a shell in a terminal of this size. */
  Tmux(int columns, int rows) throws Exception {
    run(
        "-f",
        "/dev/null",
        "new-session",
        "-d",
        "-x",
        "" + columns,
        "-y",
        "" + rows,
        "env PS1='$ ' sh");
  }

  /** Sends a signal from outside to the client of this port. */
  void signal(int port, String name) throws Exception {
    kill(name, "" + client(port).pid());
  }

  /** The client of this port. */
  ProcessHandle client(int port) {
    String option = "--port " + port + " ";
    return ProcessHandle.allProcesses()
        .filter(process -> process.info().commandLine().orElse("").contains(option))
        .findAny()
        .orElseThrow();
  }

  /** The modes in which its driver is now. */
  String modes() throws Exception {
    String device = run("display-message", "-p", "#{pane_tty}").strip();
    Process stty = new ProcessBuilder("stty", "-g").redirectInput(new File(device)).start();
    String modes = new String(stty.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(stty.waitFor()).isZero();
    return modes;
  }

  /** Takes it away from whoever has it; the shell behind it is another. */
  void hangUp() throws Exception {
    run("respawn-pane", "-k", "env PS1='$ ' sh");
  }

  /** Takes nothing more of what programs write, until this is closed. */
  AutoCloseable freeze() throws Exception {
    String pid = run("display-message", "-p", "#{pid}").strip();
    kill("STOP", pid);
    return () -> kill("CONT", pid);
  }

  private static void kill(String signal, String pid) throws Exception {
    assertThat(new ProcessBuilder("kill", "-" + signal, pid).start().waitFor()).isZero();
  }

  /** Runs the program; the exit code is shown behind it, and whether the terminal is as it was. */
  void startClient(int port, String options) throws Exception {
    startClient("", port, options);
  }

  /**
   * @param before what stands before it in the shell's command, such as a pipe that it reads
   */
  void startClient(String before, int port, String options) throws Exception {
    String program =
        String.join(
            " ",
            ProcessHandle.current().info().command().orElseThrow(),
            "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
            // The packaged program's manifest allows it; without, a newer JVM warns on the screen.
            Runtime.version().feature() < 24 ? "" : "--enable-native-access=ALL-UNNAMED",
            "-cp '" + System.getProperty("java.class.path") + "'",
            ClientMain.class.getName(),
            "--port",
            "" + port,
            options);
    Path script = Files.createTempFile("chat-client", ".sh");
    script.toFile().deleteOnExit();
    Files.writeString(
        script,
        "tty=$(stty -g)\nclear\n"
            + before
            + program
            + "\nrc=$? same=\n[ \"$tty\" = \"$(stty -g)\" ] && same=same-tty\necho rc=$rc $same\n");
    type(". " + script);
    press("Enter");
  }

  /** Types characters as they are. */
  void type(String text) throws Exception {
    // tmux takes a semicolon at the end for its own.
    run(
        "send-keys",
        "-l",
        text.endsWith(";") ? text.substring(0, text.length() - 1) + "\\;" : text);
  }

  /** Presses keys by tmux's names for them. */
  void press(String... keys) throws Exception {
    List<String> arguments = new ArrayList<>(List.of("send-keys"));
    arguments.addAll(List.of(keys));
    run(arguments.toArray(String[]::new));
  }

  /** Pastes; in brackets as terminals do for a program that asked for them, or as if typed. */
  void paste(String text, boolean inBrackets) throws Exception {
    Path file = Files.createTempFile("chat-paste", ".txt");
    file.toFile().deleteOnExit();
    Files.writeString(file, text);
    run("load-buffer", file.toString());
    Files.delete(file);
    run(inBrackets ? new String[] {"paste-buffer", "-p"} : new String[] {"paste-buffer"});
  }

  void resize(int columns) throws Exception {
    run("resize-window", "-x", "" + columns);
  }

  /** From now on keeps every byte that the terminal is sent. */
  void record(Path file) throws Exception {
    run("pipe-pane", "cat > " + file);
  }

  /** What can be seen, without blanks at the ends of rows and empty rows below. */
  String screen() throws Exception {
    return run("capture-pane", "-p").stripTrailing();
  }

  /** Column and row of the cursor, from 0. */
  String cursor() throws Exception {
    return run("display-message", "-p", "#{cursor_x},#{cursor_y}").strip();
  }

  /** Waits until this can be seen; a failure shows what could be seen instead. */
  void await(String part) {
    Awaitility.await()
        .pollInterval(Duration.ofMillis(50))
        .atMost(Duration.ofSeconds(15))
        .untilAsserted(() -> assertThat(screen()).contains(part));
  }

  /** Waits until this is the end of what can be seen. */
  void awaitEnd(String part) {
    Awaitility.await()
        .pollInterval(Duration.ofMillis(50))
        .atMost(Duration.ofSeconds(15))
        .untilAsserted(() -> assertThat(screen()).endsWith(part));
  }

  /** The last row that is not empty. */
  String lastRow() throws Exception {
    String screen = screen();
    return screen.substring(screen.lastIndexOf('\n') + 1);
  }

  @Override
  public void close() throws Exception {
    run("kill-server");
  }

  private String run(String... arguments) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of(PROGRAM.toString(), "-u", "-L", socket));
    command.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    ClientProgramTest.clean(builder);
    builder.environment().put("LC_ALL", "C.UTF-8");
    builder.environment().remove("TMUX");
    Process process = builder.start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (!process.waitFor(10, TimeUnit.SECONDS) || process.exitValue() != 0) {
      throw new IOException("tmux " + List.of(arguments) + ": " + output);
    }
    return output;
  }
}
