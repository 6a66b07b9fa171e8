package simplechat.status;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The figures of a server at one moment, or nearly: each event loop is asked in its turn. Counters
 * count from the start of the server.
 *
 * @param shared null unless the room is shared with other servers
 * @param logLinesLost lines of the program's log that were left out or that nobody took
 */
public record ServerMetrics(
    Connections connections,
    InRoom room,
    Traffic traffic,
    Lag lag,
    Delay loopDelay,
    Memory memory,
    @Nullable Shared shared,
    long logLinesLost) {

  /**
   * Always {@code opened - open} is the sum of {@code closed}.
   *
   * @param opened accepted
   * @param open joined or not
   * @param closed by the name of the code that was the last word, or {@code lost} without one
   * @param refused what was refused on connections that stayed, by code
   */
  public record Connections(
      long opened, int open, Map<String, Long> closed, Map<String, Long> refused) {
    public Connections {
      closed = Map.copyOf(closed);
      refused = Map.copyOf(refused);
    }
  }

  /**
   * @param members in the room
   * @param away lost, who could still come back by token
   * @param tokens of both
   * @param joins that were not a return by token
   * @param returns by token
   * @param messages taken
   * @param logStart oldest retained position
   * @param logEnd next position to be given
   * @param logBytes memory of the retained log
   */
  public record InRoom(
      int members,
      int away,
      int tokens,
      long joins,
      long returns,
      long messages,
      long logStart,
      long logEnd,
      long logBytes) {}

  /**
   * @param deliveries events that were handed to members' sockets, each counted for each member;
   *     those to a member who lags are counted when it has caught up
   * @param bytesIn read from sockets
   * @param bytesOut taken by sockets
   * @param gaps told to members
   * @param missed events that these were about
   */
  public record Traffic(long deliveries, long bytesIn, long bytesOut, long gaps, long missed) {}

  /** How much of the log members have not taken yet. */
  public record Lag(long slowestBytes, long p99Bytes) {}

  /**
   * How late the event loops came to their ticks.
   *
   * @param counts for each of {@link #BOUNDS} those up to it and above the one before, and then the
   *     rest
   */
  public record Delay(List<Long> counts, Duration sum) {
    public static final List<Duration> BOUNDS =
        List.of(
            Duration.ofMillis(1),
            Duration.ofMillis(5),
            Duration.ofMillis(25),
            Duration.ofMillis(100),
            Duration.ofMillis(500),
            Duration.ofMillis(2500));

    public Delay {
      counts = List.copyOf(counts);
    }
  }

  /**
   * @param directBytes in use of Netty's pool, the room's log included
   */
  public record Memory(long directBytes, long heapBytes) {}

  /**
   * How the server stands with the Redis of a room that many share.
   *
   * @param up true if the room is followed
   * @param waitingMessages said and not taken yet
   * @param waitingBytes memory of what waits
   * @param call how long Redis took to answer, when it was last looked at; once a second
   * @param skipped entries of its stream that made no sense
   * @param reconnects times that it was lost and found again
   */
  public record Shared(
      boolean up,
      int waitingMessages,
      long waitingBytes,
      Duration call,
      long skipped,
      long reconnects) {}

  /** The same with the figure that the server does not know itself. */
  public ServerMetrics withLogLinesLost(long lines) {
    return new ServerMetrics(connections, room, traffic, lag, loopDelay, memory, shared, lines);
  }
}
