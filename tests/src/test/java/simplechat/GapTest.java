package simplechat;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import simplechat.protocol.ServerMessage;
import simplechat.protocol.ServerMessage.Ack;
import simplechat.protocol.ServerMessage.Gap;
import simplechat.protocol.ServerMessage.Msg;
import simplechat.support.Figures;
import simplechat.support.Load;
import simplechat.support.RawPeer;
import simplechat.support.RunningServer;
import simplechat.support.Shape;
import simplechat.support.StreamCheck;
import simplechat.support.Together;

/** Who falls out of the log is told exactly what is gone, and never gets a torn frame. */
class GapTest {
  private static final int LOG_BYTES = 64 << 10;
  private static final int SMALL_BUFFER_BYTES = 4096;
  private static final String END = "the end";

  private static RunningServer start(Shape shape, int maxText) {
    return RunningServer.start(
        config ->
            shape
                .apply(config)
                .logBytes(LOG_BYTES)
                .maxText(maxText)
                .sendBufferBytes(SMALL_BUFFER_BYTES));
  }

  /**
   * "GAP.missed MUST be the exact number of events from there to GAP.next that were meant for the
   * member: those of the room without its own."
   */
  @ParameterizedTest
  @EnumSource
  void aMemberThatFallsOutOfTheLogIsToldExactlyWhatIsGone(Shape shape) {
    int runs = Load.count(8, 100);
    Load.seeded(
        random -> {
          int gaps = 0;
          try (RunningServer server = start(shape, 1024);
              Together threads = new Together()) {
            RawPeer alice = server.join("alice");
            for (int run = 0; run < runs; run++) {
              gaps += lapse(server, threads, alice, "slow" + run, random);
            }
          }
          Figures.tell("C3", gaps + " GAPs of " + runs + " members, all exact", "all exact");
          assertThat(gaps).isGreaterThanOrEqualTo(runs);
        });
  }

  private static int lapse(
      RunningServer server, Together threads, RawPeer alice, String name, Random random) {
    RawPeer slow = server.connect(SMALL_BUFFER_BYTES);
    slow.join(name);
    RawPeer observer = server.join("observer");
    Future<List<String>> senders = threads.run(() -> senders(observer));
    long start = observer.stream().welcome().head();
    int rounds = 400 + random.nextInt(200);
    int mine = alice.sendNo();
    for (int i = 0; i < rounds; i++) {
      alice.say("x".repeat(1 + random.nextInt(1000)));
      if (random.nextInt(4) == 0) {
        slow.say("own " + i, "own too");
      }
      alice.await(Ack.class, ack -> ack.sendNo() == alice.sendNo());
    }
    slow.send(new simplechat.protocol.ClientMessage.Ping(1));
    assertThat(alice.sendNo()).isEqualTo(mine + rounds);
    slow.await(ServerMessage.Pong.class);
    alice.say(END);
    slow.await(Msg.class, msg -> msg.text().equals(END));
    alice.await(Ack.class, ack -> ack.sendNo() == alice.sendNo());
    List<String> known = Together.get(senders);
    assertThat(slow.stream().acknowledged()).isEqualTo(slow.sendNo());
    checkGaps(slow, name, known, start);
    int gaps = slow.stream().lost().size();
    slow.reset();
    observer.reset();
    server.awaitMembers(1);
    return gaps;
  }

  private static void checkGaps(RawPeer slow, String name, List<String> known, long start) {
    for (StreamCheck.Lost lost : slow.stream().lost()) {
      long meant = 0;
      for (long position = lost.from(); position < lost.to(); position++) {
        // Below start there is nothing but the observer's own JOINED.
        String sender = position < start ? "observer" : known.get((int) (position - start));
        meant += sender.equals(name) ? 0 : 1;
      }
      assertThat(lost.missed()).as(lost.toString()).isEqualTo(meant);
    }
  }

  /** Who spoke at each position from the observer's WELCOME on. */
  private static List<String> senders(RawPeer observer) {
    List<String> senders = new ArrayList<>();
    while (true) {
      ServerMessage message = observer.next();
      senders.add(message instanceof Msg msg ? msg.name() : "");
      if (message instanceof Msg msg && msg.text().equals(END)) {
        return senders;
      }
    }
  }

  /**
   * "If next has left the log: WELCOME(resumed), then GAP." "If SENDs of the member lie in the gap,
   * an ACK for them MUST follow directly behind the GAP."
   */
  @ParameterizedTest
  @EnumSource
  void whoComesBackTooLateGetsOneGapAndTheAckOfWhatItSaid(Shape shape) {
    int runs = Load.count(10, 100);
    Load.seeded(
        random -> {
          try (RunningServer server = start(shape, 1024)) {
            RawPeer alice = server.join("alice");
            for (int run = 0; run < runs; run++) {
              RawPeer bob = server.join("bob" + run);
              long next = bob.stream().expected();
              int own = random.nextInt(10);
              for (int i = 0; i < own; i++) {
                bob.say("own");
                alice.await(Msg.class);
                alice.say("between");
              }
              bob.send(new simplechat.protocol.ClientMessage.Ping(1));
              bob.await(ServerMessage.Pong.class);
              bob.reset();
              // Not the LEFT of the one before: this one's must lie before what alice says.
              alice.await(
                  ServerMessage.Left.class, left -> left.why() == ServerMessage.LeftWhy.LOST);
              int before = alice.sendNo();
              int others = 100 + random.nextInt(100);
              for (int i = 0; i < others; i++) {
                alice.say("x".repeat(1000));
              }
              alice.await(Ack.class, ack -> ack.sendNo() == before + others);
              comeBackLate(server, bob, next, own, others);
            }
          }
        });
  }

  /** All that lies between is one's own, alice's, or one's own JOINED and LEFT. */
  private static void comeBackLate(
      RunningServer server, RawPeer bob, long next, int own, int others) {
    RawPeer again = server.connect();
    again.join(RawPeer.resumeOf(bob, next));
    assertThat(again.stream().welcome().resumed()).isTrue();
    assertThat(again.stream().welcome().received()).isEqualTo(own);
    Gap gap = again.expect(Gap.class);
    if (own > 0) {
      assertThat(again.expect(Ack.class).sendNo()).isEqualTo(own);
    }
    int meant = own + others;
    long came = again.stream().welcome().head() - 1 - gap.next();
    again.chainFrom(0);
    for (long i = 0; i < came; i++) {
      again.expect(Msg.class);
    }
    again.expectNothing();
    assertThat(gap.missed() + came).isEqualTo(meant);
    again.send(new simplechat.protocol.ClientMessage.Leave());
    again.await(ServerMessage.Bye.class);
  }

  /**
   * "A frame of which a part was already sent at that moment is finished if 3840 bytes or less of
   * it are left, and GAP follows. If more is left, the connection ends with SLOW."
   */
  @ParameterizedTest
  @EnumSource
  void aFrameIsNeverTorn(Shape shape) {
    int runs = Load.count(10, 100);
    Load.seeded(
        random -> {
          try (RunningServer server = start(shape, LOG_BYTES / 4)) {
            RawPeer alice = server.join("alice");
            // Keeps up, so that who does not is not waited for.
            RawPeer reader = server.join("reader");
            for (int run = 0; run < runs; run++) {
              RawPeer slow = server.connect(SMALL_BUFFER_BYTES);
              slow.join("slow" + run);
              int before = alice.sendNo();
              int texts = 20 + random.nextInt(20);
              for (int i = 0; i < texts; i++) {
                int length = random.nextInt(2) == 0 ? 16_000 : 100;
                alice.say((char) ('a' + i % 26) + "x".repeat(random.nextInt(length)));
                reader.await(Msg.class);
              }
              alice.await(Ack.class, ack -> ack.sendNo() == before + texts);
              alice.say(END);
              reader.await(Msg.class);
              readToEndOrSlow(slow);
              slow.reset();
              server.awaitMembers(2);
            }
            Figures.tell("C4", runs + " members within a frame, none was torn", "none torn");
          }
        });
  }

  /** Of the frame in which it stood it gets the rest and BYE, or no byte more; and no GAP. */
  @ParameterizedTest
  @EnumSource
  void whoEndsWhileItLagsGetsNothingOfWhatComesAfter(Shape shape) {
    int runs = Load.count(6, 100);
    Load.seeded(
        random -> {
          try (RunningServer server = start(shape, LOG_BYTES / 4)) {
            RawPeer alice = server.join("alice");
            RawPeer reader = server.join("reader");
            for (int run = 0; run < runs; run++) {
              RawPeer slow = server.connect(SMALL_BUFFER_BYTES);
              slow.join("slow" + run);
              // More than the sockets take, and less than the log.
              int length = random.nextInt(3) == 0 ? 100 : 15_000 + random.nextInt(1_000);
              talk(alice, reader, 40_000 / length + random.nextInt(2), length);
              slow.sendHex("07000000");
              alice.await(ServerMessage.Left.class);
              talk(alice, reader, 8 + random.nextInt(4), 16_000);
              slow.readToEnd();
              assertThat(slow.stream().lost()).isEmpty();
              if (slow.stream().bye() == null) {
                // BYE would end with: may not come here.
                assertThat(slow.lastByte()).as("last byte").isNotEqualTo('e');
              }
              slow.reset();
              server.awaitMembers(2);
            }
          }
        });
  }

  private static void talk(RawPeer alice, RawPeer reader, int texts, int length) {
    int before = alice.sendNo();
    for (int i = 0; i < texts; i++) {
      alice.say("x".repeat(length));
      reader.await(Msg.class);
    }
    alice.await(Ack.class, ack -> ack.sendNo() == before + texts);
  }

  /** Every frame is judged as it comes; here only that the stream goes on or ends for a reason. */
  private static void readToEndOrSlow(RawPeer slow) {
    try {
      slow.await(Msg.class, msg -> msg.text().equals(END));
    } catch (AssertionError e) {
      assertThat(e).hasMessageContaining("the stream ended");
    }
  }

  /** However long that takes: it is the time without progress that is bounded. */
  @Test
  void whoLeavesAndReadsOnGetsAllThatIsLeft() {
    Duration drain = Duration.ofSeconds(1);
    try (RunningServer server =
        RunningServer.start(config -> config.drain(drain).sendBufferBytes(SMALL_BUFFER_BYTES))) {
      RawPeer alice = server.join("alice");
      RawPeer pacer = server.connect();
      RawPeer slow = server.connect(SMALL_BUFFER_BYTES);
      slow.join("slow");
      for (int i = 0; i < 40; i++) {
        alice.say("x".repeat(15_000));
      }
      alice.await(Ack.class, ack -> ack.sendNo() == 40);
      slow.send(new simplechat.protocol.ClientMessage.Leave());
      alice.await(ServerMessage.Left.class);
      for (long began = System.nanoTime(); System.nanoTime() - began < 5 * drain.toNanos() / 2; ) {
        assertThat(pacer.hasNext(Duration.ofMillis(100))).isFalse();
        slow.readBytes(4_000);
      }
      slow.await(ServerMessage.Bye.class, bye -> bye.code() == 0);
      assertThat(slow.stream().last()).isGreaterThan(40);
      slow.expectEof();
    }
  }

  /** A member whose socket takes nothing is closed and announced; the others notice nothing. */
  @Test
  void aMemberThatTakesNothingIsClosedAsSlow() {
    try (RunningServer server =
        RunningServer.start(
            config ->
                config.writeStall(Duration.ofMillis(300)).sendBufferBytes(SMALL_BUFFER_BYTES))) {
      RawPeer alice = server.join("alice");
      RawPeer slow = server.connect(SMALL_BUFFER_BYTES);
      slow.join("slow");
      for (int i = 0; i < 100; i++) {
        alice.say("x".repeat(1000));
      }
      ServerMessage.Left left = alice.await(ServerMessage.Left.class);
      assertThat(left.why()).isEqualTo(ServerMessage.LeftWhy.SLOW);
      assertThat(alice.stream().acknowledged()).isEqualTo(100);
      RawPeer again = server.resume(slow);
      for (int i = 0; i < 100; i++) {
        again.expect(Msg.class);
      }
    }
  }

  /** C5: "One byte of progress starts the 30 s again." And C23: what then, exactly. */
  @Test
  void whoTakesALittleStaysAndWhoTakesNothingLearnsWhatItMissed() {
    Duration stall = Duration.ofMillis(800);
    try (RunningServer server =
        RunningServer.start(
            config ->
                config
                    .loops(2)
                    .logBytes(LOG_BYTES)
                    .maxText(1024)
                    .writeStall(stall)
                    .sendBufferBytes(SMALL_BUFFER_BYTES))) {
      RawPeer alice = server.join("alice");
      RawPeer pacer = server.connect();
      RawPeer slow = server.connect(SMALL_BUFFER_BYTES);
      slow.join("slow");
      slow.say("own").await(Ack.class);
      int others = 0;
      long progress = System.nanoTime();
      for (long began = progress; progress - began < 3 * stall.toNanos(); ) {
        alice.say("x".repeat(1000), "x".repeat(1000), "x".repeat(1000), "x".repeat(1000));
        others += 4;
        assertThat(pacer.hasNext(Duration.ofMillis(150))).isFalse();
        slow.readBytes(4000);
        progress = System.nanoTime();
      }
      for (int i = 0; i < 100; i++) {
        alice.say("x".repeat(1000));
        others++;
      }
      ServerMessage.Left left = alice.await(ServerMessage.Left.class);
      long took = System.nanoTime() - progress;
      assertThat(left.why()).isEqualTo(ServerMessage.LeftWhy.SLOW);
      Figures.tell(
          "C5",
          "closed and announced %s after it last took something".formatted(Figures.millis(took)),
          "0.8 s, and 1 s for LEFT (C23)");
      assertThat(Duration.ofNanos(took)).isBetween(stall.minusMillis(250), stall.plusSeconds(1));
      long from = slow.stream().expected();
      RawPeer again = server.connect();
      again.join(RawPeer.resumeOf(slow));
      assertThat(again.stream().welcome().resumed()).isTrue();
      Gap gap = again.expect(Gap.class);
      // All behind that place were said by alice, but the last, which is the member's own LEFT.
      long meant = again.stream().welcome().head() - 1 - from - 1;
      long gone = gap.next() - from;
      assertThat(Integer.toUnsignedLong(gap.missed())).isBetween(gone - 1, gone);
      for (long i = gap.missed(); i < meant; i++) {
        assertThat(again.expect(Msg.class).name()).isEqualTo("alice");
      }
      again.expectNothing();
      assertThat(alice.sendNo()).isEqualTo(others);
    }
  }

  /** C22: however closing, lagging and leaving coincide, LEFT comes once. */
  @ParameterizedTest
  @EnumSource(names = {"ONE_LOOP", "TWO_LOOPS"})
  void whoLagsLeavesAndIsCutAtOnceIsAnnouncedOnce(Shape shape) {
    int rounds = Load.count(3, 50);
    int guests = 12;
    Load.seeded(
        random -> {
          try (RunningServer server =
              RunningServer.start(
                  config ->
                      shape
                          .apply(config)
                          .logBytes(LOG_BYTES)
                          .maxText(1024)
                          .writeStall(Duration.ofMillis(250))
                          .sendBufferBytes(SMALL_BUFFER_BYTES))) {
            RawPeer alice = server.join("alice");
            Map<String, Integer> left = new HashMap<>();
            for (int round = 0; round < rounds; round++) {
              List<RawPeer> lagging = new ArrayList<>();
              for (int i = 0; i < guests; i++) {
                RawPeer guest = server.connect(SMALL_BUFFER_BYTES);
                guest.join("guest" + round + "." + i);
                lagging.add(guest);
              }
              int before = alice.sendNo();
              for (int i = 0; i < 120; i++) {
                alice.say("x".repeat(900));
                if (i % 10 == 9) {
                  end(lagging.get(i / 10), random.nextInt(7));
                }
              }
              countUpTo(alice, before + 120, left);
              while (left.size() < guests * (round + 1)) {
                left.merge(alice.await(ServerMessage.Left.class).name(), 1, Integer::sum);
              }
              lagging.forEach(RawPeer::close);
            }
            alice.expectNothing();
            Figures.tell(
                "C22",
                guests * rounds + " who lagged, left and were cut: LEFT once each",
                "once each");
            assertThat(left)
                .hasSize(guests * rounds)
                .allSatisfy((name, n) -> assertThat(n).isEqualTo(1));
          }
        });
  }

  private static void countUpTo(RawPeer alice, int sendNo, Map<String, Integer> left) {
    ServerMessage message;
    do {
      message = alice.next();
      if (message instanceof ServerMessage.Left one) {
        left.merge(one.name(), 1, Integer::sum);
      }
    } while (!(message instanceof Ack ack && ack.sendNo() == sendNo));
  }

  /** Some of them not at all: their time for taking something runs out. */
  private static void end(RawPeer guest, int way) {
    if (way < 4) {
      guest.send(new simplechat.protocol.ClientMessage.Leave());
    }
    switch (way) {
      case 0, 4 -> guest.reset();
      case 1, 5 -> guest.halfClose();
      case 2 -> guest.close();
      default -> {}
    }
  }
}
