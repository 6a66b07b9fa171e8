package simplechat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.ByteArrayOutputStream;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import simplechat.protocol.ClientMessage;
import simplechat.protocol.ClientMessage.Hello;
import simplechat.protocol.ClientMessage.Leave;
import simplechat.protocol.ErrorCode;
import simplechat.protocol.Limits;
import simplechat.protocol.ResumeToken;
import simplechat.protocol.ServerMessage;
import simplechat.protocol.ServerMessage.Ack;
import simplechat.protocol.ServerMessage.Bye;
import simplechat.protocol.ServerMessage.Event;
import simplechat.protocol.ServerMessage.Joined;
import simplechat.protocol.ServerMessage.JoinedHow;
import simplechat.protocol.ServerMessage.Left;
import simplechat.protocol.ServerMessage.LeftWhy;
import simplechat.protocol.ServerMessage.Msg;
import simplechat.protocol.ServerMessage.Refused;
import simplechat.protocol.ServerMessage.Welcome;
import simplechat.status.ServerMetrics.InRoom;
import simplechat.support.Chain;
import simplechat.support.Load;
import simplechat.support.RawPeer;
import simplechat.support.RunningServer;
import simplechat.support.Shape;
import simplechat.support.Together;

/** A session outlives its connection: nothing is lost, and nothing is seen twice. */
class ResumeTest {
  private static final String END = "the end";

  /** "After it every event from next on MUST come exactly once, or be covered by a GAP." */
  @ParameterizedTest
  @EnumSource
  void whoComesBackGetsEverythingFromWhereItWas(Shape shape) {
    try (RunningServer server = shape.start()) {
      RawPeer alice = server.join("alice");
      RawPeer bob = server.join("bob");
      alice.expect(Joined.class);
      alice.say("one");
      bob.expect(Msg.class);
      bob.say("own");
      bob.expect(Ack.class);
      bob.reset();
      alice.expect(Ack.class);
      alice.expect(Msg.class);
      assertThat(alice.expect(Left.class).why()).isEqualTo(LeftWhy.LOST);
      alice.say("two", "three");
      alice.await(Ack.class, ack -> ack.sendNo() == 3);

      RawPeer again = server.resume(bob);
      assertThat(alice.expect(Joined.class).how()).isEqualTo(JoinedHow.CAME_BACK);
      assertThat(again.stream().welcome().received()).isEqualTo(1);
      assertThat(again.expect(Msg.class).text()).isEqualTo("two");
      assertThat(again.expect(Msg.class).text()).isEqualTo("three");
      again.expectNothing();
      again.say("four");
      assertThat(again.expect(Ack.class).sendNo()).isEqualTo(2);
      assertThat(alice.expect(Msg.class).text()).isEqualTo("four");
    }
  }

  @ParameterizedTest
  @EnumSource
  void whoIsLostRightAfterItsWelcomeMissesNothing(Shape shape) {
    try (RunningServer server = shape.start()) {
      RawPeer alice = server.join("alice");
      RawPeer bob = server.join("bob");
      bob.reset();
      alice.await(Left.class);
      alice.say("one");
      alice.expect(Ack.class);
      RawPeer again = server.resume(bob);
      assertThat(again.expect(Msg.class).text()).isEqualTo("one");
      again.expectNothing();
    }
  }

  /**
   * "What the client sent behind received is lost: it sends it again, in the same order" — at every
   * cut of what it sends, and after several losses in a row.
   */
  @ParameterizedTest
  @EnumSource
  void whatWasCutOffIsSentAgainAndSeenOnce(Shape shape) {
    List<String> texts = List.of("1", "22", "333", "4", "55");
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    texts.forEach(text -> all.writeBytes(RawPeer.bytesOf(new ClientMessage.Send(text))));
    try (RunningServer server = shape.start()) {
      server.join("alice");
      for (int cut = 0; cut <= all.size(); cut++) {
        RawPeer bob = server.connect();
        bob.join("bob" + cut);
        bob.sendBytes(Arrays.copyOf(all.toByteArray(), cut));
        bob.halfClose();
        server.awaitMembers(1);
        int whole = wholeFrames(texts, cut);

        for (int drop = 0; drop < 2; drop++) {
          RawPeer between = server.resume(bob);
          assertThat(between.stream().welcome().received()).as("at %d", cut).isEqualTo(whole);
          between.reset();
          server.awaitMembers(1);
        }
        RawPeer again = server.resume(bob);
        again.send(
            texts.stream()
                .skip(again.stream().welcome().received())
                .map(ClientMessage.Send::new)
                .toArray(ClientMessage[]::new));
        again.await(Ack.class, ack -> ack.sendNo() == texts.size());
        again.send(new Leave());
        again.expectBye(ErrorCode.LEFT);
      }
      bobsChain(server, texts, all.size() + 1);
    }
  }

  private static void bobsChain(RunningServer server, List<String> texts, int sessions) {
    RawPeer reader = server.connect();
    reader.join(new Hello("reader", 60_000));
    for (int i = 0; i < sessions * texts.size(); i++) {
      assertThat(reader.await(Msg.class).text()).isEqualTo(texts.get(i % texts.size()));
    }
    reader.expectNothingOf(Event.class);
  }

  private static int wholeFrames(List<String> texts, int bytes) {
    int whole = 0;
    int left = bytes;
    for (String text : texts) {
      left -= Limits.HEADER_BYTES + text.length();
      whole += left >= 0 ? 1 : 0;
    }
    return whole;
  }

  /** At every cut of what it reads, too, from the first byte of WELCOME to the last ACK's last. */
  @ParameterizedTest
  @ValueSource(ints = {1, 4})
  void whatWasNotReadComesAgainWhereverTheStreamWasCut(int loops) {
    try (RunningServer server = RunningServer.start(config -> config.loops(loops))) {
      RawPeer alice = server.join("alice");
      RawPeer bob = server.join("bob");
      String text = "x".repeat(20);
      for (int i = 0; i < 3; i++) {
        alice.say(text);
        bob.expect(Msg.class);
        bob.say("own" + i);
        bob.expect(Ack.class);
      }
      long end = bob.stream().expected();
      long start = bob.stream().welcome().head();
      int bytes =
          RawPeer.bytesOf(bob.stream().welcome()).length
              + 3 * RawPeer.bytesOf(new Msg(0, 0, "alice", text)).length
              + 3 * RawPeer.bytesOf(new Ack(0, 0)).length;
      RawPeer before = bob;
      for (int cut = 0; cut <= bytes; cut++) {
        Hello fromStart = RawPeer.resumeOf(before, start);
        RawPeer torn = server.connect();
        torn.sendNo(3);
        torn.send(fromStart);
        torn.readBytes(cut);
        torn.reset();

        RawPeer again = server.connect();
        boolean welcomed = torn.stream().isWelcomed();
        if (welcomed) {
          again.carryOn(torn);
        }
        again.join(welcomed ? RawPeer.resumeOf(torn) : fromStart);
        assertThat(again.stream().welcome().resumed()).as("at %d", cut).isTrue();
        assertThat(again.stream().welcome().received()).isEqualTo(3);
        assertThat(cut < bytes || again.stream().expected() == end).as("all was cut").isTrue();
        while (again.stream().expected() < end) {
          ServerMessage message = again.next();
          assertThat(message).isInstanceOfAny(Msg.class, Ack.class);
          assertThat(message instanceof Msg msg ? msg.name() : "alice").isEqualTo("alice");
        }
        before = again;
      }
    }
  }

  /**
   * "The old connection MUST get BYE(REPLACED), and the room MUST see LEFT(REPLACED) and
   * JOINED(CAME_BACK) as a pair."
   */
  @ParameterizedTest
  @EnumSource
  void aResumeReplacesTheConnectionThatStillLives(Shape shape) {
    try (RunningServer server = shape.start()) {
      RawPeer alice = server.join("alice");
      RawPeer old = server.join("bob");
      alice.expect(Joined.class);
      List<Duration> took = new ArrayList<>();
      for (int i = 0; i < 20; i++) {
        long since = System.nanoTime();
        RawPeer next = server.resume(old);
        old.expectBye(ErrorCode.REPLACED);
        took.add(Duration.ofNanos(System.nanoTime() - since));
        old.expectEof();
        old.close();
        Left left = alice.expect(Left.class);
        assertThat(left.why()).isEqualTo(LeftWhy.REPLACED);
        Joined joined = alice.expect(Joined.class);
        assertThat(joined.how()).isEqualTo(JoinedHow.CAME_BACK);
        assertThat(joined.seq()).isEqualTo(left.seq() + 1);
        next.say("still one of us");
        next.expect(Ack.class);
        alice.expect(Msg.class);
        old = next;
      }
      assertThat(server.members()).isEqualTo(2);
      // What is late each time is not the machine's doing.
      assertThat(Load.isFull() ? Collections.max(took) : Collections.min(took))
          .isLessThan(Duration.ofSeconds(1));
    }
  }

  /** While everybody speaks, the connection that is replaced sees nothing of its successor's. */
  @ParameterizedTest
  @EnumSource
  void aReplacedConnectionEndsBeforeItsSuccessorBegins(Shape shape) {
    int rounds = Load.count(100, 2000);
    try (RunningServer server = shape.start();
        Together threads = new Together()) {
      RawPeer alice = server.join("alice");
      RawPeer old = server.join("bob");
      threads.run(
          () -> {
            for (int i = 0; i < rounds * 20; i++) {
              alice.say("on and on");
              alice.await(Ack.class);
            }
          });
      for (int i = 0; i < rounds; i++) {
        RawPeer before = old;
        before.send(new ClientMessage.Ping(1));
        before.await(ServerMessage.Pong.class);
        RawPeer next = server.resume(before);
        next.say("new");
        before.await(Bye.class);
        before.expectEof();
        before.close();
        next.await(Ack.class);
        old = next;
      }
      threads.join();
    }
  }

  /** "A resume that is not accepted MUST be treated as a plain join." */
  @ParameterizedTest
  @EnumSource
  void aResumeThatCannotBeIsAPlainJoinOrNameTaken(Shape shape) {
    try (RunningServer server = shape.start()) {
      RawPeer alice = server.join("alice");
      Welcome mine = alice.stream().welcome();
      RawPeer bob = server.join("bob");
      Welcome his = bob.stream().welcome();
      bob.send(new Leave());
      bob.expectBye(ErrorCode.LEFT);
      ResumeToken unknown = new ResumeToken(1, 2);
      List<ClientMessage.Resume> impossible =
          List.of(
              new ClientMessage.Resume(unknown, mine.epoch(), 0),
              new ClientMessage.Resume(mine.token(), mine.epoch() + 1, mine.next()),
              new ClientMessage.Resume(mine.token(), mine.epoch(), Long.MAX_VALUE),
              // Nobody can have read what has not happened yet.
              new ClientMessage.Resume(mine.token(), mine.epoch(), mine.head() + 100),
              new ClientMessage.Resume(mine.token(), mine.epoch(), -1),
              new ClientMessage.Resume(mine.token(), mine.epoch(), Long.MIN_VALUE),
              new ClientMessage.Resume(his.token(), his.epoch(), his.next()));
      int number = 0;
      for (ClientMessage.Resume resume : impossible) {
        RawPeer taken = server.connect();
        taken.send(hello("alice", resume));
        taken.expectError(ErrorCode.NAME_TAKEN, 0);
        Welcome welcome = taken.join(hello("other" + number++, resume));
        assertThat(welcome.resumed()).as(resume.toString()).isFalse();
        assertThat(welcome.received()).isZero();
        assertThat(welcome.next()).isEqualTo(welcome.head());
        taken.expectNothing();
        taken.send(new Leave());
        taken.expectBye(ErrorCode.LEFT);
      }
      RawPeer dead = server.connect();
      assertThat(dead.join(hello("bob", impossible.get(6))).resumed()).isFalse();
      alice.await(Joined.class, joined -> joined.name().equals("bob"));
    }
  }

  /** Next 0 is in the log or before it: a valid place, and no more than the session's own. */
  @Test
  void aResumeFromTheFirstPositionReplaysTheRoom() {
    try (RunningServer server = RunningServer.start()) {
      RawPeer alice = server.join("alice");
      alice.say("before bob");
      RawPeer bob = server.join("bob");
      bob.reset();
      server.awaitMembers(1);
      RawPeer again = server.connect();
      again.join(RawPeer.resumeOf(bob, 0));
      assertThat(again.expect(Joined.class).name()).isEqualTo("alice");
      assertThat(again.expect(Msg.class).text()).isEqualTo("before bob");
      again.expectNothing();
    }
  }

  private static Hello hello(String name, ClientMessage.Resume resume) {
    return new Hello(Limits.VERSION, Limits.VERSION, 0, name, null, resume);
  }

  /** "... the token stays good for what is left of the window, so the client may try again." */
  @ParameterizedTest
  @EnumSource
  void aTokenOutlivesTheLossOfItsName(Shape shape) {
    try (RunningServer server = shape.start()) {
      RawPeer bob = server.join("bob");
      bob.say("one");
      bob.expect(Ack.class);
      bob.reset();
      server.awaitMembers(0);
      RawPeer thief = server.join("BOB");
      RawPeer again = server.connect();
      again.send(RawPeer.resumeOf(bob));
      again.expectError(ErrorCode.NAME_TAKEN, 0);
      thief.send(new Leave());
      thief.await(Bye.class);
      again.carryOn(bob);
      Welcome welcome = again.join(RawPeer.resumeOf(bob));
      assertThat(welcome.resumed()).isTrue();
      assertThat(welcome.received()).isEqualTo(1);
      assertThat(again.expect(Joined.class).name()).isEqualTo("BOB");
      assertThat(again.expect(Left.class).name()).isEqualTo("BOB");
    }
  }

  /** A window that is over; its exact length is the room's to keep. */
  @Test
  void aTokenIsForgottenWhenItsTimeIsOver() {
    try (RunningServer server =
        RunningServer.start(config -> config.resumeWindow(Duration.ofMillis(50)))) {
      RawPeer alice = server.join("alice");
      RawPeer bob = server.join("bob");
      bob.reset();
      alice.await(Left.class);
      alice.hasNext(Duration.ofMillis(120));
      RawPeer again = server.connect();
      assertThat(again.join(RawPeer.resumeOf(bob)).resumed()).isFalse();
      again.send(new Leave());
    }
  }

  /** Of many who come with one token at once, one stays. */
  @ParameterizedTest
  @EnumSource
  void oneTokenIsOneMemberHoweverManyShowIt(Shape shape) {
    int claims = 20;
    try (RunningServer server = shape.start()) {
      RawPeer alice = server.join("alice");
      RawPeer bob = server.join("bob");
      List<RawPeer> peers = new ArrayList<>();
      for (int i = 0; i < claims; i++) {
        peers.add(server.connect());
      }
      peers.forEach(peer -> peer.send(RawPeer.resumeOf(bob)));
      int left = 0;
      for (RawPeer peer : peers) {
        assertThat(peer.expect(Welcome.class).resumed()).isTrue();
      }
      for (RawPeer peer : peers) {
        left += isReplaced(peer) ? 1 : 0;
      }
      assertThat(left).isEqualTo(claims - 1);
      assertThat(server.members()).isEqualTo(2);
      alice.expect(Joined.class);
      for (int i = 0; i < claims; i++) {
        assertThat(alice.expect(Left.class).why()).isEqualTo(LeftWhy.REPLACED);
        assertThat(alice.expect(Joined.class).how()).isEqualTo(JoinedHow.CAME_BACK);
      }
      alice.expectNothing();
    }
  }

  /** The first PING may come to its loop before the news does, the second cannot. */
  private static boolean isReplaced(RawPeer peer) {
    for (int i = 0; i < 2; i++) {
      try {
        peer.send(new ClientMessage.Ping(9));
      } catch (java.io.UncheckedIOException e) {
        return true; // closed by the server already
      }
      ServerMessage message = peer.next();
      while (message instanceof Event) {
        message = peer.next();
      }
      if (message instanceof Bye bye) {
        return bye.code() == ErrorCode.REPLACED.number();
      }
    }
    return false;
  }

  /** "received is the number of the session's last SEND that the server has, refused included." */
  @ParameterizedTest
  @EnumSource
  void aRefusedTextCountsAsReceived(Shape shape) {
    try (RunningServer server = shape.start()) {
      RawPeer alice = server.join("alice");
      RawPeer bob = server.join("bob");
      alice.expect(Joined.class);
      bob.say("one", " ", "three", "\u0001");
      bob.await(Refused.class, error -> error.sendNo() == 4);
      bob.await(Ack.class, ack -> ack.sendNo() == 3);
      bob.reset();
      alice.await(Left.class);
      RawPeer again = server.resume(bob);
      assertThat(again.stream().welcome().received()).isEqualTo(4);
      again.say("five");
      assertThat(again.expect(Ack.class).sendNo()).isEqualTo(5);
    }
  }

  /** "In a new session set the number of your last SEND to 0." */
  @Test
  void numbersBeginAnewWithAPlainJoin() {
    try (RunningServer server = RunningServer.start()) {
      RawPeer bob = server.join("bob");
      bob.say("one", "two");
      bob.await(Ack.class, ack -> ack.sendNo() == 2);
      bob.reset();
      server.awaitMembers(0);
      RawPeer again = server.join("bob");
      assertThat(again.stream().welcome().received()).isZero();
      again.say("one");
      assertThat(again.expect(Ack.class).sendNo()).isEqualTo(1);
    }
  }

  /** "Own MSGs that lie side by side share one ACK." */
  @Test
  void aRunOfOwnTextsIsAcknowledgedOnceBetweenTheOthers() {
    try (RunningServer server = RunningServer.start()) {
      RawPeer alice = server.join("alice");
      RawPeer bob = server.join("bob");
      alice.expect(Joined.class);
      bob.say("before");
      alice.expect(Msg.class);
      alice.say("1", "2", "3");
      assertThat(alice.expect(Ack.class).sendNo()).isEqualTo(3);
      bob.say("after");
      assertThat(alice.expect(Msg.class).text()).isEqualTo("after");
      alice.expectNothing();
    }
  }

  /** "At most history MSGs MUST lie below WELCOME.head after a plain join." */
  @ParameterizedTest
  @EnumSource
  void historyIsTheLastTextsWithTheirTimesAndMeetsTheLiveOnesWithoutAHole(Shape shape) {
    try (RunningServer server = shape.start();
        Together threads = new Together()) {
      RawPeer alice = server.join("alice");
      assertThat(history(server, "early", 10)).isEmpty();
      RawPeer live = server.join("live");
      alice.say("1", "2");
      List<Msg> heard = new ArrayList<>(List.of(live.expect(Msg.class), live.expect(Msg.class)));
      await("another second").until(() -> Instant.now().getEpochSecond() > heard.get(1).time());
      alice.say("3");
      heard.add(live.expect(Msg.class));
      assertThat(heard.get(2).time()).as("time").isGreaterThan(heard.get(1).time());
      alice.await(Ack.class, ack -> ack.sendNo() == 3);
      assertThat(history(server, "few", 10)).isEqualTo(heard);
      assertThat(history(server, "none", 0)).isEmpty();
      assertThat(history(server, "two", 2)).isEqualTo(heard.subList(1, 3));
      live.close();
      int texts = 3000;
      threads.run(
          () -> {
            for (int i = 4; i <= texts; i++) {
              alice.say(String.valueOf(i));
              if (i % 10 == 0) {
                int last = i;
                alice.await(Ack.class, ack -> ack.sendNo() >= last);
              }
            }
          });
      for (int i = 0; i < 20; i++) {
        RawPeer reader = server.connect();
        Welcome welcome = reader.join(new Hello("reader" + i, 10));
        int before = 0;
        int count = 0;
        while (count < 30 && before < texts) {
          if (reader.next() instanceof Msg msg) {
            int number = Integer.parseInt(msg.text());
            assertThat(before == 0 || number == before + 1).as(msg + " after " + before).isTrue();
            before = number;
            count++;
            assertThat(reader.stream().last() >= welcome.head() || count <= 10).isTrue();
          }
        }
        reader.reset();
      }
      threads.join();
    }
  }

  private static List<Msg> history(RunningServer server, String name, int count) {
    RawPeer peer = server.connect();
    Welcome welcome = peer.join(new Hello(name, count));
    List<Msg> past = new ArrayList<>();
    while (peer.stream().expected() < welcome.head() - 1) {
      if (peer.next() instanceof Msg msg) {
        past.add(msg);
      }
    }
    peer.send(new Leave());
    peer.await(Bye.class);
    return past;
  }

  /** Of a full log as of an empty one, and whether it is read from its end or from its start. */
  @Test
  void whoComesIsWelcomedAtOnceHoweverMuchIsRetained() {
    int logBytes = 16 << 20;
    int texts = logBytes / 80;
    try (RunningServer server = RunningServer.start(config -> config.loops(2).logBytes(logBytes));
        Together threads = new Together()) {
      RawPeer alice = server.join("alice");
      RawPeer bob = server.join("bob");
      bob.reset();
      server.awaitMembers(1);
      areWelcomedAtOnce(server, bob);
      threads.run(
          () -> {
            String[] some = Collections.nCopies(1000, "x".repeat(64)).toArray(String[]::new);
            for (int said = 0; said < texts; said += some.length) {
              alice.say(some);
            }
          });
      alice.await(Ack.class, ack -> ack.sendNo() >= texts);
      threads.join();
      InRoom room = server.metrics().room();
      assertThat(room.logStart()).as("start of a full log").isPositive();
      assertThat(room.logBytes()).isGreaterThan(logBytes - (1 << 20));
      areWelcomedAtOnce(server, bob);
    }
  }

  private static void areWelcomedAtOnce(RunningServer server, RawPeer lost) {
    InRoom room = server.metrics().room();
    long middle = (room.logStart() + room.logEnd()) / 2;
    for (Hello hello :
        List.of(
            new Hello("carol", 0),
            new Hello("carol", 50_000),
            RawPeer.resumeOf(lost, room.logEnd()),
            RawPeer.resumeOf(lost, middle),
            RawPeer.resumeOf(lost, room.logStart()),
            RawPeer.resumeOf(lost))) {
      assertThat(untilWelcome(server, hello)).as("%s", hello).isLessThan(Duration.ofMillis(100));
    }
  }

  /** The best of five: what takes longer in all of them is not the machine's doing. */
  private static Duration untilWelcome(RunningServer server, Hello hello) {
    Duration best = Duration.ofSeconds(5);
    for (int i = 0; i < 5; i++) {
      RawPeer peer = server.connect();
      long since = System.nanoTime();
      Welcome welcome = peer.join(hello);
      Duration took = Duration.ofNanos(System.nanoTime() - since);
      best = took.compareTo(best) < 0 ? took : best;
      assertThat(welcome.resumed()).isEqualTo(hello.resume() != null);
      peer.reset();
      server.awaitMembers(1);
    }
    return best;
  }

  /**
   * "What the client sent behind received is lost: it sends it again" — and nothing else, although
   * it has seen no ACK of it; not even if the log has turned over meanwhile.
   */
  @ParameterizedTest
  @ValueSource(ints = {1, 4})
  void aTextWhoseAckIsLostIsHeardOnce(int loops) {
    int acksToLose = Load.count(500, 10_000);
    Load.seeded(
        random -> {
          try (RunningServer server =
              RunningServer.start(config -> config.loops(loops).logBytes(64 << 10).maxText(1024))) {
            Listener listener = new Listener(server.join("listener"));
            RawPeer bob = server.join("bob");
            int lostAcks = 0;
            int lostTexts = 0;
            while (lostAcks < acksToLose) {
              int number = bob.sendNo();
              sayAndBreak(bob, "text " + number, listener, random.nextInt(4));
              if (random.nextInt(8) == 0) {
                listener.turnLogOver();
              }
              RawPeer again = RawPeer.connect(server.address());
              if (again.resume(bob).received() > number) {
                lostAcks++;
              } else {
                lostTexts++;
                again.say("text " + number);
              }
              while (again.stream().acknowledged() <= number) {
                again.next();
              }
              bob = again;
            }
            bob.send(new Leave());
            bob.await(Bye.class);
            bob.close();
            listener.turnLogOver();
            assertThat(listener.heard).isEqualTo(bob.sendNo());
            assertThat(lostTexts).isPositive();
          }
        });
  }

  /** The ACK is not read, wherever the cut lies: within the text, at its end, or far behind it. */
  private static void sayAndBreak(RawPeer peer, String text, Listener listener, int where) {
    byte[] send = RawPeer.bytesOf(new ClientMessage.Send(text));
    peer.sendBytes(where == 0 ? Arrays.copyOf(send, send.length - 1) : send);
    if (where > 1) {
      listener.hearUntil(() -> listener.heard > peer.sendNo());
    }
    peer.reset();
  }

  /** Hears bob's texts, each once and in their order. */
  private static final class Listener {
    private final RawPeer peer;
    private int heard;

    Listener(RawPeer peer) {
      this.peer = peer;
    }

    void hearUntil(BooleanSupplier enough) {
      while (!enough.getAsBoolean()) {
        if (peer.next() instanceof Msg msg) {
          assertThat(msg.text()).isEqualTo("text " + heard++);
        }
      }
    }

    void turnLogOver() {
      peer.say(Collections.nCopies(80, "x".repeat(1000)).toArray(String[]::new));
      hearUntil(() -> peer.stream().acknowledged() == peer.sendNo());
    }
  }

  /** Whatever the cuts, whoever resumes by the rules knows the whole order in the end. */
  @ParameterizedTest
  @EnumSource
  void chainsAreEqualAfterManyCuts(Shape shape) {
    int members = Load.count(12, 200);
    int cuts = Load.count(20, 50);
    int together = 4;
    Load.run(
        seed -> {
          try (RunningServer server = shape.start();
              Together threads = new Together()) {
            RawPeer observer = server.join("observer");
            observer.fold(Chain.ofOrder());
            List<Restless> all = new ArrayList<>();
            for (int i = 0; i < members; i++) {
              all.add(new Restless(server, server.join("m" + i), new Random(seed + i)));
            }
            // A thread has many members, who are away while it is the others' turn.
            for (int part = 0; part < together; part++) {
              List<Restless> some =
                  all.subList(members * part / together, members * (part + 1) / together);
              threads.run(
                  () -> {
                    for (int cut = 0; cut < cuts; cut++) {
                      some.forEach(member -> member.speakAndBreak(members * 10));
                    }
                    some.forEach(Restless::finish);
                  });
            }
            threads.join();
            observer.say(END);
            observer.await(Ack.class);
            for (Restless member : all) {
              member.peer.await(Msg.class, msg -> msg.text().equals(END));
              assertThat(member.peer.chain()).hasToString(observer.chain().toString());
              member.peer.close();
            }
          }
        });
  }

  /** A session whose connections break, and that says again what WELCOME.received leaves out. */
  private static final class Restless {
    private final RunningServer server;
    private final Random random;
    private final String name;
    private final List<String> texts = new ArrayList<>();
    private RawPeer peer;
    private boolean broken;

    Restless(RunningServer server, RawPeer peer, Random random) {
      this.server = server;
      this.random = random;
      this.peer = peer;
      this.name = peer.stream().welcome().name();
      peer.fold(Chain.ofOrder());
    }

    /** Reads some of what is there; ends with a reset, or in silence, perhaps inside a frame. */
    void speakAndBreak(int readsMax) {
      comeBack();
      for (int count = 1 + random.nextInt(5); count > 0; count--) {
        texts.add(name + " " + texts.size());
      }
      sayRest();
      int reads = random.nextInt(readsMax);
      for (int i = 0; i < reads && peer.hasNext(Duration.ofMillis(1)); i++) {
        peer.next();
      }
      if (random.nextBoolean()) {
        peer.sendHex("0200");
      }
      if (random.nextInt(3) > 0) {
        peer.reset();
      }
      broken = true;
    }

    void finish() {
      comeBack();
      sayRest();
      while (peer.stream().acknowledged() < texts.size()) {
        peer.next();
      }
    }

    private void comeBack() {
      if (broken) {
        RawPeer next = RawPeer.connect(server.address());
        next.resume(peer);
        peer.close();
        peer = next;
        broken = false;
      }
    }

    private void sayRest() {
      peer.say(texts.subList(peer.sendNo(), texts.size()).toArray(String[]::new));
    }
  }
}
