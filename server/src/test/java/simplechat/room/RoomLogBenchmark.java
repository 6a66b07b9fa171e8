package simplechat.room;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import simplechat.protocol.MemberName;
import simplechat.protocol.MessageCodec;
import simplechat.protocol.ProtocolException;
import simplechat.protocol.ResumeToken;

/** The room's own work for a message, without sockets: the append, and the walk over a crowd. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class RoomLogBenchmark {
  /** Members of the walk, and messages of a turn of appends. */
  private static final int CROWD = 1000;

  private static final byte[] NAME = "sender".getBytes(StandardCharsets.UTF_8);

  private final UnpooledByteBufAllocator allocator = new UnpooledByteBufAllocator(true, true);
  private final ByteBuf text =
      allocator.directBuffer().writeBytes("x".repeat(64).getBytes(StandardCharsets.UTF_8));
  private final ByteBuf answers = allocator.directBuffer(Pieces.answerBytes());
  private final Pieces pieces = new Pieces(answers);
  private final List<Cursor> cursors = new ArrayList<>();
  private RoomLog log;
  private Member sender;
  private int sendNo;

  /** The allocator is one without Netty's leak detector, whose records would be the garbage. */
  @Setup
  public void open() throws ProtocolException {
    log = new RoomLog(allocator, 1 << 24, 0);
    log.add(new Reader());
    sender = new Member(MemberName.of("sender"), new ResumeToken(1, 2));
  }

  /** Who is there and does not read lapses with each segment, which is not what append is about. */
  private void joinCrowd() throws ProtocolException {
    for (int i = 0; i < CROWD; i++) {
      Member member = new Member(MemberName.of("m" + i), new ResumeToken(1, i));
      cursors.add(new Cursor(log.tail(), log.tailOffset(), log.end(), member.runBefore(log.end())));
    }
  }

  @TearDown
  public void free() {
    log.close();
    text.release();
    answers.release();
  }

  /** A message becomes bytes of the log; a thousand are published at once. */
  @Benchmark
  @OperationsPerInvocation(CROWD)
  public void append() {
    for (int i = 0; i < CROWD; i++) {
      say();
    }
    log.publish();
  }

  /** A member is given what is new to it, and moves behind it. */
  @Benchmark
  @OperationsPerInvocation(CROWD)
  public long deliver() throws ProtocolException {
    if (cursors.isEmpty()) {
      joinCrowd();
    }
    say();
    log.publish();
    long bytes = 0;
    for (int i = 0; i < CROWD; i++) {
      Cursor cursor = cursors.get(i);
      pieces.clear();
      cursor.collect(pieces);
      bytes += pieces.bytes();
      cursor.taken(pieces, pieces.count(), 0);
      bytes += cursor.delivered(false);
    }
    return bytes;
  }

  private void say() {
    int length = text.readableBytes();
    ByteBuf out = log.begin(MessageCodec.msgBytes(NAME.length, length));
    MessageCodec.writeMsg(out, (int) log.end(), 0, NAME, text, text.readerIndex(), length);
    log.commit(sender, ++sendNo);
  }

  private final class Reader implements LogReader {
    @Override
    public void published() {}

    @Override
    public void retired(Segment segment) {
      for (Cursor cursor : cursors) {
        while (cursor.isIn(segment)) {
          cursor.lapse();
        }
      }
      segment.release();
    }
  }
}
