package simplechat.client;

import org.jspecify.annotations.Nullable;
import simplechat.protocol.ErrorCode;

/**
 * A request was refused and the connection goes on; by the server, or here before it was sent.
 *
 * <p>The message is the server's text as it came, and not safe to print as it is.
 */
public final class RefusedException extends Exception {
  private static final long serialVersionUID = 1L;

  private final int code;

  RefusedException(int code, String text) {
    super(text, null, false, false);
    this.code = code;
  }

  RefusedException(ErrorCode code, String text) {
    this(code.number(), text);
  }

  /** The number of an {@link ErrorCode}, or one that is not known here. */
  public int code() {
    return code;
  }

  /** The constant of the code, null if it is not known here. */
  public @Nullable ErrorCode reason() {
    return ErrorCode.of(code);
  }
}
