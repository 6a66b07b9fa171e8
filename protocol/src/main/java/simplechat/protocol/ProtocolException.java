package simplechat.protocol;

/**
 * A peer broke a rule of the protocol; carries the code that tells it which.
 *
 * <p>The message is meant for the peer and for logs: it never contains received bytes. There is no
 * stack trace: hostile peers cause these in any number.
 */
public final class ProtocolException extends Exception {
  private static final long serialVersionUID = 1L;

  private final ErrorCode code;

  public ProtocolException(ErrorCode code, String message) {
    super(message, null, false, false);
    this.code = code;
  }

  public ErrorCode code() {
    return code;
  }
}
