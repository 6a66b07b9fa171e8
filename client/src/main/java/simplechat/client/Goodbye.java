package simplechat.client;

import simplechat.protocol.ErrorCode;

/**
 * How a connection ended.
 *
 * @param ending who ended it
 * @param code the server's reason, see {@link ErrorCode} and perhaps one that is not known here;
 *     for a {@link Ending#VIOLATION} what the server did wrong; otherwise 0
 * @param retryAfterSeconds how long the server asks to stay away, 0 if it does not
 * @param text for people; from the server only if it said BYE, then as it came
 */
public record Goodbye(Ending ending, int code, int retryAfterSeconds, String text) {
  /** Who ended a connection. */
  public enum Ending {
    /** The server said BYE. */
    BYE,
    /** The connection broke, or nothing was heard for too long. */
    LOST,
    /** The server broke the protocol. */
    VIOLATION,
    /** The server does not let a member come back, with a code that refuses joins. */
    REFUSED,
    /**
     * {@link ChatClient#close} was called and the server did not answer in time, or there was no
     * connection to leave by; or the client's event loop was shut down.
     */
    CLOSED
  }

  static final String LOOP_ENDED = "the event loop was shut down";

  static Goodbye lost(String text) {
    return new Goodbye(Ending.LOST, 0, 0, text);
  }

  static Goodbye closed(String text) {
    return new Goodbye(Ending.CLOSED, 0, 0, text);
  }

  static Goodbye violation(ErrorCode code, String text) {
    return new Goodbye(Ending.VIOLATION, code.number(), 0, text);
  }

  /** True if the server confirmed a leave: everything sent before it was taken. */
  public boolean inOrder() {
    return ending == Ending.BYE && code == ErrorCode.LEFT.number();
  }

  /** True if it makes sense to connect again, after a while. */
  public boolean allowsReturn() {
    return ending == Ending.LOST || (ending == Ending.BYE && ErrorCode.allowsReconnect(code));
  }

  /** True if the server closed with this reason. */
  public boolean says(ErrorCode reason) {
    return ending == Ending.BYE && code == reason.number();
  }
}
