package simplechat.protocol;

import org.jspecify.annotations.Nullable;

/**
 * The registry of frame types (PROTOCOL.md, section "Messages").
 *
 * <p>The bits of a type tell a receiver what to do with one that it does not know: {@link
 * #FROM_SERVER} is the direction, {@link #IGNORABLE} may be skipped, {@link #EVENT} is a room
 * event.
 */
public enum MessageType {
  HELLO(0x01),
  SEND(0x02),
  LEAVE(0x03),
  CLIENT_PING(0x04),
  CLIENT_PONG(0x05),
  WHO(0x06),

  WELCOME(0x81),
  ERROR(0x82),
  BYE(0x83),
  SERVER_PING(0x84),
  SERVER_PONG(0x85),
  ROSTER(0x86),
  ACK(0x87),
  GAP(0x88),

  MSG(0xA1),
  JOINED(0xA2),
  LEFT(0xA3);

  public static final int FROM_SERVER = 0x80;
  public static final int IGNORABLE = 0x40;
  public static final int EVENT = 0x20;

  private static final @Nullable MessageType[] BY_CODE = new @Nullable MessageType[256];

  static {
    for (MessageType type : values()) {
      BY_CODE[type.code] = type;
    }
  }

  private final int code;

  MessageType(int code) {
    this.code = code;
  }

  /** The type byte, 0 to 255. */
  public int code() {
    return code;
  }

  public boolean fromServer() {
    return (code & FROM_SERVER) != 0;
  }

  public boolean event() {
    return (code & EVENT) != 0;
  }

  /** The constant of a type byte (0 to 255), null for one that this version does not know. */
  public static @Nullable MessageType of(int code) {
    return BY_CODE[code];
  }
}
