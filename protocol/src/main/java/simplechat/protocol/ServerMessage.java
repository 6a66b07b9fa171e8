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
    public Bye(ErrorCode code, int retryAfter, String text) {
      this(code.number(), retryAfter, text);
    }

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
    JOINED(0),
    CAME_BACK(1);

    private final int number;

    JoinedHow(int number) {
      this.number = number;
    }

    int number() {
      return number;
    }

    static JoinedHow of(int number) {
      return number == CAME_BACK.number ? CAME_BACK : JOINED;
    }
  }

  /** Why somebody went. A value that is not known here reads as the first. */
  enum LeftWhy {
    LEFT(0),
    LOST(1),
    SLOW(2),
    SHUTDOWN(3),
    REPLACED(4),
    REMOVED(5);

    private final int number;

    LeftWhy(int number) {
      this.number = number;
    }

    public int number() {
      return number;
    }

    public static LeftWhy of(int number) {
      for (LeftWhy why : values()) {
        if (why.number == number) {
          return why;
        }
      }
      return LEFT;
    }
  }
}
