package simplechat.client;

/** The connection ended before the answer came, so nobody knows whether the request was heard. */
public final class EndedException extends Exception {
  private static final long serialVersionUID = 1L;

  private final transient Goodbye goodbye;

  EndedException(Goodbye goodbye) {
    super(goodbye.text(), null, false, false);
    this.goodbye = goodbye;
  }

  /** How it ended. */
  public Goodbye goodbye() {
    return goodbye;
  }
}
