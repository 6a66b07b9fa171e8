package simplechat.protocol;

import org.jspecify.annotations.Nullable;

/** What a client may say. */
public sealed interface ClientMessage {
  MessageType type();

  /**
   * Asks to join, or to come back.
   *
   * @param versionMin lowest protocol version that the client speaks
   * @param versionMax highest
   * @param history how many past MSGs to replay at most, 0 to 65535
   * @param name as typed, at most 255 bytes of UTF-8; the server judges it
   */
  record Hello(
      int versionMin,
      int versionMax,
      int history,
      String name,
      @Nullable RoomKey key,
      @Nullable Resume resume)
      implements ClientMessage {

    /** A plain join in this version, without a key. */
    public Hello(String name, int history) {
      this(Limits.VERSION, Limits.VERSION, history, name, null, null);
    }

    @Override
    public MessageType type() {
      return MessageType.HELLO;
    }
  }

  /**
   * Where a returning client left off: the session's token, the room's epoch, the next position.
   */
  record Resume(ResumeToken token, long epoch, long next) {}

  /** A text for the room; its number is its place among the SENDs of the session, from 1. */
  record Send(String text) implements ClientMessage {
    @Override
    public MessageType type() {
      return MessageType.SEND;
    }
  }

  record Leave() implements ClientMessage {
    @Override
    public MessageType type() {
      return MessageType.LEAVE;
    }
  }

  record Ping(int opaque) implements ClientMessage {
    @Override
    public MessageType type() {
      return MessageType.CLIENT_PING;
    }
  }

  record Pong(int opaque) implements ClientMessage {
    @Override
    public MessageType type() {
      return MessageType.CLIENT_PONG;
    }
  }

  record Who() implements ClientMessage {
    @Override
    public MessageType type() {
      return MessageType.WHO;
    }
  }
}
