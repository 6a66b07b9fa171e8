package simplechat.cli;

import org.jspecify.annotations.Nullable;
import simplechat.client.Goodbye;
import simplechat.protocol.ErrorCode;

/** What to say about the end of a connection. Pure. */
final class Farewell {
  private static final String FULL = "the server is full";

  private Farewell() {}

  /** For somebody who was in the room. */
  static String text(Goodbye goodbye) {
    return switch (goodbye.ending()) {
      case LOST -> "connection lost";
      case CLOSED -> "left without a connection";
      case REFUSED -> "cannot come back: " + goodbye.text();
      case VIOLATION -> "connection lost: the server broke the protocol (" + goodbye.text() + ")";
      case BYE -> bye(goodbye);
    };
  }

  /** For somebody who did not get in. */
  static String textAtTheDoor(Goodbye goodbye, String address) {
    if (goodbye.says(ErrorCode.UNSUPPORTED_VERSION)) {
      return address + " speaks another version of the protocol: " + goodbye.text();
    }
    if (goodbye.ending() == Goodbye.Ending.BYE) {
      return bye(goodbye);
    }
    return goodbye.code() == ErrorCode.NOT_CHAT.number()
        ? address + " is not a chat server"
        : "cannot join at " + address + ": " + goodbye.text();
  }

  private static String bye(Goodbye goodbye) {
    ErrorCode code = ErrorCode.of(goodbye.code());
    if (code == ErrorCode.SERVER_FULL) {
      return FULL
          + (goodbye.text().isBlank() || goodbye.text().equals(FULL) ? "" : ": " + goodbye.text());
    }
    String known = code == null ? null : known(code);
    if (known != null) {
      return known;
    }
    return "the server closed the connection"
        + (goodbye.text().isBlank() ? " (" + goodbye.code() + ")" : ": " + goodbye.text());
  }

  private static @Nullable String known(ErrorCode code) {
    return switch (code) {
      case LEFT -> "left the chat";
      case SHUTDOWN -> "server is shutting down";
      case SLOW -> "too slow for the room";
      case TIMEOUT -> "the server heard nothing for too long";
      case REPLACED -> "this name continues in another window";
      case REMOVED -> "you were removed from the chat";
      default -> null;
    };
  }
}
