package simplechat.protocol;

import java.util.List;

/** What the server may say. */
public sealed interface ServerMessage {
  MessageType type();

  /** Something that happened in the room, with its position and time. */
  sealed interface Event extends ServerMessage permits Msg, Joined, Left {
    /** Low 32 bits of the position; see {@link Positions#expand}. */
    int seq();

    /** Unix time in seconds, unsigned. */
    int time();
  }

  /**
   * The answer to a HELLO that was accepted.
   *
   * @param resumed true if the session goes on, false for a plain join
   * @param next first position that will come
   * @param head positions below it are replay, from it on they are live
   * @param received number of the session's SENDs that the server has taken
   * @param members how many are in the room, the receiver included
   * @param maxText longest text that the server takes, in bytes
   * @param heartbeat seconds of silence after which a peer is asked for a sign of life
   */
  record Welcome(
      int version,
      boolean resumed,
      long epoch,
      ResumeToken token,
      long next,
      long head,
      int received,
      int members,
      int maxText,
      int heartbeat,
      String name,
      String greeting)
      implements ServerMessage {
    @Override
    public MessageType type() {
      return MessageType.WELCOME;
    }
  }

  /**
   * A refusal; the connection stays.
   *
   * @param code see {@link ErrorCode}, perhaps one that is not known here
   * @param sendNo number of the SEND that it is about, 0 if about none
   */
  record Refused(int code, int sendNo, String text) implements ServerMessage {
    @Override
    public MessageType type() {
      return MessageType.ERROR;
    }
  }

  /**
   * The last frame of a connection.
   *
   * @param retryAfter seconds to wait before coming back
   */
  record Bye(int code, int retryAfter, String text) implements ServerMessage {
    @Override
    public MessageType type() {
      return MessageType.BYE;
    }
  }

  record Ping(int opaque) implements ServerMessage {
    @Override
    public MessageType type() {
      return MessageType.SERVER_PING;
    }
  }

  record Pong(int opaque) implements ServerMessage {
    @Override
    public MessageType type() {
      return MessageType.SERVER_PONG;
    }
  }

  /**
   * Part of the answer to WHO.
   *
   * @param more true if another ROSTER follows
   */
  record Roster(boolean more, List<String> names) implements ServerMessage {
    public Roster {
      names = List.copyOf(names);
    }

    @Override
    public MessageType type() {
      return MessageType.ROSTER;
    }
  }

  /** The receiver's SENDs up to sendNo are in the room, the last of them at seq. */
  record Ack(int seq, int sendNo) implements ServerMessage {
    @Override
    public MessageType type() {
      return MessageType.ACK;
    }
  }

  /** Events meant for the receiver that are gone, and the position at which the stream goes on. */
  record Gap(long next, int missed) implements ServerMessage {
    @Override
    public MessageType type() {
      return MessageType.GAP;
    }
  }

  record Msg(int seq, int time, String name, String text) implements Event {
    @Override
    public MessageType type() {
      return MessageType.MSG;
    }
  }

  record Joined(int seq, int time, int members, JoinedHow how, String name) implements Event {
    @Override
    public MessageType type() {
      return MessageType.JOINED;
    }
  }

  record Left(int seq, int time, int members, LeftWhy why, String name) implements Event {
    @Override
    public MessageType type() {
      return MessageType.LEFT;
    }
  }

  /** How somebody came in. A value that is not known here reads as the first. */
  enum JoinedHow {
    JOINED,
    CAME_BACK;

    static JoinedHow of(int number) {
      return number < values().length ? values()[number] : JOINED;
    }
  }

  /** Why somebody went. A value that is not known here reads as the first. */
  enum LeftWhy {
    LEFT,
    LOST,
    SLOW,
    SHUTDOWN,
    REPLACED,
    REMOVED;

    static LeftWhy of(int number) {
      return number < values().length ? values()[number] : LEFT;
    }
  }
}
