package simplechat.cli;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.logging.LogManager;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;

/** What all programs of this package do alike: read the command line, run, give an exit code. */
final class Program {
  /** What a program does once its options are read. */
  interface Body {
    /**
     * Runs on the main thread, which a first signal interrupts.
     *
     * @throws ParameterException if an option has a value that cannot be; before anything else
     *     happens
     */
    int run(Interrupts interrupts) throws IOException, InterruptedException;
  }

  private Program() {}

  /**
   * @param command with the annotations of picocli
   */
  static int run(Object command, String[] args, Body body) {
    // Nothing that a library has to say about itself may reach the screen of a conversation.
    LogManager.getLogManager().reset();
    System.setProperty("io.netty.leakDetection.level", "disabled");
    System.setProperty("io.netty.noUnsafe", "true");
    // What begins with @ is somebody's name, and no file whose words stand here instead.
    CommandLine commandLine = new CommandLine(command).setExpandAtFiles(false);
    try {
      refuseKey(args);
      commandLine.parseArgs(args);
      return commandLine.isUsageHelpRequested() || commandLine.isVersionHelpRequested()
          ? printHelp(commandLine)
          : run(body);
    } catch (ParameterException e) {
      complain(
          String.valueOf(e.getMessage())
              .replaceFirst("^Unmatched argument at index \\d+: ('.*')$", "$1 is no option"));
      complain("try: " + commandLine.getCommandName() + " --help");
      return ExitCode.USAGE;
    } catch (UnreadableException e) {
      complain(String.valueOf(e.getMessage()));
      return ExitCode.ERROR;
    } catch (IOException | RuntimeException e) {
      complain("internal error: " + e);
      return ExitCode.ERROR;
    }
  }

  /** Before anything is said about the arguments, which would show it. */
  private static void refuseKey(String[] args) {
    for (int i = 0; i < args.length && !args[i].equals("--"); i++) {
      if (args[i].equals("--key") || args[i].startsWith("--key=")) {
        throw wrong("a key on the command line is everybody's: use --key-file FILE or CHAT_KEY");
      }
    }
  }

  static ParameterException wrong(String message) {
    return new ParameterException(new CommandLine(new DoorOptions()), message);
  }

  static void complain(String message) {
    PrintWriter err =
        new PrintWriter(new FileOutputStream(FileDescriptor.err), true, StandardCharsets.UTF_8);
    err.println(Line.of(message).plain());
  }

  private static int run(Body body) throws IOException {
    Thread main = Thread.currentThread();
    Interrupts interrupts = new Interrupts(main::interrupt);
    try {
      return body.run(interrupts);
    } catch (InterruptedException e) {
      return interrupts.exitCode();
    }
  }

  private static int printHelp(CommandLine commandLine) {
    PrintWriter out =
        new PrintWriter(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8);
    if (commandLine.isUsageHelpRequested()) {
      commandLine.usage(out, CommandLine.Help.Ansi.OFF);
    } else {
      commandLine.printVersionHelp(out, CommandLine.Help.Ansi.OFF);
    }
    return ExitCode.OK;
  }

  /** The version of the jar, which knows it from the build. */
  static final class Version implements CommandLine.IVersionProvider {
    @Override
    public String[] getVersion() {
      String version = Program.class.getPackage().getImplementationVersion();
      return new String[] {"Simple Chat " + (version == null ? "development" : version)};
    }
  }
}
