package simplechat.client;

/** Too much waits for the server's answer already; nothing was sent. */
public final class BacklogFullException extends Exception {
  private static final long serialVersionUID = 1L;

  BacklogFullException(String bound) {
    super(bound, null, false, false);
  }
}
