package simplechat.room;

/** There is no room to be found; the message says where and why, in one line. */
public final class NoRoomException extends RuntimeException {
  private static final long serialVersionUID = 1;

  public NoRoomException(String message) {
    super(message);
  }
}
