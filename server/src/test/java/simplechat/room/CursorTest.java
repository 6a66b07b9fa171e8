package simplechat.room;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import simplechat.protocol.FrameDecoder;
import simplechat.protocol.Limits;
import simplechat.protocol.MemberName;
import simplechat.protocol.MessageCodec;
import simplechat.protocol.ProtocolException;
import simplechat.protocol.ResumeToken;
import simplechat.protocol.ServerMessage;
import simplechat.protocol.ServerMessage.JoinedHow;
import simplechat.protocol.ServerMessage.LeftWhy;

/**
 * The log and its cursors against a plain list of what happened, with sockets that take any part.
 */
class CursorTest {
  private static final int LOG_BYTES = 64 * 1024;
  private static final String NO_TEXT = "in or out";

  private final UnpooledByteBufAllocator allocator = new UnpooledByteBufAllocator(true, true);
  private final RoomLog log = new RoomLog(allocator, LOG_BYTES, 0);
  private final List<Event> events = new ArrayList<>();
  private final List<Reader> readers = new ArrayList<>();

  private record Event(Member owner, int sendNo, String text) {}

  @AfterEach
  void freesEverything() {
    readers.forEach(Reader::close);
    log.close();
    assertThat(allocator.metric().usedDirectMemory()).isZero();
    assertThat(allocator.metric().usedHeapMemory()).isZero();
  }

  @Test
  void givesEachEventOfOthersOnceAndAcknowledgesOwnRuns() throws Exception {
    Reader ann = new Reader("ann");
    Reader bob = new Reader("bob");
    say(ann, "one");
    say(ann, "two");
    say(bob, "three");
    say(ann, "four");
    log.publish();
    ann.takeAll();
    bob.takeAll();
    assertThat(ann.got).containsExactly("1 " + NO_TEXT, "ack 3 2", "4 three", "ack 5 3");
    assertThat(bob.got).containsExactly("2 one", "3 two", "ack 4 1", "5 four");
  }

  @Test
  void givesNothingBeforeItIsPublished() throws Exception {
    Reader ann = new Reader("ann");
    Reader bob = new Reader("bob");
    say(ann, "one");
    bob.takeAll();
    assertThat(bob.got).isEmpty();
    log.publish();
    bob.takeAll();
    assertThat(bob.got).containsExactly("2 one");
  }

  @Test
  void neverGivesWhatLiesBehindItsStop() throws Exception {
    Reader ann = new Reader("ann");
    Reader bob = new Reader("bob");
    say(ann, "one");
    long end = log.endByte();
    say(ann, "two");
    log.publish();
    bob.cursor.stopAt(end);
    bob.takeAll();
    assertThat(bob.got).containsExactly("2 one");
    assertThat(bob.cursor.isStopped()).isTrue();
  }

  @Test
  void stoppedAtABoundaryFinishesTheFrameItStandsIn() throws Exception {
    Reader ann = new Reader("ann");
    Reader bob = new Reader("bob");
    say(ann, "one");
    say(ann, "two");
    log.publish();
    bob.take(5);
    bob.cursor.stopAtBoundary();
    assertThat(bob.cursor.isStopped()).isFalse();
    bob.takeAll();
    assertThat(bob.got).containsExactly("2 one");
    assertThat(bob.cursor.isStopped()).isTrue();
  }

  @Test
  @DisplayName("a GAP of own events alone is only acknowledged")
  void ownEventsAreNeverMissed() throws Exception {
    Reader ann = new Reader("ann");
    fillTheLog(ann);
    long lost = log.start();
    ann.takeAll();
    assertThat(ann.got).containsExactly("ack " + (lost - 1) + " " + (lost - 1), lastAck());
  }

  /** Until what was first in it has gone. */
  private void fillTheLog(Reader speaker) {
    while (log.start() == 0) {
      say(speaker, "x".repeat(1000));
      log.publish();
    }
  }

  private String lastAck() {
    return "ack " + (events.size() - 1) + " " + (events.size() - 1);
  }

  @Test
  void aFrameThatWasBegunIsFinishedBeforeTheGap() throws Exception {
    Reader ann = new Reader("ann");
    Reader bob = new Reader("bob");
    say(ann, "first");
    log.publish();
    bob.take(7);
    fillTheLog(ann);
    bob.takeAll();
    assertThat(bob.got.get(0)).isEqualTo("2 first");
    assertThat(bob.got.get(1)).isEqualTo("gap " + log.start() + " " + (log.start() - 3));
    assertThat(bob.got.get(2)).startsWith(log.start() + " x");
  }

  @Test
  @DisplayName("who ends misses nothing that lies behind the end, although it has gone")
  void missesNothingBehindItsStop() throws Exception {
    Reader ann = new Reader("ann");
    Reader bob = new Reader("bob");
    say(ann, "first");
    log.publish();
    bob.take(7);
    bob.cursor.stopAtBoundary();
    say(bob, "said by the session that came after");
    fillTheLog(ann);
    bob.takeAll();
    assertThat(bob.got).containsExactly("2 first");
    assertThat(bob.cursor.isStopped()).isTrue();
    assertThat(bob.delivered + bob.cursor.delivered(true)).isEqualTo(1);
  }

  @Test
  @DisplayName("of what has gone, who ends misses what lies before the end")
  void missesWhatIsGoneBeforeItsStop() throws Exception {
    Reader ann = new Reader("ann");
    Reader bob = new Reader("bob");
    say(ann, "first");
    log.publish();
    bob.takeAll();
    say(ann, "second");
    say(bob, "third");
    log.publish();
    bob.cursor.stopAt(log.endByte());
    say(bob, "said by the session that came after");
    fillTheLog(ann);
    bob.takeAll();
    assertThat(bob.got).containsExactly("2 first", "gap 5 1", "ack 4 1");
    assertThat(bob.cursor.isStopped()).isTrue();
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
  void everyPositionArrivesIsAcknowledgedOrMissedWhateverTheSocketTakes(long seed)
      throws Exception {
    Random random = new Random(seed);
    for (int i = 0; i < 5; i++) {
      new Reader("m" + i);
    }
    for (int turn = 0; turn < 3_000; turn++) {
      for (int i = random.nextInt(6); i >= 0; i--) {
        Reader speaker = readers.get(random.nextInt(readers.size()));
        int length = random.nextInt(50) == 0 ? random.nextInt(12_000) : random.nextInt(120);
        if (random.nextInt(8) == 0) {
          leave(speaker);
        } else {
          say(speaker, "t".repeat(length) + turn);
        }
      }
      log.publish();
      for (Reader reader : readers) {
        // The first reads everything at once, the last hardly ever: it falls out of the log.
        int patience = 1 + 3 * readers.indexOf(reader) * readers.indexOf(reader);
        if (random.nextInt(patience) == 0) {
          reader.take(random.nextInt(4) == 0 ? random.nextInt(40) : random.nextInt(9_000));
        }
      }
    }
    for (Reader reader : readers) {
      reader.takeAll();
      reader.assertComplete();
    }
    assertThat(readers.get(4).gaps).as("the test must make somebody lapse").isPositive();
    assertThat(log.heldBytes()).isLessThanOrEqualTo(LOG_BYTES);
  }

  @Test
  @DisplayName("E9: who resumes is told exactly what is gone, however much of it is its own")
  void aMemberWhoResumesIsToldExactlyWhatIsGone() throws Exception {
    Random random = new Random(7);
    Reader ann = new Reader("ann");
    Reader bob = new Reader("bob");
    while (log.start() < 3 * Past.RANGES_MIN) {
      // So few that no more of bob's ranges leave the log than are remembered.
      boolean own = random.nextInt(3) == 0;
      say(own ? bob : ann, "text " + "x".repeat(random.nextInt(900)));
      if (random.nextInt(20) == 0) {
        leave(bob);
      }
      if (random.nextBoolean()) {
        log.publish();
      }
    }
    log.publish();
    for (int next = 1; next < log.end(); next += 7) {
      Reader back = bob.resumedAt(next);
      back.takeAll();
      back.assertComplete();
      back.close();
    }
  }

  private void say(Reader speaker, String text) {
    ByteBuf bytes = Unpooled.copiedBuffer(text, StandardCharsets.UTF_8);
    byte[] name = speaker.member.nameUtf8();
    ByteBuf out = log.begin(MessageCodec.msgBytes(name.length, bytes.readableBytes()));
    MessageCodec.writeMsg(out, (int) log.end(), 0, name, bytes, 0, bytes.readableBytes());
    events.add(new Event(speaker.member, ++speaker.sent, text));
    log.commit(speaker.member, speaker.sent);
  }

  /** Every session begins with an event of its own. */
  private Member joined(Member member) {
    append(member, new ServerMessage.Joined((int) log.end(), 0, 1, JoinedHow.JOINED, "name"));
    return member;
  }

  private void leave(Reader reader) {
    append(reader.member, new ServerMessage.Left((int) log.end(), 0, 1, LeftWhy.LOST, "name"));
  }

  private void append(Member member, ServerMessage.Event event) {
    MessageCodec.encode(event, log.begin(128));
    events.add(new Event(member, 0, NO_TEXT));
    log.commit(member, 0);
  }

  /** A member's client: takes what its socket takes and checks the stream. */
  private final class Reader implements LogReader, FrameDecoder.Sink {
    private final Member member;
    private final Cursor cursor;
    private final FrameDecoder decoder = new FrameDecoder(allocator);
    private final ByteBuf answers = allocator.directBuffer(Pieces.answerBytes());
    private final Pieces pieces = new Pieces(answers);
    private final ByteBuf saved = allocator.directBuffer();
    private final List<String> got = new ArrayList<>();
    private final long first;
    private int sent;
    private int gaps;
    private long delivered;
    private long next;
    private long gapEnd;

    Reader(String name) throws ProtocolException {
      this(joined(new Member(MemberName.of(name), new ResumeToken(1, 2))), null, log.end());
    }

    private Reader(Member member, Cursor cursor, long first) {
      this.member = member;
      this.first = first;
      this.next = first;
      this.cursor =
          cursor == null
              ? new Cursor(log.tail(), log.tailOffset(), first, member.runBefore(first))
              : cursor;
      readers.add(this);
      if (cursor == null) {
        log.add(this);
      }
    }

    /** As the room does it when a member comes back. */
    Reader resumedAt(long position) {
      Cursor at;
      if (position < log.start()) {
        at = Cursor.afterGap(log.first(), position, member);
      } else {
        Segment segment = log.segment(position);
        Run passed = member.runBefore(position);
        at = new Cursor(segment, segment.offset(position), position, passed);
      }
      return new Reader(member, at, position);
    }

    @Override
    public void published() {}

    @Override
    public void retired(Segment segment) {
      if (cursor.isIn(segment)) {
        ByteBuf torn = cursor.tornBefore(null, allocator);
        saved.writeBytes(torn);
        torn.release();
        cursor.lapse();
      }
      segment.release();
    }

    void takeAll() throws ProtocolException {
      while (take(Integer.MAX_VALUE)) {
        assertThat(got.size()).isLessThan(1_000_000);
      }
    }

    /** Lets the socket take at most so many bytes; false if there was nothing. */
    boolean take(int max) throws ProtocolException {
      pieces.clear();
      if (saved.isReadable()) {
        cursor.collectTorn(pieces);
        pieces.add(saved, saved.readerIndex(), saved.readableBytes());
      }
      cursor.collect(pieces);
      int left = (int) Math.min(max, pieces.bytes());
      boolean any = pieces.count() > 0;
      ByteBuf socket = allocator.buffer();
      int whole = 0;
      while (whole < pieces.count() && left >= pieces.length(whole)) {
        move(whole, pieces.length(whole), socket);
        left -= pieces.length(whole);
        whole++;
      }
      if (left > 0) {
        move(whole, left, socket);
      }
      cursor.taken(pieces, whole, left);
      delivered += cursor.delivered(false);
      if (left > 0 && !pieces.isLog(whole) && !pieces.isCallers(whole)) {
        saved.writeBytes(
            pieces.buffer(whole), pieces.index(whole) + left, pieces.length(whole) - left);
      }
      decoder.decode(socket, this);
      socket.release();
      return any;
    }

    private void move(int piece, int length, ByteBuf socket) {
      socket.writeBytes(pieces.buffer(piece), pieces.index(piece), length);
      if (pieces.isCallers(piece)) {
        saved.skipBytes(length);
      }
    }

    @Override
    public boolean header(int type, int length) {
      assertThat(length).isLessThan(Limits.SERVER_BODY_MAX_BYTES);
      return true;
    }

    @Override
    public boolean frame(int type, ByteBuf buffer, int index, int length) throws ProtocolException {
      ServerMessage message = MessageCodec.decodeServer(type, buffer, index, length);
      if (message instanceof ServerMessage.Event event) {
        explainHole(event.seq());
        Event expected = events.get(event.seq());
        assertThat(expected.owner()).isNotSameAs(member);
        next = event.seq() + 1L;
        String text = message instanceof ServerMessage.Msg msg ? msg.text() : NO_TEXT;
        assertThat(text).isEqualTo(expected.text());
        got.add(event.seq() + " " + text);
      } else if (message instanceof ServerMessage.Ack ack) {
        assertThat(events.get(ack.seq())).extracting(Event::owner).isSameAs(member);
        assertThat(events.get(ack.seq()).sendNo()).isEqualTo(ack.sendNo());
        if (ack.seq() >= gapEnd) {
          explainHole(ack.seq());
          next = ack.seq() + 1L;
        }
        got.add("ack " + ack.seq() + " " + ack.sendNo());
      } else if (message instanceof ServerMessage.Gap gap) {
        long missed =
            events.subList((int) next, (int) gap.next()).stream()
                .filter(event -> event.owner() != member)
                .count();
        assertThat((long) gap.missed()).as("missed up to %s", gap.next()).isEqualTo(missed);
        next = gap.next();
        gapEnd = next;
        gaps++;
        got.add("gap " + gap.next() + " " + gap.missed());
      } else {
        fail("unexpected " + message);
      }
      return true;
    }

    /** Everything between the last event and this one is the member's own. */
    private void explainHole(long until) {
      assertThat(until).isGreaterThanOrEqualTo(next);
      for (Event event : events.subList((int) next, (int) until)) {
        assertThat(event.owner()).as("a hole before %s", until).isSameAs(member);
      }
    }

    void assertComplete() {
      explainHole(events.size());
      delivered += cursor.delivered(true);
      assertThat(delivered)
          .as("deliveries counted")
          .isEqualTo(got.stream().filter(line -> !line.matches("(ack|gap) .*")).count());
      long sends =
          events.subList((int) first, events.size()).stream()
              .filter(event -> event.owner() == member && event.sendNo() > 0)
              .count();
      if (sends > 0) {
        String lastAck =
            got.stream().filter(line -> line.startsWith("ack")).reduce("", (a, b) -> b);
        int lastSend = 0;
        for (Event event : events) {
          lastSend = event.owner() == member ? Math.max(lastSend, event.sendNo()) : lastSend;
        }
        assertThat(lastAck).endsWith(" " + lastSend);
      }
    }

    void close() {
      decoder.close();
      if (answers.refCnt() > 0) {
        answers.release();
        saved.release();
      }
    }
  }
}
