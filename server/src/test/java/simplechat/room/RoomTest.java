package simplechat.room;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.lang.ref.WeakReference;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import simplechat.protocol.ClientMessage.Resume;
import simplechat.protocol.ErrorCode;
import simplechat.protocol.MemberName;
import simplechat.protocol.Positions;
import simplechat.protocol.ProtocolException;
import simplechat.protocol.ResumeToken;
import simplechat.protocol.ServerMessage;
import simplechat.protocol.ServerMessage.Ack;
import simplechat.protocol.ServerMessage.Event;
import simplechat.protocol.ServerMessage.Gap;
import simplechat.protocol.ServerMessage.Left;
import simplechat.protocol.ServerMessage.LeftWhy;
import simplechat.protocol.ServerMessage.Msg;

/** The room on one thread, with a clock that stands where it is put. */
class RoomTest {
  private static final Instant NOW = Instant.ofEpochSecond(1_700_000_000);
  private static final Duration WINDOW = Duration.ofMinutes(2);
  private static final int LOG_BYTES = 1 << 20;

  /** Without Netty's leak detector, which would be slow; what is left is counted instead. */
  private final UnpooledByteBufAllocator allocator = new UnpooledByteBufAllocator(true, true);

  private final Deque<Runnable> turn = new ArrayDeque<>();
  private final Deque<Runnable> later = new ArrayDeque<>();
  private final List<Room> rooms = new ArrayList<>();
  private Instant now = NOW;
  private int published;
  private long tellingNanos;
  private long nanos = Long.MAX_VALUE - Duration.ofSeconds(100).toNanos();

  private Room room(long firstPosition, long logBytes) {
    RoomSettings settings =
        new RoomSettings(
            logBytes, 65_536, Duration.ofSeconds(30), WINDOW, 10_000, "", firstPosition);
    Room room = new Room(settings, allocator, this::execute, () -> now, () -> nanos);
    room.add(new Reader());
    rooms.add(room);
    return room;
  }

  @AfterEach
  void free() {
    rooms.forEach(Room::free);
    assertThat(allocator.metric().usedDirectMemory()).isZero();
  }

  /** Nobody lags in these tests: a segment that retires is let go at once. */
  private final class Reader implements LogReader {
    @Override
    public void published() {
      published++;
      nanos += tellingNanos;
    }

    @Override
    public void retired(Segment segment) {
      segment.release();
    }
  }

  private void execute(Runnable task, long delayNanos) {
    (delayNanos > 0 ? later : turn).add(task);
  }

  private void endTurn() {
    while (!turn.isEmpty()) {
      turn.remove().run();
    }
  }

  private static FakeConnection join(Room room, String name) {
    FakeConnection connection = new FakeConnection();
    room.join(name(name), 0, null, connection);
    return connection;
  }

  private static FakeConnection resume(Room room, FakeConnection earlier, long next) {
    ServerMessage.Welcome before = earlier.welcome();
    FakeConnection connection = new FakeConnection();
    Resume resume = new Resume(before.token(), before.epoch(), next);
    room.join(name(before.name()), 0, resume, connection);
    return connection;
  }

  private static MemberName name(String name) {
    try {
      return MemberName.of(name);
    } catch (ProtocolException e) {
      throw new AssertionError(e);
    }
  }

  private static void say(Room room, FakeConnection speaker, int sendNo, String text) {
    ByteBuf bytes = Unpooled.copiedBuffer(text, StandardCharsets.UTF_8);
    room.send(speaker.member(), speaker, sendNo, bytes, 0, bytes.readableBytes());
  }

  private static long position(long expected, int seq) {
    try {
      return Positions.expand(expected, seq);
    } catch (ProtocolException e) {
      throw new AssertionError(e);
    }
  }

  /** Its last run stays with its cursor; what came behind that must not hang on it. */
  @Test
  void whoStaysSilentKeepsNothingOfThoseWhoCameLater() {
    Room room = room(0, LOG_BYTES);
    FakeConnection silent = join(room, "silent");
    say(room, silent, 1, "hi");
    WeakReference<Member> guest = comeSpeakAndGo(room);
    FakeConnection talker = join(room, "talker");
    for (int i = 1; i <= 300; i++) {
      say(room, talker, i, "x".repeat(LOG_BYTES / 100));
      endTurn();
      silent.read();
      talker.read();
    }
    silent.forget();
    talker.forget();
    await()
        .until(
            () -> {
              System.gc();
              return guest.get() == null;
            });
    assertThat(silent.cursor().hasPassed(1)).isTrue();
  }

  private WeakReference<Member> comeSpeakAndGo(Room room) {
    FakeConnection guest = join(room, "guest");
    say(room, guest, 1, "hi");
    room.leave(guest.member(), guest);
    endTurn();
    return new WeakReference<>(guest.member());
  }

  /** {@code seq} is the low 32 bits of a position; both sides go on across its wrap. */
  @ParameterizedTest
  @ValueSource(longs = {0xFFFFFFFAL, 0x7FFFFFFAL, 0x1_FFFF_FFFAL, 0x1234_FFFF_FFFAL})
  void positionsGoOnAcrossTheWrapOfSeq(long first) {
    Room room = room(first, LOG_BYTES);
    FakeConnection alice = join(room, "alice");
    FakeConnection bob = join(room, "bob");
    endTurn();
    alice.read();
    long expected = bob.welcome().next();
    assertThat(expected).isEqualTo(first + 2);
    for (int i = 1; i <= 10; i++) {
      say(room, alice, i, "text " + i);
      endTurn();
      Msg msg = (Msg) bob.read().get(0);
      assertThat(position(expected, msg.seq())).isEqualTo(expected);
      assertThat(msg.time()).isEqualTo((int) NOW.getEpochSecond());
      assertThat(alice.read()).containsExactly(new Ack((int) expected, i));
      expected++;
    }
    room.lose(bob.member(), bob, LeftWhy.LOST);
    FakeConnection again = resume(room, bob, first + 4);
    endTurn();
    assertThat(again.welcome().resumed()).isTrue();
    List<ServerMessage> replay = again.read();
    assertThat(replay).hasSize(8);
    assertThat(position(first + 4, ((Event) replay.get(0)).seq())).isEqualTo(first + 4);
    FakeConnection reader = new FakeConnection();
    room.join(name("reader"), 3, null, reader);
    endTurn();
    assertThat(reader.read().get(0)).isInstanceOfSatisfying(Msg.class, msg -> isText(msg, 8));
  }

  private static void isText(Msg msg, int number) {
    assertThat(msg.text()).isEqualTo("text " + number);
  }

  /** However many read it, an event lies in memory once, and every write points there. */
  @Test
  void anEventIsEncodedOnceForAThousandMembers() {
    Room room = room(0, LOG_BYTES);
    List<FakeConnection> members = new ArrayList<>();
    for (int i = 0; i < 1000; i++) {
      members.add(join(room, "m" + i));
    }
    endTurn();
    members.forEach(FakeConnection::read);
    FakeConnection speaker = members.get(0);
    long held = room.status().logBytes();
    for (int i = 1; i <= 10; i++) {
      say(room, speaker, i, "text " + i);
    }
    endTurn();
    Pieces first = members.get(1).collect();
    assertThat(first.count()).isEqualTo(1);
    for (FakeConnection member : members.subList(2, members.size())) {
      Pieces pieces = member.collect();
      assertThat(pieces.count()).isEqualTo(1);
      assertThat(pieces.buffer(0)).isSameAs(first.buffer(0));
      assertThat(pieces.index(0)).isEqualTo(first.index(0));
      assertThat(pieces.length(0)).isEqualTo(first.length(0));
    }
    assertThat(room.status().logBytes()).isEqualTo(held);
    assertThat(speaker.read()).extracting(ServerMessage::getClass).containsOnly(Ack.class);
  }

  /** D12: nothing but the times that are told follows the wall clock. */
  @ParameterizedTest
  @ValueSource(longs = {3600, -3600, 86_400, -86_400})
  void aJumpOfTheWallClockChangesNothingButTheTimes(long seconds) {
    Room room = room(0, LOG_BYTES);
    FakeConnection alice = join(room, "alice");
    FakeConnection bob = join(room, "bob");
    FakeConnection carol = join(room, "carol");
    room.lose(carol.member(), carol, LeftWhy.LOST);
    endTurn();
    bob.read();
    say(room, alice, 1, "before");
    now = now.plusSeconds(seconds);
    room.expire();
    say(room, alice, 2, "behind");
    endTurn();
    List<ServerMessage> heard = bob.read();
    assertThat(heard).extracting(it -> ((Msg) it).text()).containsExactly("before", "behind");
    assertThat(heard)
        .extracting(it -> ((Msg) it).time())
        .containsExactly((int) NOW.getEpochSecond(), (int) now.getEpochSecond());
    assertThat(room.members()).isEqualTo(2);
    assertThat(resume(room, carol, carol.welcome().head()).welcome().resumed()).isTrue();
    endTurn();
  }

  /** D18: 64 random bits, of which the clock is none. */
  @Test
  void noTwoRoomsShareAnEpochAtTheSameInstant() {
    int rooms = 64;
    Set<Long> epochs = new HashSet<>();
    long ever = 0;
    long always = -1;
    for (int i = 0; i < rooms; i++) {
      long epoch = join(room(0, LOG_BYTES), "alice").welcome().epoch();
      epochs.add(epoch);
      ever |= epoch;
      always &= epoch;
      endTurn();
    }
    assertThat(epochs).hasSize(rooms);
    assertThat(ever).as("bits that are ever set").isEqualTo(-1);
    assertThat(always).as("bits that are always set").isZero();
  }

  /** A token is good for the window from the loss, and for no longer. */
  @Test
  void aSessionCanComeBackAt119SecondsAndNotAt121() {
    for (boolean late : new boolean[] {false, true}) {
      Room room = room(0, LOG_BYTES);
      FakeConnection bob = join(room, "bob");
      nanos += Duration.ofSeconds(500).toNanos();
      room.lose(bob.member(), bob, LeftWhy.LOST);
      nanos += WINDOW.plusSeconds(late ? 1 : -1).toNanos();
      if (late) {
        assertThat(resume(room, bob, 1).welcome().resumed()).isFalse();
      } else {
        room.expire();
        assertThat(resume(room, bob, 1).welcome().resumed()).isTrue();
      }
      endTurn();
    }
  }

  /** The window is counted from the last loss, and those who are forgotten cost nothing. */
  @Test
  void everyLossBeginsANewWindowAndWhoIsForgottenIsGone() {
    Room room = room(0, LOG_BYTES);
    FakeConnection bob = join(room, "bob");
    for (int i = 0; i < 5; i++) {
      room.lose(bob.member(), bob, LeftWhy.LOST);
      nanos += WINDOW.minusSeconds(1).toNanos();
      room.expire();
      bob = resume(room, bob, bob.welcome().head());
      assertThat(bob.welcome().resumed()).isTrue();
    }
    room.lose(bob.member(), bob, LeftWhy.LOST);
    assertThat(room.status().lost()).isEqualTo(1);
    nanos += WINDOW.plusSeconds(1).toNanos();
    room.expire();
    assertThat(room.status().lost()).isZero();
    assertThat(room.members()).isZero();
    endTurn();
  }

  /** A refused resume leaves what is left of the window. */
  @Test
  void aTakenNameDoesNotEndTheWindow() {
    Room room = room(0, LOG_BYTES);
    FakeConnection bob = join(room, "bob");
    room.lose(bob.member(), bob, LeftWhy.LOST);
    FakeConnection thief = join(room, "BOB");
    nanos += WINDOW.minusSeconds(1).toNanos();
    assertThat(resume(room, bob, 1).refusal()).isEqualTo(ErrorCode.NAME_TAKEN);
    room.leave(thief.member(), thief);
    assertThat(resume(room, bob, 1).welcome().resumed()).isTrue();
    endTurn();
  }

  /** E5: nobody can have read what has not happened yet. */
  @ParameterizedTest
  @ValueSource(ints = {0, 1})
  void whoReturnsHasReadNoFurtherThanTheEnd(int beyond) {
    Room room = room(0, LOG_BYTES);
    FakeConnection bob = join(room, "bob");
    room.lose(bob.member(), bob, LeftWhy.LOST);
    endTurn();
    long end = bob.welcome().head() + 1;
    assertThat(resume(room, bob, end + beyond).welcome().resumed()).isEqualTo(beyond == 0);
    endTurn();
  }

  @Test
  void everyBitOfATokenIsRandom() {
    Room room = room(0, LOG_BYTES);
    int count = 1_000;
    int[] ones = new int[128];
    for (int i = 0; i < count; i++) {
      ResumeToken token = join(room, "m" + i).welcome().token();
      for (int bit = 0; bit < 64; bit++) {
        ones[bit] += (int) (token.high() >>> bit & 1);
        ones[64 + bit] += (int) (token.low() >>> bit & 1);
      }
      endTurn();
    }
    // Eight standard deviations.
    assertThat(IntStream.of(ones)).allMatch(one -> Math.abs(one - count / 2) <= 127);
  }

  @Test
  void aTokenCannotBeGuessed() {
    Room room = room(0, LOG_BYTES);
    FakeConnection bob = join(room, "bob");
    room.lose(bob.member(), bob, LeftWhy.LOST);
    Random random = new Random(1);
    ResumeToken token = bob.welcome().token();
    for (int i = 0; i < 100_000; i++) {
      ResumeToken guess =
          i % 2 == 0
              ? new ResumeToken(random.nextLong(), random.nextLong())
              : new ResumeToken(token.high(), token.low() ^ (1L << i % 64));
      FakeConnection stranger = new FakeConnection();
      room.join(name("bob"), 0, new Resume(guess, bob.welcome().epoch(), 1), stranger);
      assertThat(stranger.welcome().resumed()).isFalse();
      room.leave(stranger.member(), stranger);
      endTurn();
    }
    assertThat(resume(room, bob, bob.welcome().head()).welcome().resumed()).isTrue();
    endTurn();
  }

  /** A connection that was replaced speaks, leaves and is lost for nobody any more. */
  @Test
  void whatComesFromAReplacedConnectionHasNoEffect() {
    Room room = room(0, LOG_BYTES);
    FakeConnection alice = join(room, "alice");
    FakeConnection old = join(room, "bob");
    FakeConnection next = resume(room, old, 2);
    endTurn();
    alice.read();
    assertThat(old.dismissal()).isEqualTo(ErrorCode.REPLACED);
    say(room, old, 1, "too late");
    room.refusedSend(old.member(), old, 1);
    room.lose(old.member(), old, LeftWhy.LOST);
    room.leave(old.member(), old);
    endTurn();
    assertThat(alice.read()).isEmpty();
    assertThat(room.members()).isEqualTo(2);
    say(room, next, 1, "now");
    endTurn();
    assertThat(alice.read()).hasSize(1);
    assertThat(old.read()).as("behind its own LEFT").isEmpty();
  }

  /** The stream of a connection ends at its own LEFT, before anybody tells its loop so. */
  @Test
  void nothingIsGivenBehindAnOwnLeft() {
    Room room = room(0, LOG_BYTES);
    FakeConnection alice = join(room, "alice");
    FakeConnection bob = join(room, "bob");
    endTurn();
    say(room, bob, 1, "last");
    room.lose(bob.member(), bob, LeftWhy.LOST);
    say(room, alice, 1, "behind");
    FakeConnection again = resume(room, bob, bob.welcome().next());
    say(room, again, 2, "successor's");
    endTurn();
    assertThat(bob.read()).extracting(ServerMessage::getClass).containsExactly(Ack.class);
    List<ServerMessage> replay = again.read();
    assertThat(replay.get(0)).isEqualTo(new Ack((int) bob.welcome().next(), 1));
    assertThat(((Msg) replay.get(1)).text()).isEqualTo("behind");
    assertThat(replay.get(2))
        .isInstanceOfSatisfying(Ack.class, a -> assertThat(a.sendNo()).isEqualTo(2));
    assertThat(replay).hasSize(3);
  }

  /** The ACK of what was said in the turn of the loss has come, and does not come again. */
  @Test
  void whatWasAcknowledgedBeforeTheLossIsNotAcknowledgedAgain() {
    Room room = room(0, LOG_BYTES);
    FakeConnection bob = join(room, "bob");
    endTurn();
    say(room, bob, 1, "last");
    room.lose(bob.member(), bob, LeftWhy.LOST);
    endTurn();
    Ack ack = (Ack) bob.read().get(0);
    FakeConnection again = resume(room, bob, ack.seq() + 1);
    endTurn();
    assertThat(again.read()).isEmpty();
    say(room, again, 2, "next");
    endTurn();
    assertThat(again.read())
        .singleElement()
        .isInstanceOfSatisfying(Ack.class, next -> assertThat(next.sendNo()).isEqualTo(2));
  }

  /** An empty room and a room of one turn the log over in the memory that they were given. */
  @Test
  void theLogStaysWithinItsBoundWhoeverReadsIt() {
    Room room = room(0, LOG_BYTES);
    for (int i = 0; i < 50_000; i++) {
      FakeConnection passing = join(room, "passing");
      if (i % 2 == 0) {
        room.leave(passing.member(), passing);
      } else {
        room.lose(passing.member(), passing, LeftWhy.LOST);
        nanos += WINDOW.plusSeconds(1).toNanos();
        room.expire();
      }
      endTurn();
      assertThat(room.status().logBytes()).isLessThanOrEqualTo(LOG_BYTES);
    }
    assertThat(room.status().lost()).isZero();
    FakeConnection alice = join(room, "alice");
    for (int i = 1; i <= 20_000; i++) {
      say(room, alice, i, "x".repeat(200));
      endTurn();
      assertThat(alice.read()).hasSize(1);
    }
    assertThat(room.status().logBytes()).isLessThanOrEqualTo(LOG_BYTES);
  }

  /** E9: the number is exact for one who spoke many hundred times in what is gone. */
  @Test
  void missedLeavesOutWhatOneSaidByTurns() {
    Room room = room(0, LOG_BYTES);
    FakeConnection alice = join(room, "alice");
    FakeConnection bob = join(room, "bob");
    long next = bob.welcome().next();
    for (int i = 1; i <= 900; i++) {
      say(room, alice, i, "x".repeat(10_000));
      say(room, bob, i, "hm");
      endTurn();
    }
    room.lose(bob.member(), bob, LeftWhy.LOST);
    List<ServerMessage> messages = resume(room, bob, next).read();
    assertThat(messages.get(0))
        .isInstanceOfSatisfying(
            Gap.class,
            gap -> {
              long gone = gap.next() - next;
              assertThat(gone).as("nearly all must be gone").isGreaterThan(1_400);
              assertThat(gap.missed()).isEqualTo((int) ((gone + 1) / 2));
              assertThat(messages.get(1))
                  .isInstanceOfSatisfying(
                      Ack.class, ack -> assertThat(ack.sendNo()).isEqualTo((int) (gone / 2)));
            });
  }

  /** A join into a full log looks for its place by segments, not by events. */
  @Test
  void aJoinCostsTheSameInAFullLog() {
    Room room = room(0, 16 << 20);
    FakeConnection alice = join(room, "alice");
    FakeConnection bob = join(room, "bob");
    room.lose(bob.member(), bob, LeftWhy.LOST);
    for (int i = 1; i <= 200_000; i++) {
      say(room, alice, i, "x".repeat(64));
      if (i % 100 == 0) {
        endTurn();
        alice.read();
      }
    }
    endTurn();
    long best = Long.MAX_VALUE;
    for (int i = 0; i < 20; i++) {
      long since = System.nanoTime();
      FakeConnection reader = new FakeConnection();
      room.join(name("reader" + i), 10, null, reader);
      bob = resume(room, bob, reader.welcome().head() - 50_000);
      assertThat(bob.welcome().resumed()).isTrue();
      best = Math.min(best, System.nanoTime() - since);
      endTurn();
    }
    assertThat(Duration.ofNanos(best)).isLessThan(Duration.ofMillis(100));
  }

  /** LEFT is published with its members counted, once, whoever reports the loss again. */
  @Test
  void aLossIsAnnouncedOnce() {
    Room room = room(0, LOG_BYTES);
    FakeConnection alice = join(room, "alice");
    FakeConnection bob = join(room, "bob");
    endTurn();
    alice.read();
    room.lose(bob.member(), bob, LeftWhy.SLOW);
    room.lose(bob.member(), bob, LeftWhy.LOST);
    room.leave(bob.member(), bob);
    endTurn();
    assertThat(alice.read())
        .singleElement()
        .isInstanceOfSatisfying(
            Left.class,
            left -> {
              assertThat(left.why()).isEqualTo(LeftWhy.SLOW);
              assertThat(left.members()).isEqualTo(1);
            });
  }

  /** Else the room would do nothing but tell a crowd, one by one, who else has come. */
  @Test
  void whoComesIsToldInBulkIfTellingTakesTime() {
    Room room = room(0, LOG_BYTES);
    join(room, "first");
    tellingNanos = 1000;
    endTurn();
    FakeConnection second = join(room, "second");
    endTurn();
    FakeConnection third = join(room, "third");
    endTurn();
    assertThat(published).isEqualTo(1);
    assertThat(later).hasSize(1);
    later.remove().run();
    assertThat(published).isEqualTo(2);

    nanos += 2 * tellingNanos;
    room.leave(third.member(), third);
    endTurn();
    assertThat(published).as("after a rest").isEqualTo(3);
    room.leave(second.member(), second);
    say(room, join(room, "fourth"), 1, "hi");
    endTurn();
    assertThat(published).as("a message waits for nothing").isEqualTo(4);
    later.remove().run();
    assertThat(published).as("nothing is left to tell").isEqualTo(4);
  }

  /** Else loops that walk at the same time write to everybody twice as often as one alone. */
  @Test
  void whatFollowsATellingGathersForAQuarterOfItIfSeveralLoopsRead() {
    Room room = room(0, LOG_BYTES);
    room.add(new Reader());
    FakeConnection speaker = join(room, "speaker");
    tellingNanos = 500;
    endTurn();
    assertThat(published).as("both loops are told").isEqualTo(2);

    nanos += 249;
    say(room, speaker, 1, "hi");
    endTurn();
    assertThat(published).isEqualTo(2);
    assertThat(later).hasSize(1);
    say(room, speaker, 2, "all");
    endTurn();
    assertThat(later).as("joins it").hasSize(1);
    later.remove().run();
    assertThat(published).isEqualTo(4);

    nanos += 250;
    say(room, speaker, 3, "here");
    endTurn();
    assertThat(published).as("a message that follows nothing waits for nothing").isEqualTo(6);
  }
}
