package simplechat.room;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import simplechat.protocol.Limits;
import simplechat.protocol.MemberName;
import simplechat.protocol.MessageCodec;
import simplechat.protocol.MessageType;
import simplechat.protocol.ResumeToken;

/**
 * One thread appends, publishes and retires; others read as fast as they can, or slowly. Forbidden:
 * a frame that is not whole, a position twice or out of order, a hole that nothing explains, a
 * segment freed under a reader, one that is never freed.
 */
class RoomLogStressTest {
  private static final int EVENTS = 200_000;
  private static final int READERS = 3;

  private final UnpooledByteBufAllocator allocator = new UnpooledByteBufAllocator(true, true);
  private final RoomLog log = new RoomLog(allocator, 64 * 1024, 0);
  private volatile boolean finished;

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void whatIsPublishedIsReadWholeAndInOrderByEveryThread(long seed) throws Exception {
    List<Reader> readers = new ArrayList<>();
    for (int i = 0; i < READERS; i++) {
      readers.add(new Reader("r" + i, i == READERS - 1));
    }
    log.publish();
    ExecutorService threads = Executors.newFixedThreadPool(READERS);
    try {
      List<Future<?>> running = new ArrayList<>();
      readers.forEach(reader -> running.add(threads.submit(reader)));
      write(new Random(seed), readers);
      for (Future<?> one : running) {
        one.get(60, TimeUnit.SECONDS);
      }
    } finally {
      finished = true;
      threads.shutdown();
    }
    for (Reader reader : readers) {
      assertThat(reader.got + reader.missed + reader.own)
          .as("seed %s, %s", seed, reader.member.name())
          .isEqualTo(log.end() - reader.first);
      assertThat(reader.acknowledged).isEqualTo(reader.own);
    }
    assertThat(readers.get(READERS - 1).missed).as("somebody must lapse").isPositive();
    log.close();
    readers.forEach(Reader::close);
    assertThat(allocator.metric().usedDirectMemory()).isZero();
  }

  private void write(Random random, List<Reader> readers) {
    byte[] bytes = new byte[100];
    ByteBuf text = Unpooled.wrappedBuffer(bytes);
    for (int i = 0; i < EVENTS; i++) {
      Reader speaker = readers.get(random.nextInt(READERS));
      byte[] name = speaker.member.nameUtf8();
      int length = 1 + random.nextInt(bytes.length);
      Arrays.fill(bytes, fill(log.end()));
      ByteBuf out = log.begin(MessageCodec.msgBytes(name.length, length));
      MessageCodec.writeMsg(out, (int) log.end(), 0, name, text, 0, length);
      log.commit(speaker.member, ++speaker.own);
      if (random.nextInt(3) == 0) {
        log.publish();
      }
    }
    log.publish();
    finished = true;
  }

  private static byte fill(long position) {
    return (byte) ('a' + position % 26);
  }

  private final class Reader implements LogReader, Runnable {
    private final Member member;
    private final boolean slow;
    private final Cursor cursor;
    private final ByteBuf answers = allocator.directBuffer(Pieces.answerBytes());
    private final Pieces pieces = new Pieces(answers);
    private final long first;
    private final Queue<Segment> retired = new ConcurrentLinkedQueue<>();
    private int own;
    private int turns;
    private long acknowledged;
    private long got;
    private long missed;
    private long next;

    Reader(String name, boolean slow) throws Exception {
      this.member = new Member(MemberName.of(name), new ResumeToken(1, 2));
      this.slow = slow;
      // As a JOINED: the run that the cursor takes as passed.
      ByteBuf out = log.begin(128);
      MessageCodec.writeMsg(out, (int) log.end(), 0, new byte[] {'j'}, Unpooled.EMPTY_BUFFER, 0, 0);
      log.commit(member, 0);
      this.first = log.end();
      this.next = first;
      this.cursor = new Cursor(log.tail(), log.tailOffset(), next, member.runBefore(next));
      log.add(this);
    }

    @Override
    public void published() {}

    @Override
    public void retired(Segment segment) {
      retired.add(segment);
    }

    @Override
    public void run() {
      while (true) {
        boolean last = finished;
        for (Segment segment = retired.poll(); segment != null; segment = retired.poll()) {
          if (cursor.isIn(segment)) {
            cursor.lapse();
          }
          segment.release();
        }
        if (slow && !last && ++turns % 50_000 != 0) {
          Thread.onSpinWait();
          continue;
        }
        pieces.clear();
        if (cursor.collect(pieces)) {
          for (int piece = 0; piece < pieces.count(); piece++) {
            read(pieces.buffer(piece), pieces.index(piece), pieces.length(piece));
          }
          cursor.taken(pieces, pieces.count(), 0);
        } else if (last && retired.isEmpty()) {
          return;
        }
      }
    }

    private void read(ByteBuf buffer, int index, int length) {
      int at = index;
      while (at < index + length) {
        int type = buffer.getUnsignedByte(at);
        int body = at + Limits.HEADER_BYTES;
        if (type == MessageType.ACK.code()) {
          acknowledged = buffer.getInt(body + 4);
        } else if (type == MessageType.GAP.code()) {
          long goesOn = buffer.getLong(body);
          missed += buffer.getUnsignedInt(body + 8);
          assertThat(goesOn).isGreaterThan(next);
          next = goesOn;
        } else {
          event(buffer, body, buffer.getUnsignedMedium(at + 1));
        }
        at = body + buffer.getUnsignedMedium(at + 1);
      }
      assertThat(at).as("whole frames").isEqualTo(index + length);
    }

    private void event(ByteBuf buffer, int body, int length) {
      int position = buffer.getInt(body);
      if (position < next) {
        throw new AssertionError(position + " after " + next);
      }
      next = position + 1L;
      int nameBytes = buffer.getUnsignedByte(body + 8);
      for (int at = body + 9 + nameBytes; at < body + length; at++) {
        if (buffer.getByte(at) != fill(position)) {
          throw new AssertionError("not what was written at " + position);
        }
      }
      got++;
    }

    void close() {
      answers.release();
    }
  }
}
