package simplechat.room;

import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;
import simplechat.protocol.MemberName;
import simplechat.protocol.ResumeToken;

/**
 * Somebody who has joined, from then until a LEAVE, or until the token of a lost one expires. A
 * return by token is the same member.
 *
 * <p>Threading: the room's loop only. Bounds: a member that says nothing is a name and a token;
 * what it said is remembered as runs while the log retains it, and as its {@link Past} beyond.
 */
public final class Member {
  private final MemberName name;
  private final byte[] nameUtf8;
  private final ResumeToken token;
  private @Nullable MemberConnection connection;
  private boolean leaving;
  private long ordinal;
  private int received;
  private long lostAtNanos;
  private @Nullable Run oldestRun;
  private @Nullable Run newestRun;
  private @Nullable Past past;

  public Member(MemberName name, ResumeToken token) {
    this.name = name;
    this.nameUtf8 = name.shown().getBytes(StandardCharsets.UTF_8);
    this.token = token;
  }

  public MemberName name() {
    return name;
  }

  byte[] nameUtf8() {
    return nameUtf8;
  }

  public ResumeToken token() {
    return token;
  }

  /** How many SENDs of the session were taken, refused ones included. */
  public int received() {
    return received;
  }

  void received(int sendNo) {
    received = sendNo;
  }

  /**
   * Position of the JOINED, which is the place in the order of joining; a return gives a new one.
   */
  public long ordinal() {
    return ordinal;
  }

  /**
   * True if this connection speaks for the member, and not one that was replaced, is gone or goes.
   */
  @SuppressWarnings("ReferenceEquality") // which one it is, is the question
  boolean isConnected(MemberConnection candidate) {
    return connection == candidate && !leaving;
  }

  public @Nullable MemberConnection connection() {
    return connection;
  }

  /**
   * @param connection null if it is not on this node
   */
  void connect(@Nullable MemberConnection connection, long ordinal) {
    this.connection = connection;
    this.ordinal = ordinal;
    leaving = false;
  }

  /** Its connection wants to hear no more of it, but the LEFT has not happened yet. */
  void leaving() {
    leaving = true;
  }

  public boolean isLeaving() {
    return leaving;
  }

  void disconnect(long nowNanos) {
    connection = null;
    leaving = false;
    lostAtNanos = nowNanos;
  }

  long lostAtNanos() {
    return lostAtNanos;
  }

  void add(Run run) {
    if (newestRun == null) {
      oldestRun = run;
    } else {
      newestRun.nextOfOwner(run);
    }
    newestRun = run;
  }

  /**
   * The run has left the log, and all before it. The newest is kept, since those that follow will
   * hang on it.
   */
  void retired(Run run) {
    if (past == null) {
      past = new Past();
    }
    past.add(run);
    while (oldestRun != null
        && oldestRun != newestRun
        && oldestRun.firstPosition() <= run.firstPosition()) {
      oldestRun = oldestRun.nextOfOwner();
    }
  }

  /** What has left the log, null if that is nothing. */
  @Nullable Past past() {
    return past;
  }

  /** The last run before a position that the log retains, or a stub before the first. */
  Run runBefore(long position) {
    Run before = new Run(this, 0, 0);
    Run run = oldestRun;
    if (run != null) {
      before.stubBefore(run);
    }
    while (run != null && run.endPosition() <= position) {
      before = run;
      run = run.nextOfOwner();
    }
    return before;
  }
}
