package simplechat.cli;

import java.io.InputStream;
import org.jspecify.annotations.Nullable;
import simplechat.protocol.Limits;

/**
 * Commands from a pipe or a file, a line each. Reading waits while too many texts are unconfirmed,
 * so a file of any size costs no more memory than a short one.
 */
final class PipeInput implements Input {
  /** Room for the command before the longest text that any server takes. */
  private static final int LINE_MAX_BYTES = Limits.TEXT_MAX_BYTES + 64;

  private final InputStream in;

  PipeInput(InputStream in) {
    this.in = in;
  }

  @Override
  public boolean interactive() {
    return false;
  }

  /** No line of a script is ever taken for an answer. */
  @Override
  public @Nullable String ask(String question) {
    return null;
  }

  @Override
  public void start(Conversation conversation) {
    Thread thread = new Thread(() -> read(conversation), "chat-input");
    // A read from a pipe cannot be interrupted; it must not keep the program alive.
    thread.setDaemon(true);
    thread.start();
  }

  @Override
  public void stop() {}

  private void read(Conversation conversation) {
    try {
      new LineSplitter(in, LINE_MAX_BYTES, new Script(conversation)).run();
      conversation.endOfInput();
    } catch (InterruptedException e) {
      // The script has said leave, or there is nobody left to tell the rest.
      conversation.leave();
    }
  }

  /**
   * Executes lines; ends the reading by an interrupt of its own, because nothing behind it counts.
   */
  private record Script(Conversation conversation) implements LineSplitter.Receiver {
    @Override
    public void line(String line) throws InterruptedException {
      Command command = Command.parse(line);
      boolean goesOn =
          !conversation.stopped()
              && (!(command instanceof Command.Send) || awaitRoom())
              && conversation.execute(command);
      if (!goesOn) {
        throw new InterruptedException();
      }
    }

    private boolean awaitRoom() throws InterruptedException {
      return conversation.unconfirmed().awaitRoom(conversation::hearsNothing);
    }

    @Override
    public void unusable(long number, String why) {
      conversation.unconfirmed().refuse();
      conversation.complain("not sent: line " + number + " is " + why);
    }
  }
}
