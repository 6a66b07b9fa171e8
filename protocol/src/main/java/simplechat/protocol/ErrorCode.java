package simplechat.protocol;

import org.jspecify.annotations.Nullable;

/**
 * Why a request was refused or a connection ended (PROTOCOL.md, section "Codes").
 *
 * <p>The hundreds digit says what a client does, so that a code which it does not know is safe: 1xx
 * goes on, 2xx may join again on the same connection, 3xx is closed and may come back, 4xx is
 * closed and should not.
 */
public enum ErrorCode {
  LEFT(0),

  TEXT_EMPTY(100),
  TEXT_TOO_LONG(101),
  TEXT_INVALID(102),
  JOIN_FIRST(103),
  UNEXPECTED(104),
  BUSY(105),

  NAME_TAKEN(200),
  NAME_INVALID(201),
  KEY_WRONG(202),

  SHUTDOWN(300),
  SERVER_FULL(301),
  SLOW(302),
  TIMEOUT(303),
  INTERNAL(304),

  NOT_CHAT(400),
  UNSUPPORTED_VERSION(401),
  MALFORMED(402),
  FRAME_TOO_LARGE(403),
  JOIN_TIMEOUT(404),
  REPLACED(405),
  REMOVED(406);

  private final int number;

  ErrorCode(int number) {
    this.number = number;
  }

  /** The code on the wire, an unsigned 16-bit number. */
  public int number() {
    return number;
  }

  /** True if the connection goes on: the code travels in an ERROR, otherwise in a BYE. */
  public boolean keepsConnection() {
    return keepsConnection(number);
  }

  /** Same for a code that may be unknown here. */
  public static boolean keepsConnection(int number) {
    return number >= 100 && number < 300;
  }

  /** True if the join was refused and HELLO may be sent again, for a known or unknown code. */
  public static boolean refusesJoin(int number) {
    return number >= 200 && number < 300;
  }

  /** True if a client that was closed with this code may come back, for a known or unknown code. */
  public static boolean allowsReconnect(int number) {
    return number >= 300 && number < 400;
  }

  /** The constant of a number, null for one that this version does not know. */
  public static @Nullable ErrorCode of(int number) {
    for (ErrorCode code : values()) {
      if (code.number == number) {
        return code;
      }
    }
    return null;
  }
}
