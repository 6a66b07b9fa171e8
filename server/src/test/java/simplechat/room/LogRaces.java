package simplechat.room;

import io.netty.buffer.AbstractByteBufAllocator;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledHeapByteBuf;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.III_Result;
import org.openjdk.jcstress.infra.results.II_Result;
import simplechat.protocol.Limits;
import simplechat.protocol.MemberName;
import simplechat.protocol.MessageCodec;
import simplechat.protocol.MessageType;
import simplechat.protocol.ProtocolException;
import simplechat.protocol.ResumeToken;
import simplechat.protocol.ServerMessage.Joined;
import simplechat.protocol.ServerMessage.JoinedHow;
import simplechat.protocol.ServerMessage.Left;
import simplechat.protocol.ServerMessage.LeftWhy;

/**
 * One writer against one reader, in every order in which a machine may run them: {@code mvn
 * -Pjcstress}. The first number of a result is what the reader had read when the writer was about;
 * the arbiter then reads the rest. What is not named as an outcome is forbidden.
 */
public final class LogRaces {
  private static final byte[] SPEAKER = {'s'};
  private static final int WRONG = -1000;

  private LogRaces() {}

  /** What is published is whole. */
  @JCStressTest
  @State
  @Outcome(id = "[01], 1", expect = Expect.ACCEPTABLE)
  public static class PublishVisibility extends Scene {
    public PublishVisibility() {
      super(1024);
    }

    @Actor
    public void writer() {
      say(speaker, 1);
      log.publish();
    }

    @Actor
    public void reader(II_Result result) {
      result.r1 = read();
    }

    @Arbiter
    public void arbiter(II_Result result) {
      result.r2 = result.r1 + read();
    }
  }

  /** A run that goes on after it was published is two; ACKs lie where the texts were. */
  @JCStressTest
  @State
  @Outcome(id = "[01], 1, 2", expect = Expect.ACCEPTABLE)
  public static class OwnRuns extends Scene {
    public OwnRuns() {
      super(1024);
    }

    @Actor
    public void writer() {
      say(listener, 1);
      log.publish();
      say(listener, 2);
      say(speaker, 1);
      log.publish();
    }

    @Actor
    public void reader(III_Result result) {
      result.r1 = read();
    }

    @Arbiter
    public void arbiter(III_Result result) {
      result.r2 = result.r1 + read();
      result.r3 = acknowledged;
    }
  }

  /** Each event begins a segment: the reader goes on in the next when, and only when, it is due. */
  @JCStressTest
  @State
  @Outcome(id = "[0-3], 3", expect = Expect.ACCEPTABLE)
  public static class Wrap extends Scene {
    public Wrap() {
      super(8 * FRAME_BYTES);
    }

    @Actor
    public void writer() {
      say(speaker, 1);
      log.publish();
      say(speaker, 2);
      say(speaker, 3);
      log.publish();
    }

    @Actor
    public void reader(II_Result result) {
      result.r1 = read();
    }

    @Arbiter
    public void arbiter(II_Result result) {
      result.r2 = result.r1 + read();
    }
  }

  /**
   * The log holds two events, and four are written: the reader gets or is told of each, never reads
   * what was freed, and in the end nothing is left that was not.
   */
  @JCStressTest
  @State
  @Outcome(id = "[0-4], 4, 0", expect = Expect.ACCEPTABLE)
  public static class OvertakingAndRelease extends Scene {
    public OvertakingAndRelease() {
      super(2 * FRAME_BYTES);
    }

    @Actor
    public void writer() {
      say(speaker, 1);
      log.publish();
      say(speaker, 2);
      say(speaker, 3);
      log.publish();
      say(speaker, 4);
      log.publish();
    }

    @Actor
    public void reader(III_Result result) {
      leaveRetired();
      result.r1 = read();
    }

    @Arbiter
    public void arbiter(III_Result result) {
      leaveRetired();
      result.r2 = result.r1 + read();
      log.close();
      result.r3 = held();
    }
  }

  /** Nothing that comes behind its LEFT reaches a member, though nobody has told its cursor. */
  @JCStressTest
  @State
  @Outcome(id = "[01], 1", expect = Expect.ACCEPTABLE)
  public static class CloseAgainstAppend extends Scene {
    public CloseAgainstAppend() {
      super(1024);
    }

    @Actor
    public void writer() {
      say(speaker, 1);
      leave(listener);
      log.publish();
      say(speaker, 2);
      log.publish();
    }

    @Actor
    public void reader(II_Result result) {
      result.r1 = read();
    }

    @Arbiter
    public void arbiter(II_Result result) {
      result.r2 = result.r1 + read();
    }
  }

  /** A log and the cursor of one who listens. */
  static class Scene implements LogReader {
    static final int FRAME_BYTES = MessageCodec.msgBytes(1, 1);

    final Member speaker = member("s");
    final Member listener = member("l");
    final RoomLog log;
    int acknowledged;
    private final List<ByteBuf> memory = new ArrayList<>();
    private final Queue<Segment> retired = new ConcurrentLinkedQueue<>();
    private final Cursor cursor;
    private long next;

    Scene(int logBytes) {
      log = new RoomLog(new Heap(memory), logBytes, 0);
      Joined joined = new Joined(0, 0, 2, JoinedHow.JOINED, listener.name().shown());
      MessageCodec.encode(joined, log.begin(2 * FRAME_BYTES));
      log.commit(listener, 0);
      log.publish();
      next = log.end();
      cursor = new Cursor(log.tail(), log.tailOffset(), next, listener.runBefore(next));
      cursor.cameInAt(log.endByte());
      log.add(this);
    }

    private static Member member(String name) {
      try {
        return new Member(MemberName.of(name), new ResumeToken(1, 2));
      } catch (ProtocolException e) {
        throw new AssertionError(e);
      }
    }

    @Override
    public void published() {}

    @Override
    public void retired(Segment segment) {
      retired.add(segment);
    }

    final void say(Member member, int sendNo) {
      ByteBuf text = Unpooled.wrappedBuffer(new byte[] {fill(log.end())});
      ByteBuf out = log.begin(FRAME_BYTES);
      MessageCodec.writeMsg(out, (int) log.end(), 0, member.nameUtf8(), text, 0, 1);
      log.commit(member, sendNo);
    }

    final void leave(Member member) {
      Left left = new Left((int) log.end(), 0, 1, LeftWhy.LEFT, member.name().shown());
      MessageCodec.encode(left, log.begin(2 * FRAME_BYTES));
      log.commitLeft(member);
    }

    final void leaveRetired() {
      for (Segment segment = retired.poll(); segment != null; segment = retired.poll()) {
        if (cursor.isIn(segment)) {
          cursor.lapse();
        }
        segment.release();
      }
    }

    /** How many texts came or are gone, or a negative number if anything is not as written. */
    final int read() {
      Pieces pieces = new Pieces(Unpooled.buffer(Pieces.answerBytes()));
      int count = 0;
      if (cursor.collect(pieces)) {
        for (int piece = 0; piece < pieces.count(); piece++) {
          count += read(pieces.buffer(piece), pieces.index(piece), pieces.length(piece));
        }
        cursor.taken(pieces, pieces.count(), 0);
      }
      return count;
    }

    private int read(ByteBuf buffer, int index, int length) {
      if (buffer.refCnt() == 0) {
        return WRONG;
      }
      int count = 0;
      int at = index;
      while (at < index + length) {
        int body = at + Limits.HEADER_BYTES;
        int type = buffer.getUnsignedByte(at);
        if (type == MessageType.ACK.code()) {
          acknowledged = buffer.getInt(body + 4);
        } else if (type == MessageType.GAP.code()) {
          next = buffer.getLong(body);
          count += buffer.getInt(body + 8);
        } else {
          count += type == MessageType.MSG.code() ? text(buffer, body) : WRONG;
        }
        at = body + buffer.getUnsignedMedium(at + 1);
      }
      return at == index + length ? count : WRONG;
    }

    private int text(ByteBuf buffer, int body) {
      int position = buffer.getInt(body);
      boolean right =
          position >= next
              && buffer.getByte(body + 9) == SPEAKER[0]
              && buffer.getByte(body + 10) == fill(position);
      next = position + 1L;
      return right ? 1 : WRONG;
    }

    private static byte fill(long position) {
      return (byte) ('A' + position);
    }

    final int held() {
      return (int) memory.stream().filter(buffer -> buffer.refCnt() > 0).count();
    }
  }

  /**
   * Gives heap memory where direct memory is asked for: of that there is no end to what is made.
   */
  private static final class Heap extends AbstractByteBufAllocator {
    private final List<ByteBuf> given;

    Heap(List<ByteBuf> given) {
      this.given = given;
    }

    @Override
    protected ByteBuf newHeapBuffer(int initialCapacity, int maxCapacity) {
      return new UnpooledHeapByteBuf(this, initialCapacity, maxCapacity);
    }

    @Override
    protected ByteBuf newDirectBuffer(int initialCapacity, int maxCapacity) {
      ByteBuf buffer = newHeapBuffer(initialCapacity, maxCapacity);
      given.add(buffer);
      return buffer;
    }

    @Override
    public boolean isDirectBufferPooled() {
      return false;
    }
  }
}
