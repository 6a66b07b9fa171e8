package simplechat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.lettuce.core.RestoreArgs;
import io.lettuce.core.api.sync.RedisCommands;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import simplechat.protocol.ClientMessage.Hello;
import simplechat.protocol.ClientMessage.Ping;
import simplechat.protocol.ErrorCode;
import simplechat.protocol.ServerMessage;
import simplechat.protocol.ServerMessage.Ack;
import simplechat.protocol.ServerMessage.Bye;
import simplechat.protocol.ServerMessage.Event;
import simplechat.protocol.ServerMessage.Joined;
import simplechat.protocol.ServerMessage.Left;
import simplechat.protocol.ServerMessage.LeftWhy;
import simplechat.protocol.ServerMessage.Msg;
import simplechat.protocol.ServerMessage.Pong;
import simplechat.protocol.ServerMessage.Refused;
import simplechat.protocol.ServerMessage.Welcome;
import simplechat.redis.RedisSettings;
import simplechat.status.ServerMetrics;
import simplechat.support.Chain;
import simplechat.support.Figures;
import simplechat.support.Load;
import simplechat.support.Nodes;
import simplechat.support.RawPeer;
import simplechat.support.RedisServer;
import simplechat.support.RunningServer;
import simplechat.support.ServerProcess;
import simplechat.support.Strait;
import simplechat.support.TwoServers;

/** What becomes of a room of many nodes when its Redis, or the way there, fails. */
class RedisFailureTest {
  private static final Duration NOTICED_WITHIN = Duration.ofSeconds(2);

  private static RunningServer node(String uri) {
    return TwoServers.node(uri, RedisSettings.LEASE);
  }

  private static String[] texts(String begin, int count) {
    String[] texts = new String[count];
    for (int i = 0; i < count; i++) {
      texts[i] = begin + i;
    }
    return texts;
  }

  /** Members stay; what they say waits up to a bound, and then all of it arrives, once. */
  @Test
  void aRedisThatRestartsWithItsDataCostsTimeAndNothingElse() {
    Duration away = Load.isFull() ? Duration.ofSeconds(5) : Duration.ZERO;
    int rounds = Load.count(1, 5);
    String[] long60KiB = new String[20];
    Arrays.fill(long60KiB, "x".repeat(60 << 10));
    try (TwoServers room = TwoServers.start()) {
      List<RawPeer> both = List.of(room.alice(), room.bob());
      for (int round = 0; round < rounds; round++) {
        room.alice().say(texts("before ", 500));
        room.redis().kill();
        long until = System.nanoTime() + away.toNanos();
        room.alice().say(texts("while ", 1000));
        room.bob().say(long60KiB);
        for (RawPeer peer : both) {
          assertThat(peer.await(Refused.class).code()).isEqualTo(ErrorCode.BUSY.number());
          peer.send(new Ping(1));
          peer.await(Pong.class);
          while (peer.hasNext(Duration.ofNanos(until - System.nanoTime()))) {
            peer.next();
          }
        }
        room.redis().up();
        for (RawPeer peer : both) {
          do {
            peer.say("after");
          } while (isRefused(peer, peer.sendNo()));
        }
      }
      int aliceRefused = refused(room.alice());
      assertThat(aliceRefused).isBetween(rounds, room.alice().sendNo() - 1000);
      int bobRefused = refused(room.bob());
      assertThat(bobRefused).isBetween(rounds, room.bob().sendNo() - 17 * rounds);
      int said = room.alice().sendNo() + room.bob().sendNo() - aliceRefused - bobRefused;
      room.awaitSameChains(said);
      both.forEach(RawPeer::expectNothing);
      Figures.tell(
          "L6",
          "Redis killed %d times, away %d s: %d texts, %d refused, chains equal"
              .formatted(rounds, away.toSeconds(), said, aliceRefused + bobRefused),
          "0 lost, 0 twice");
    }
  }

  private static int refused(RawPeer peer) {
    return (int) IntStream.rangeClosed(1, peer.sendNo()).filter(peer.stream()::isRefused).count();
  }

  private static ServerMetrics.Shared shared(RunningServer node) {
    return Objects.requireNonNull(node.metrics().shared());
  }

  /** Waits for the answer to this SEND. */
  private static boolean isRefused(RawPeer peer, int sendNo) {
    while (peer.stream().acknowledged() < sendNo && !peer.stream().isRefused(sendNo)) {
      peer.next();
    }
    return peer.stream().isRefused(sendNo);
  }

  static Stream<Named<Consumer<RedisServer>>> ends() {
    return Stream.of(
        Named.of("everything is deleted", redis -> redis.commands().flushall()),
        Named.of("the stream is deleted", redis -> redis.commands().del("chat:log")),
        Named.of("the stream is another thing", redis -> redis.commands().set("chat:log", "x")),
        Named.of("its newest entry is deleted", RedisFailureTest::deleteNewest),
        Named.of("sessions are deleted", redis -> redis.commands().del("chat:sessions")),
        Named.of(
            "it comes back empty",
            redis -> {
              redis.kill();
              redis.loseData();
              redis.up();
            }));
  }

  private static void deleteNewest(RedisServer redis) {
    String newest =
        redis
            .commands()
            .xrevrange("chat:log", io.lettuce.core.Range.unbounded(), io.lettuce.core.Limit.from(1))
            .get(0)
            .getId();
    redis.commands().xdel("chat:log", newest);
  }

  /** "... or of another epoch": a room that is not what was read is over, and told to be. */
  @ParameterizedTest
  @MethodSource("ends")
  void aRoomThatIsNotWhatWasReadBeginsAnew(Consumer<RedisServer> end) {
    try (TwoServers room = TwoServers.start()) {
      room.alice().say("hi");
      room.bob().expect(Msg.class);
      room.alice().expect(Ack.class);
      end.accept(room.redis());
      beginsAnew(room);
    }
  }

  private static void beginsAnew(TwoServers room) {
    long until = System.nanoTime() + NOTICED_WITHIN.toNanos();
    for (RawPeer peer : List.of(room.alice(), room.bob())) {
      assertThat(peer.hasNext(Duration.ofNanos(until - System.nanoTime())))
          .as("noticed within %s", NOTICED_WITHIN)
          .isTrue();
      peer.expectBye(ErrorCode.INTERNAL);
    }
    RawPeer again = room.one().connect();
    Welcome welcome = again.join(RawPeer.resumeOf(room.alice()));
    assertThat(welcome.resumed()).isFalse();
    assertThat(welcome.epoch()).isNotEqualTo(room.alice().stream().welcome().epoch());
    RawPeer other = room.two().connect();
    assertThat(other.join(new Hello("bob", 0)).epoch()).isEqualTo(welcome.epoch());
    again.await(Joined.class);
    again.say(texts("anew ", 1000));
    for (int i = 0; i < 1000; i++) {
      assertThat(other.expect(Msg.class).text()).isEqualTo("anew " + i);
    }
  }

  /** Positions that go back are another room, although the epoch is the same. */
  @Test
  void aRoomThatIsOlderThanWhatWasReadBeginsAnew() {
    try (TwoServers room = TwoServers.start()) {
      RedisCommands<String, String> redis = room.redis().commands();
      Map<String, byte[]> older = new TreeMap<>();
      redis.keys("chat:*").forEach(key -> older.put(key, redis.dump(key)));
      room.alice().say("hi");
      room.bob().expect(Msg.class);
      room.alice().expect(Ack.class);
      older.forEach(
          (key, dump) -> {
            int lifeMillis = key.contains("lease") ? 14_000 : 0;
            redis.restore(key, dump, RestoreArgs.Builder.ttl(lifeMillis).replace());
          });
      beginsAnew(room);
    }
  }

  /** What was trimmed before a node had read it is a GAP there, and no more than that. */
  @Test
  void whatWasTrimmedIsToldByAnExactGap() {
    try (TwoServers room = TwoServers.apart()) {
      RawPeer alice = room.alice();
      RawPeer bob = room.bob();
      bob.say("own");
      bob.expect(Ack.class);
      room.strait().shut();
      alice.say(texts("lost ", 200));
      alice.await(Ack.class, ack -> ack.sendNo() == 200);
      RawPeer carol = room.one().join("carol");
      room.redis().commands().xtrim("chat:log", 0);
      bob.say("own too");
      room.strait().open();
      ServerMessage.Gap gap = bob.await(ServerMessage.Gap.class);
      assertThat(gap.missed()).isEqualTo(201);
      assertThat(room.two().members()).as("with carol, whose JOINED was not read").isEqualTo(3);
      carol.say("heard");
      bob.await(Msg.class, msg -> msg.text().equals("heard"));
      assertThat(bob.stream().acknowledged()).isEqualTo(2);
      bob.say("still here");
      bob.await(Ack.class, ack -> ack.sendNo() == 3);
    }
  }

  /**
   * By its own clock: before anybody else may have their names, a node sends its members away. What
   * is said there meanwhile is heard by nobody; and who wants to come in does not wait for long.
   */
  @Test
  void aNodeThatIsCutOffGivesItsMembersUp() {
    Duration lease = Load.isFull() ? RedisSettings.LEASE : Duration.ofSeconds(1);
    Duration cut = Load.isFull() ? Duration.ofSeconds(20) : lease;
    Duration joinsWait = Load.isFull() ? Duration.ofSeconds(3) : lease;
    try (TwoServers room = TwoServers.apart(lease)) {
      RawPeer alice = room.alice();
      RawPeer bob = room.bob();
      alice.fold(Chain.ofOrder());
      bob.fold(Chain.ofOrder());
      RawPeer dora = room.two().join("dora");
      alice.expect(Joined.class);
      bob.expect(Joined.class);
      long began = System.nanoTime();
      room.strait().shut();
      bob.say("not heard by anybody");
      RawPeer elsewhere = room.one().connect();
      elsewhere.send(new Hello("bob", 0));
      elsewhere.expectError(ErrorCode.NAME_TAKEN, 0);
      RawPeer late = room.two().connect();
      late.send(new Hello("late", 0));
      late.expectBye(ErrorCode.INTERNAL);
      assertThat(Duration.ofNanos(System.nanoTime() - began))
          .isBetween(joinsWait.dividedBy(2), joinsWait.plusMillis(800));
      for (RawPeer sent : List.of(bob, dora)) {
        sent.hasNext(lease.plusSeconds(1));
        sent.expectBye(ErrorCode.INTERNAL);
      }
      assertThat(bob.stream().acknowledged()).as("never an ACK").isZero();
      List<String> lost = new ArrayList<>();
      for (int i = 0; i < 2; i++) {
        assertThat(alice.hasNext(Duration.ofSeconds(3))).isTrue();
        Left left = alice.expect(Left.class);
        assertThat(left.why()).isEqualTo(LeftWhy.LOST);
        lost.add(left.name());
      }
      assertThat(lost).containsExactlyInAnyOrder("bob", "dora");
      await()
          .atMost(cut.plusSeconds(3))
          .until(
              () ->
                  System.nanoTime() - began > cut.toNanos()
                      && room.two().server().unready() != null
                      && isTurnedAway(room.two()));
      alice.say("while they are away");
      alice.expect(Ack.class);
      room.strait().open();
      await().atMost(Duration.ofSeconds(2)).until(() -> room.two().server().unready() == null);
      RawPeer again = room.two().resume(bob);
      assertThat(again.stream().welcome().received()).isZero();
      assertThat(again.await(Msg.class).text()).isEqualTo("while they are away");
      again.say("heard");
      alice.expect(Joined.class);
      assertThat(alice.expect(Msg.class).text()).isEqualTo("heard");
      again.expect(Ack.class);
      alice.expectNothing();
      assertThat(again.chain().hash()).isEqualTo(alice.chain().hash());
    }
  }

  private static boolean isTurnedAway(RunningServer node) {
    RawPeer late = node.connect();
    late.send(new Hello("late", 0));
    ServerMessage answer = late.next();
    late.close();
    return answer instanceof Bye bye && bye.code() == ErrorCode.INTERNAL.number();
  }

  /** The link breaks anywhere, again and again; everything said is in the room once, in order. */
  @Test
  void aLinkThatBreaksAnywhereLosesAndRepeatsNothing() {
    int rounds = Load.count(12, 300);
    Load.seeded(
        random -> {
          try (TwoServers room = TwoServers.apart()) {
            RawPeer alice = room.alice();
            RawPeer bob = room.bob();
            for (int round = 1; round <= rounds; round++) {
              if (round % 3 == 0) {
                room.strait().cutAfter(random.nextInt(4000));
              } else {
                room.strait().cutAfterAnswers(random.nextInt(100));
              }
              bob.say(texts(round + " bob ", 10));
              alice.say(texts(round + " alice ", 10));
              int last = round * 10;
              long said = System.nanoTime();
              bob.await(Ack.class, ack -> ack.sendNo() == last);
              assertThat(Duration.ofNanos(System.nanoTime() - said)).isLessThan(NOTICED_WITHIN);
            }
            room.awaitSameChains(rounds * 20);
          }
        });
  }

  /** "PING ... PONG": nothing that a member asks of its server waits for Redis. */
  @ParameterizedTest
  @ValueSource(ints = {300, 2000})
  void aSlowRedisHoldsUpNoLoop(int delayMillis) {
    try (RedisServer redis = RedisServer.start();
        Strait strait = Strait.to(redis.port());
        RunningServer one = node(strait.uri())) {
      RawPeer alice = one.join("alice");
      RawPeer bob = one.join("bob");
      strait.delay(delayMillis);
      long worst = 0;
      for (int i = 1; i <= 5; i++) {
        alice.say(texts("slow ", 300));
        long asked = System.nanoTime();
        bob.send(new Ping(i));
        bob.await(Pong.class);
        worst = Math.max(worst, System.nanoTime() - asked);
        assertThat(bob.hasNext(Duration.ofMillis(delayMillis / 5))).isIn(true, false);
      }
      Figures.tell(
          "L10",
          "Redis %d ms late: PING to PONG %s".formatted(delayMillis, Figures.millis(worst)),
          "100 ms");
      assertThat(Duration.ofNanos(worst)).isLessThan(Load.bound(Duration.ofMillis(100)));
      strait.delay(0);
      do {
        alice.say("over");
      } while (isRefused(alice, alice.sendNo()));
      if (delayMillis >= 2000) { // otherwise some of it may be gone before the rest is said
        assertThat(refused(alice)).as("beyond what may wait").isPositive();
      }
    }
  }

  /** What is not ours is skipped, and a GAP if it has a place in the order. */
  @Test
  void foreignEntriesAreSkipped() {
    try (RedisServer redis = RedisServer.start();
        RunningServer one = node(redis.uri())) {
      RawPeer alice = one.join("alice");
      RawPeer bob = one.join("bob");
      alice.expect(Joined.class);
      redis.commands().xadd("chat:log", Map.of("what", "is this"));
      redis.commands().xadd("chat:log", Map.of("h", "x".repeat(1000), "x", ""));
      redis.commands().xadd("chat:log", Map.of("h", "1 2 M a b c d e f g", "x", "\u0000"));
      alice.say("one");
      assertThat(bob.expect(Msg.class).text()).isEqualTo("one");
      long end = Long.parseLong(redis.commands().hget("chat:room", "end"));
      redis.commands().hset("chat:room", "end", Long.toString(end + 1));
      redis.commands().xadd("chat:log", Map.of("h", "2 " + end + " of another version", "x", ""));
      alice.say("two");
      ServerMessage.Gap gap = bob.expect(ServerMessage.Gap.class);
      assertThat(gap.missed()).isEqualTo(1);
      assertThat(gap.next()).isEqualTo(end + 1);
      assertThat(bob.expect(Msg.class).text()).isEqualTo("two");
      alice.await(Ack.class, ack -> ack.sendNo() == 2);
      redis.commands().hset("chat:room", "end", Long.toString(end + 3));
      String tooLong = "x".repeat(2 << 20);
      String header = "1 " + (end + 2) + " M - 0 " + "0".repeat(32) + " 0 1 2 alice";
      redis.commands().xadd("chat:log", Map.of("h", header, "x", tooLong));
      alice.say("three");
      assertThat(bob.expect(ServerMessage.Gap.class).missed()).isEqualTo(1);
      assertThat(bob.expect(Msg.class).text()).isEqualTo("three");
      assertThat(shared(one).skipped()).isEqualTo(5);
      assertThat(shared(one).up()).isTrue();
      assertThat(one.server().unready()).isNull();
    }
  }

  static Stream<Named<List<Consumer<RedisServer>>>> refusals() {
    return Stream.of(
        Named.of(
            "out of memory",
            List.of(
                redis -> redis.commands().configSet("maxmemory", "1"),
                redis -> redis.commands().configSet("maxmemory", "0"))),
        Named.of(
            "read-only",
            List.of(
                redis -> redis.commands().replicaof("127.0.0.1", 1),
                redis -> redis.commands().replicaofNoOne())),
        Named.of(
            "its scripts are gone",
            List.of(redis -> redis.commands().scriptFlush(), redis -> redis.commands().ping())));
  }

  /** A Redis that refuses is one that is away: what was said waits, and then goes on. */
  @ParameterizedTest
  @MethodSource("refusals")
  void aRedisThatRefusesIsWaitedFor(List<Consumer<RedisServer>> beginAndEnd) {
    try (RedisServer redis = RedisServer.start();
        RunningServer one = node(redis.uri())) {
      RawPeer alice = one.join("alice");
      RawPeer bob = one.join("bob");
      alice.expect(Joined.class);
      long reconnects = shared(one).reconnects();
      beginAndEnd.get(0).accept(redis);
      alice.say("waits");
      alice.expectNothingOf(Ack.class);
      // Else what is said could come to Redis when it refuses no more.
      await().until(() -> !shared(one).up() || shared(one).reconnects() > reconnects);
      beginAndEnd.get(1).accept(redis);
      assertThat(bob.expect(Msg.class).text()).isEqualTo("waits");
      alice.say("goes on");
      assertThat(bob.expect(Msg.class).text()).isEqualTo("goes on");
      assertThat(shared(one).reconnects()).isGreaterThan(reconnects);
      // What the stream brought was said; that it was taken comes with the answer, which may be
      // later.
      await().until(() -> shared(one).waitingMessages() == 0);
    }
  }

  /** Members of a server that stops are announced, and go on at another. */
  @Test
  void whoWasOnAServerThatStopsGoesOnElsewhere() {
    try (RedisServer redis = RedisServer.start();
        RunningServer one = node(redis.uri())) {
      RawPeer alice = one.join("alice");
      RawPeer bob;
      try (RunningServer two = node(redis.uri())) {
        bob = two.join("bob");
        alice.expect(Joined.class);
        bob.say(texts("last ", 100));
        for (int i = 0; i < 100; i++) {
          alice.expect(Msg.class);
        }
        two.drain();
        assertThat(alice.expect(Left.class).why()).isEqualTo(LeftWhy.SHUTDOWN);
        assertThat(bob.await(Bye.class).code()).isEqualTo(ErrorCode.SHUTDOWN.number());
        assertThat(bob.stream().acknowledged()).isEqualTo(100);
        bob.close();
      }
      RawPeer again = one.connect();
      Welcome welcome = again.resume(bob);
      assertThat(welcome.received()).isEqualTo(100);
      again.expectNothing();
      await().atMost(Duration.ofSeconds(3)).until(() -> redis.commands().hlen("chat:nodes") == 1);
    }
  }

  /** All servers begin again at once: the room goes on, and nobody is announced twice. */
  @Test
  void aRoomOutlivesAllItsServers() {
    try (RedisServer redis = RedisServer.start()) {
      RawPeer alice;
      RawPeer bob;
      try (Nodes room = Nodes.start(redis, 2)) {
        alice = room.node(0).join("alice");
        bob = room.node(1).join("bob");
        bob.say("hi");
        bob.await(Ack.class);
      }
      try (Nodes room = Nodes.start(redis, 2)) {
        RawPeer again = room.node(1).connect();
        assertThat(again.resume(bob).received()).isEqualTo(1);
        RawPeer reader = room.node(0).connect();
        Welcome welcome = reader.join(new Hello("reader", 10));
        assertThat(welcome.epoch()).isEqualTo(bob.stream().welcome().epoch());
        assertThat(welcome.members()).isEqualTo(2);
        assertThat(reader.await(Msg.class).text()).isEqualTo("hi");
        assertThat(alice.stream().isWelcomed()).isTrue();
      }
    }
  }

  /**
   * A server that is killed in the middle costs its members a reconnect, and nobody a message that
   * was confirmed; who does not come back is announced once, when the lease is over.
   */
  @Test
  void aServerThatIsKilledLosesNothingThatWasConfirmed() {
    try (RedisServer redis = RedisServer.start("--maxmemory-policy", "allkeys-lru");
        RunningServer one = node(redis.uri())) {
      RawPeer alice = one.join("alice");
      RawPeer bob = null;
      RawPeer carol = null;
      int heard = 0;
      for (int round = 0; round < Load.count(1, 5); round++) {
        try (ServerProcess two =
            ServerProcess.start("--port", "0", "--loops", "1", "--redis", redis.uri())) {
          RawPeer there = RawPeer.connect(two.address());
          if (bob == null) {
            carol = RawPeer.connect(two.address());
            carol.join("carol");
            there.join("bob");
          } else {
            there.resume(bob);
          }
          there.say(texts("killed ", 300));
          there.await(Ack.class);
          two.signal("KILL");
          assertThat(two.err()).anyMatch(line -> line.contains("allkeys-lru"));
          there.readToBreak();
          there.close();
          RawPeer back = one.connect();
          back.resume(there);
          int received = back.stream().welcome().received();
          assertThat(received).isGreaterThanOrEqualTo(there.stream().acknowledged());
          back.say(texts("again ", 10));
          back.await(Ack.class, ack -> ack.sendNo() == received + 10);
          heard = received + 10;
          bob = back;
        }
      }
      for (int i = 0; i < heard; i++) {
        alice.await(Msg.class);
      }
      if (Load.isFull()) {
        one.awaitMembersWithin(2, Duration.ofSeconds(16));
        Left left = alice.await(Left.class, gone -> gone.name().equals("carol"));
        assertThat(left.why()).isEqualTo(LeftWhy.LOST);
      }
      alice.expectNothingOf(Event.class);
      assertThat(carol).isNotNull();
      carol.close();
    }
  }

  /** What is wrong with a Redis is told in one line, in which no password is. */
  @Test
  void aServerWithoutItsRedisSaysSoAndNotThePassword() {
    try (ServerProcess server =
        ServerProcess.start(
            Map.of("CHAT_REDIS", "redis://chat:secretword@127.0.0.1:1/0"), "--port", "0")) {
      assertThat(server.exit()).isEqualTo(1);
      assertThat(server.err())
          .filteredOn(line -> line.startsWith("chat server: "))
          .singleElement()
          .asString()
          .startsWith("chat server: cannot use Redis at 127.0.0.1:1: Connection refused");
      assertThat(server.err()).noneMatch(line -> line.contains("secretword"));
    }
  }
}
