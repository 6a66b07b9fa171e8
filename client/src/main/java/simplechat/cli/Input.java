package simplechat.cli;

import org.jspecify.annotations.Nullable;

/** Where commands come from: a person at a terminal, or a pipe. */
interface Input {
  /** True if there is a person who can be asked. */
  boolean interactive();

  /** The answer of the person, null if there is none to be had. */
  @Nullable String ask(String question);

  /**
   * Reads commands on a thread of its own, until the input ends or says so; then the conversation
   * is left.
   */
  void start(Conversation conversation);

  /** Ends the reading, whatever it is doing. */
  void stop() throws InterruptedException;
}
