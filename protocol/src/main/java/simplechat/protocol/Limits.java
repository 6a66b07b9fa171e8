package simplechat.protocol;

/** Bounds that both peers must agree on (PROTOCOL.md, section "Limits"). */
public final class Limits {
  /** {@code 'CHAT'}: the first four bytes of a HELLO body. */
  public static final int MAGIC = 0x43484154;

  /** The one version of the protocol that this code speaks. */
  public static final int VERSION = 1;

  /** Type and body length, before every body. */
  public static final int HEADER_BYTES = 4;

  /** What a stranger may send in one frame, and a member in any frame but SEND. */
  public static final int SMALL_BODY_MAX_BYTES = 512;

  /**
   * A text that is too long by at most this is dropped and refused; beyond it the peer is closed.
   */
  public static final int OVERLONG_TEXT_BYTES = 1024;

  public static final int TEXT_DEFAULT_MAX_BYTES = 64 * 1024;

  /** The most that a server may be configured to take. */
  public static final int TEXT_MAX_BYTES = 1024 * 1024;

  public static final int NAME_MAX_CODE_POINTS = 20;

  public static final int NAME_MAX_BYTES = 64;

  public static final int KEY_MAX_BYTES = 255;

  /**
   * The most that a client has to accept in one frame: the longest MSG and what may be added to it.
   */
  public static final int SERVER_BODY_MAX_BYTES = TEXT_MAX_BYTES + 1024;

  /** Answers (ERROR, PONG, ROSTER) that wait for one member; beyond it the member is not read. */
  public static final int CONTROL_MAX_BYTES = 4 * 1024;

  private Limits() {}
}
