package simplechat.client;

/**
 * Too much waits for the server's answer already, and nothing was sent; or the answer is too much
 * itself.
 */
public final class BacklogFullException extends Exception {
  private static final long serialVersionUID = 1L;

  BacklogFullException(String bound) {
    super(bound, null, false, false);
  }
}
