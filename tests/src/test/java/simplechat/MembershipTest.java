package simplechat;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import simplechat.protocol.ClientMessage;
import simplechat.protocol.ClientMessage.Hello;
import simplechat.protocol.ClientMessage.Leave;
import simplechat.protocol.ClientMessage.Ping;
import simplechat.protocol.ClientMessage.Who;
import simplechat.protocol.ErrorCode;
import simplechat.protocol.ServerMessage;
import simplechat.protocol.ServerMessage.Ack;
import simplechat.protocol.ServerMessage.Event;
import simplechat.protocol.ServerMessage.Joined;
import simplechat.protocol.ServerMessage.JoinedHow;
import simplechat.protocol.ServerMessage.Left;
import simplechat.protocol.ServerMessage.LeftWhy;
import simplechat.protocol.ServerMessage.Msg;
import simplechat.protocol.ServerMessage.Pong;
import simplechat.protocol.ServerMessage.Roster;
import simplechat.protocol.ServerMessage.Welcome;
import simplechat.support.Chain;
import simplechat.support.Crowd;
import simplechat.support.Load;
import simplechat.support.RawPeer;
import simplechat.support.RunningServer;
import simplechat.support.Shape;
import simplechat.support.Together;

/** Coming, going and being lost, and what the others see of it. */
class MembershipTest {
  /** The sender says this when it is done. */
  private static final String END = "the end";

  /**
   * "WELCOME: always the first frame that a member gets." "The member's own JOINED is at head - 1;
   * it gets no JOINED about itself."
   */
  @ParameterizedTest
  @EnumSource
  void aNewcomerIsWelcomedFirstAndGetsEverythingFromThereOn(Shape shape) {
    int rounds = Load.count(60, 1000);
    Load.seeded(
        random -> {
          try (RunningServer server = shape.start();
              Together threads = new Together()) {
            RawPeer observer = server.join("observer");
            AtomicBoolean stop = new AtomicBoolean();
            for (int i = 0; i < 2; i++) {
              RawPeer speaker = server.join("speaker" + i);
              threads.run(
                  () -> {
                    while (!stop.get()) {
                      speaker.say("on and on");
                      speaker.await(Ack.class);
                    }
                    speaker.send(new Leave());
                    speaker.await(ServerMessage.Bye.class);
                  });
            }
            threads.run(
                () -> {
                  try {
                    for (int round = 0; round < rounds; round++) {
                      joinReadAndGo(server, "n" + round, random.nextInt(3) * 5, round % 2 == 0);
                    }
                  } finally {
                    stop.set(true);
                  }
                });
            // Its stream is checked on the way: members counted, no hole.
            for (int round = 0; round < rounds; round++) {
              String name = "n" + round;
              observer.await(Joined.class, joined -> joined.name().equals(name));
            }
            threads.join();
          }
        });
  }

  private static void joinReadAndGo(
      RunningServer server, String name, int history, boolean inOrder) {
    RawPeer peer = server.connect();
    Welcome welcome = peer.join(new Hello(name, history));
    if (history == 0) {
      assertThat(welcome.next()).isEqualTo(welcome.head());
    }
    int past = 0;
    int live = 0;
    while (live < 10) {
      ServerMessage message = peer.next();
      boolean isPast = peer.stream().last() < welcome.head();
      assertThat(message).isInstanceOf(Event.class);
      past += isPast && message instanceof Msg ? 1 : 0;
      live += isPast ? 0 : 1;
    }
    assertThat(past).isLessThanOrEqualTo(history);
    if (inOrder) {
      peer.send(new Leave());
      peer.await(ServerMessage.Bye.class);
      peer.close();
    } else {
      peer.reset();
    }
  }

  /**
   * "The server MUST answer LEAVE with the ACK for whatever was not acknowledged yet, then
   * BYE(LEFT), then the end of the stream."
   */
  @ParameterizedTest
  @EnumSource
  void leavingIsAcknowledgedEndedAndAnnouncedOnce(Shape shape) {
    try (RunningServer server = shape.start()) {
      RawPeer alice = server.join("alice");
      RawPeer bob = server.join("bob");
      alice.expect(Joined.class);
      bob.send(new ClientMessage.Send("one"), new ClientMessage.Send("two"), new Leave());
      bob.sendHex("02000002 6869 ffffffff");
      assertThat(bob.expect(Ack.class).sendNo()).isEqualTo(2);
      bob.expectBye(ErrorCode.LEFT);
      bob.expectEof();
      assertThat(alice.expect(Msg.class).text()).isEqualTo("one");
      assertThat(alice.expect(Msg.class).text()).isEqualTo("two");
      Left left = alice.expect(Left.class);
      assertThat(left.why()).isEqualTo(LeftWhy.LEFT);
      assertThat(server.join("bob").stream().welcome().resumed()).isFalse();
      assertThat(alice.expect(Joined.class).how()).isEqualTo(JoinedHow.JOINED);
      alice.expectNothing();
    }
  }

  /** The name of a lost member is free as soon as the others can read LEFT(LOST). */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aMemberWhoseConnectionEndsIsLostWithinASecond(boolean reset) {
    for (Shape shape : Shape.values()) {
      try (RunningServer server = shape.start()) {
        RawPeer alice = server.join("alice");
        RawPeer bob = server.join("bob");
        alice.expect(Joined.class);
        long since = System.nanoTime();
        if (reset) {
          bob.reset();
        } else {
          bob.halfClose();
        }
        assertThat(alice.expect(Left.class).why()).isEqualTo(LeftWhy.LOST);
        assertThat(Duration.ofNanos(System.nanoTime() - since)).isLessThan(Duration.ofSeconds(1));
        RawPeer next = server.join("BOB");
        alice.expect(Joined.class);
        alice.say("hi");
        next.expect(Msg.class);
        if (!reset) {
          bob.expectEof();
        }
        alice.expect(Ack.class);
        alice.expectNothing();
      }
    }
  }

  /** "A server that has read nothing for 2 h seconds MUST close with BYE(TIMEOUT)." */
  @Test
  void onlyTheVanishedAreLostAlsoWhileTextsAreWrittenToThem() {
    int couples = Load.count(5, 100);
    // Long enough for one thread to come round to all who are to answer.
    Duration heartbeat = Duration.ofMillis(Load.count(1000, 2000));
    try (RunningServer server =
            RunningServer.start(config -> config.heartbeat(heartbeat).loops(2));
        Together threads = new Together()) {
      RawPeer alice = server.join("alice");
      AtomicBoolean stop = new AtomicBoolean();
      AtomicInteger pings = new AtomicInteger();
      List<RawPeer> present = new ArrayList<>();
      for (int i = 0; i < couples; i++) {
        present.add(server.join("present" + i));
      }
      threads.run(() -> answerPings(present, stop, pings));
      for (int i = 0; i < couples; i++) {
        server.join("vanished" + i);
      }
      long since = System.nanoTime();
      alice.await(Joined.class, joined -> joined.name().equals("vanished" + (couples - 1)));
      Set<String> gone = new HashSet<>();
      while (gone.size() < couples) {
        alice.say("hello?");
        ServerMessage message = alice.next();
        while (!(message instanceof Ack)) {
          if (message instanceof Left left) {
            assertThat(left.why()).isEqualTo(LeftWhy.LOST);
            assertThat(left.name()).startsWith("vanished");
            assertThat(gone.add(left.name())).as(left.name()).isTrue();
          }
          message = alice.next();
        }
      }
      Duration took = Duration.ofNanos(System.nanoTime() - since);
      stop.set(true);
      threads.join();
      assertThat(took).isBetween(heartbeat, heartbeat.multipliedBy(2).plusSeconds(2));
      assertThat(pings.get()).as("PINGs answered").isPositive();
      assertThat(server.members()).isEqualTo(1 + couples);
    }
  }

  private static void answerPings(List<RawPeer> peers, AtomicBoolean stop, AtomicInteger pings) {
    while (!stop.get()) {
      for (RawPeer peer : peers) {
        if (peer.hasNext(Duration.ofMillis(2)) && peer.next() instanceof ServerMessage.Ping ping) {
          peer.send(new ClientMessage.Pong(ping.opaque()));
          pings.incrementAndGet();
        }
      }
    }
  }

  /** The vanished peer itself is told, in case it is there after all. */
  @Test
  void aSilentMemberIsAskedThenClosed() {
    Duration heartbeat = Duration.ofMillis(300);
    try (RunningServer server = RunningServer.start(config -> config.heartbeat(heartbeat))) {
      RawPeer alice = server.join("alice");
      long since = System.nanoTime();
      alice.expect(ServerMessage.Ping.class);
      alice.expectBye(ErrorCode.TIMEOUT);
      alice.expectEof();
      assertThat(Duration.ofNanos(System.nanoTime() - since))
          .isBetween(heartbeat, heartbeat.multipliedBy(2).plusSeconds(1));
    }
  }

  /** JOINED and LEFT of a name alternate, and nobody speaks outside of them. */
  @ParameterizedTest
  @EnumSource
  void nobodySpeaksBeforeItsJoinedOrAfterItsLeft(Shape shape) {
    int restless = Load.count(10, 20);
    int watching = Load.count(4, 180);
    int cycles = Load.count(30, 500);
    Load.run(
        seed -> {
          try (RunningServer server = shape.start();
              Together threads = new Together()) {
            List<RawPeer> observers = new ArrayList<>();
            for (int i = 0; i < watching; i++) {
              observers.add(server.join("observer" + i));
            }
            long start = observers.get(watching - 1).stream().welcome().head();
            List<Future<Chain>> chains = new ArrayList<>();
            for (RawPeer observer : observers) {
              chains.add(threads.run(() -> watch(observer, start)));
            }
            List<Future<?>> ends = new ArrayList<>();
            for (int i = 0; i < restless; i++) {
              String name = "restless" + i;
              Random random = new Random(seed + i);
              ends.add(
                  threads.run(
                      () -> {
                        for (int cycle = 0; cycle < cycles; cycle++) {
                          comeSpeakAndGo(server, name, random);
                        }
                        return name;
                      }));
            }
            ends.forEach(Together::get);
            server.awaitMembers(observers.size());
            server.join("last").say(END);
            threads.join();
            assertThat(chains)
                .extracting(chain -> Together.get(chain).hash())
                .containsOnly(Together.get(chains.get(0)).hash());
          }
        });
  }

  private static void comeSpeakAndGo(RunningServer server, String name, Random random) {
    RawPeer peer = RawPeer.connect(server.address());
    while (!isIn(peer, name)) {
      // The name is free once the server has seen the reset of the last cycle.
      assertThat(peer.stream().isWelcomed()).isFalse();
    }
    int texts = random.nextInt(5);
    for (int i = 0; i < texts; i++) {
      peer.say("hello");
    }
    if (random.nextBoolean()) {
      peer.send(new Leave());
      peer.await(ServerMessage.Bye.class);
      peer.close();
    } else {
      peer.reset();
    }
  }

  private static boolean isIn(RawPeer peer, String name) {
    peer.send(new Hello(name, 0));
    ServerMessage answer = peer.next();
    if (answer instanceof ServerMessage.Refused refused) {
      assertThat(refused.code()).isEqualTo(ErrorCode.NAME_TAKEN.number());
    }
    return answer instanceof Welcome;
  }

  private static Chain watch(RawPeer observer, long start) {
    observer.chainFrom(start);
    Set<String> present = new HashSet<>();
    while (true) {
      ServerMessage message = observer.next();
      if (message instanceof Joined joined) {
        assertThat(present.add(joined.name())).as("absent before %s", joined).isTrue();
      } else if (message instanceof Left left) {
        assertThat(present.remove(left.name())).as("present before %s", left).isTrue();
      } else if (message instanceof Msg msg) {
        assertThat(present).as("present at %s", msg).contains(msg.name());
        if (msg.text().equals(END)) {
          return observer.chain();
        }
      }
    }
  }

  /**
   * Whatever the cut, a text that was acknowledged is there for all, and any other for all or none.
   */
  @ParameterizedTest
  @EnumSource(names = {"ONE_LOOP", "FOUR_LOOPS"})
  void whatWasAcknowledgedBeforeAResetIsInEveryChain(Shape shape) {
    int cycles = Load.count(150, 5000);
    Load.seeded(
        random -> {
          try (RunningServer server = shape.start();
              Together threads = new Together()) {
            List<Future<Set<String>>> heard = new ArrayList<>();
            List<RawPeer> observers = List.of(server.join("one"), server.join("two"));
            for (RawPeer observer : observers) {
              heard.add(threads.run(() -> hear(observer)));
            }
            Set<String> acknowledged = new HashSet<>();
            for (int cycle = 0; cycle < cycles; cycle++) {
              acknowledged.addAll(sendAndReset(server, "s" + cycle, random));
            }
            server.awaitMembers(observers.size());
            server.join("last").say(END);
            Set<String> first = Together.get(heard.get(0));
            assertThat(Together.get(heard.get(1))).isEqualTo(first);
            assertThat(first).containsAll(acknowledged);
            assertThat(acknowledged).isNotEmpty();
          }
        });
  }

  private static Set<String> hear(RawPeer observer) {
    Set<String> heard = new HashSet<>();
    while (true) {
      String text = observer.await(Msg.class).text();
      if (text.equals(END)) {
        return heard;
      }
      assertThat(heard.add(text)).as("once: " + text).isTrue();
    }
  }

  private static Set<String> sendAndReset(RunningServer server, String name, Random random) {
    RawPeer peer = RawPeer.connect(server.address());
    peer.join(name);
    int texts = 1 + random.nextInt(20);
    int wholeTexts = random.nextInt(texts + 1);
    Set<String> acknowledged = new HashSet<>();
    for (int i = 1; i <= wholeTexts; i++) {
      peer.say(name + " " + i);
    }
    byte[] torn = RawPeer.bytesOf(new ClientMessage.Send(name + " torn"));
    peer.sendBytes(Arrays.copyOf(torn, random.nextInt(torn.length)));
    if (wholeTexts > 0 && random.nextInt(3) > 0) {
      int until = 1 + random.nextInt(wholeTexts);
      int acked = peer.await(Ack.class, ack -> ack.sendNo() >= until).sendNo();
      IntStream.rangeClosed(1, acked).forEach(i -> acknowledged.add(name + " " + i));
    }
    peer.reset();
    return acknowledged;
  }

  /**
   * "SEND, LEAVE and WHO MUST be answered with ERROR(JOIN_FIRST) with sendNo 0, and the connection
   * stays."
   */
  @Test
  void aStrangerIsToldToJoinFirstAndMayStillDoSo() {
    try (RunningServer server = RunningServer.start()) {
      RawPeer alice = server.connect();
      alice.send(new ClientMessage.Send("x"), new Who(), new Leave(), new Ping(7));
      for (int i = 0; i < 3; i++) {
        alice.expectError(ErrorCode.JOIN_FIRST, 0);
      }
      assertThat(alice.expect(Pong.class).opaque()).isEqualTo(7);
      alice.join("alice");
      alice.say("now");
      assertThat(alice.expect(Ack.class).sendNo()).isEqualTo(1);
    }
  }

  /** "A client that has not joined within the join deadline MUST get BYE(JOIN_TIMEOUT)." */
  @Test
  void theJoinDeadlineIsNotExtendedByWhatAStrangerSays() {
    try (RunningServer server =
        RunningServer.start(config -> config.joinTimeout(Duration.ofMillis(300)))) {
      RawPeer stranger = server.connect();
      ServerMessage message;
      do {
        stranger.send(new Ping(1));
        message = stranger.next();
      } while (message instanceof Pong);
      assertThat(message)
          .isInstanceOfSatisfying(
              ServerMessage.Bye.class,
              bye -> assertThat(bye.code()).isEqualTo(ErrorCode.JOIN_TIMEOUT.number()));
    }
  }

  /**
   * "After the join a HELLO, whatever its body, MUST be answered with ERROR(UNEXPECTED) and change
   * nothing."
   */
  @Test
  void aSecondHelloChangesNothing() {
    try (RunningServer server = RunningServer.start()) {
      RawPeer alice = server.join("alice");
      RawPeer bob = server.join("bob");
      alice.expect(Joined.class);
      bob.send(new Hello("mallory", 0));
      bob.expectError(ErrorCode.UNEXPECTED, 0);
      bob.sendHex("01000001 00");
      bob.expectError(ErrorCode.UNEXPECTED, 0);
      bob.say("still bob");
      assertThat(alice.expect(Msg.class).name()).isEqualTo("bob");
    }
  }

  /** "... and the connection stays." */
  @ParameterizedTest
  @EnumSource
  void whoWasRefusedANameMayTryAnotherOnTheSameConnection(Shape shape) {
    try (RunningServer server = shape.start()) {
      server.join("alice");
      RawPeer bob = server.connect();
      for (int i = 0; i < 3; i++) {
        bob.send(new Hello("ALICE", 0));
        bob.expectError(ErrorCode.NAME_TAKEN, 0);
        bob.send(new Hello("a b", 0));
        bob.expectError(ErrorCode.NAME_INVALID, 0);
      }
      assertThat(bob.join("bob").members()).isEqualTo(2);
    }
  }

  static Stream<Arguments> refusedNames() {
    return Stream.of(
        Arguments.of("", "1 to 20 characters"),
        Arguments.of("x".repeat(21), "1 to 20 characters"),
        Arguments.of("\uD83D\uDE00".repeat(17), "at most 64 bytes"),
        Arguments.of("a b", "no white space"),
        Arguments.of("a\tb", "no white space"),
        Arguments.of("a\u200Bb", "no invisible characters"),
        Arguments.of("p\u0430ypal", "letters of one script"),
        Arguments.of("*", "only letters, digits and _ . -"),
        Arguments.of("..", "at least one letter or digit"),
        Arguments.of("\u0301a", "combining mark"));
  }

  /** "A name that breaks a rule MUST be answered with ERROR(NAME_INVALID)", which says which. */
  @ParameterizedTest(name = "{1}")
  @MethodSource("refusedNames")
  void aNameThatBreaksARuleIsRefusedWithTheRule(String name, String rule) {
    try (RunningServer server = RunningServer.start()) {
      RawPeer peer = server.connect();
      peer.send(new Hello(name, 0));
      assertThat(peer.expectError(ErrorCode.NAME_INVALID, 0).text()).contains(rule);
      assertThat(peer.join("alice").members()).isEqualTo(1);
    }
  }

  @Test
  void aNameThatIsNotUtf8IsRefusedWithThatRule() {
    try (RunningServer server = RunningServer.start()) {
      RawPeer peer = server.connect();
      peer.sendHex("0100000C 43484154 01 01 00 0000 02 61FF");
      assertThat(peer.expectError(ErrorCode.NAME_INVALID, 0).text()).contains("UTF-8");
      assertThat(peer.join("alice").members()).isEqualTo(1);
    }
  }

  /** What might mean something to somebody is a name like any other, shown as it was typed. */
  @Test
  void aNameThatBreaksNoRuleIsTakenWhateverItMeans() {
    List<String> names =
        new ArrayList<>(
            List.of("x".repeat(20), "\u540D\u524D", "Zo\u00EB", "user_1", "a.b-c", "7", "-0"));
    names.addAll(List.of("server", "admin", "root", "system", "everyone", "all", "here", "me"));
    names.addAll(List.of("send", "leave", "who", "help", "null", "undefined", "true", "NaN"));
    try (RunningServer server = RunningServer.start()) {
      RawPeer witness = server.join("witness");
      for (String name : names) {
        RawPeer peer = server.join(name);
        assertThat(peer.stream().welcome().name()).isEqualTo(name);
        assertThat(witness.expect(Joined.class).name()).isEqualTo(name);
        peer.say(name);
        peer.await(Ack.class);
        Msg msg = witness.expect(Msg.class);
        assertThat(List.of(msg.name(), msg.text())).containsExactly(name, name);
      }
      assertThat(roster(witness)).containsAll(names).hasSize(names.size() + 1);
    }
  }

  /** "Two names are the same if their folded forms are equal." */
  @ParameterizedTest
  @CsvSource({"Zo\u00EB, Zoe\u0308", "BOB, bob", "Stra\u00DFe, STRASSE", "\uFF21da, ada"})
  void namesOfOneFoldedFormAreOneName(String one, String other) {
    try (RunningServer server = RunningServer.start()) {
      for (List<String> names : List.of(List.of(one, other), List.of(other, one))) {
        RawPeer first = server.join(names.get(0));
        RawPeer second = server.connect();
        second.send(new Hello(names.get(1), 0)).expectError(ErrorCode.NAME_TAKEN, 0);
        first.send(new Leave()).await(ServerMessage.Bye.class);
        assertThat(second.join(names.get(1)).name()).isEqualTo(names.get(1));
        second.send(new Leave()).await(ServerMessage.Bye.class);
      }
    }
  }

  /**
   * "Everyone who is in the room from the question to the end of the answer, the asker too, MUST be
   * listed exactly once, and nobody twice."
   */
  @ParameterizedTest
  @EnumSource(names = {"ONE_LOOP", "FOUR_LOOPS"})
  void theRosterListsEveryoneOnceInARoomOfAnySize(Shape shape) {
    int large = Load.count(400, 5000);
    try (RunningServer server = shape.start();
        Together threads = new Together()) {
      RawPeer asker = server.join("asker");
      assertThat(roster(asker)).containsExactly("asker");
      Set<String> staying = new HashSet<>(Set.of("asker"));
      join(server, staying, 10);
      assertThat(roster(asker)).containsExactlyInAnyOrderElementsOf(staying);
      join(server, staying, large);
      assertThat(roster(asker)).containsExactlyInAnyOrderElementsOf(staying);

      AtomicBoolean stop = new AtomicBoolean();
      threads.run(
          () -> {
            Random random = new Random(1);
            while (!stop.get()) {
              comeSpeakAndGo(server, "passing" + random.nextInt(3), random);
            }
          });
      for (int i = 0; i < 20; i++) {
        List<String> names = roster(asker);
        assertThat(names).doesNotHaveDuplicates().containsAll(staying);
      }
      stop.set(true);
      threads.join();
    }
  }

  /** All knock before the first is let in, so that many come in one turn of the server. */
  private static void join(RunningServer server, Set<String> names, int until) {
    Map<String, RawPeer> peers = new LinkedHashMap<>();
    while (names.size() < until) {
      String name = "member-of-the-room" + (char) ('a' + names.size() % 26) + names.size();
      String shortName = name.substring(Math.max(0, name.length() - 20));
      names.add(shortName);
      peers.put(shortName, server.connect());
    }
    peers.forEach((name, peer) -> peer.send(new Hello(name, 0)));
    peers.values().forEach(peer -> peer.expect(Welcome.class));
  }

  private static List<String> roster(RawPeer asker) {
    List<String> names = new ArrayList<>();
    asker.send(new Who());
    Roster part;
    do {
      part = asker.await(Roster.class);
      names.addAll(part.names());
    } while (part.more());
    return names;
  }

  /** An event loop has many members; a member has no thread. */
  @Test
  void membersCostNoThreads() throws IOException {
    int few = threadsWithMembers(10);
    assertThat(threadsWithMembers(Load.count(500, 10_000))).isBetween(few - 5, few + 5);
  }

  /** The members live in another process: what is counted here is the server's alone. */
  private static int threadsWithMembers(int members) throws IOException {
    try (RunningServer server =
        RunningServer.start(config -> config.loops(2).maxPending(members))) {
      Process crowd = Crowd.gathered(server.address().getPort(), members);
      try {
        assertThat(server.members()).isEqualTo(members);
        return ManagementFactory.getThreadMXBean().getThreadCount();
      } finally {
        crowd.destroyForcibly();
      }
    }
  }
}
