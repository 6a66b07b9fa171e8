package simplechat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.lettuce.core.Range;
import io.lettuce.core.StreamMessage;
import java.time.Duration;
import java.util.HashSet;
import java.util.Locale;
import java.util.Set;
import org.junit.jupiter.api.Test;
import simplechat.protocol.ClientMessage.Hello;
import simplechat.protocol.ClientMessage.Ping;
import simplechat.protocol.ErrorCode;
import simplechat.protocol.ServerMessage.Ack;
import simplechat.protocol.ServerMessage.Bye;
import simplechat.protocol.ServerMessage.Event;
import simplechat.protocol.ServerMessage.Joined;
import simplechat.protocol.ServerMessage.Left;
import simplechat.protocol.ServerMessage.LeftWhy;
import simplechat.protocol.ServerMessage.Msg;
import simplechat.protocol.ServerMessage.Pong;
import simplechat.protocol.ServerMessage.Welcome;
import simplechat.redis.RedisSettings;
import simplechat.support.BriefNode;
import simplechat.support.Load;
import simplechat.support.RawPeer;
import simplechat.support.RedisServer;
import simplechat.support.RunningServer;
import simplechat.support.ServerProcess;
import simplechat.support.TwoServers;

/** What a node asks of the room when it is not any more what it takes itself for: no effect. */
class StaleNodeTest {
  /** However long it stood still, and whatever was said to it meanwhile. */
  @Test
  void aNodeThatSleptThroughItsLeaseHasNoMembersAnyMore() {
    Duration lease = Load.isFull() ? RedisSettings.LEASE : Duration.ofSeconds(2);
    try (RedisServer redis = RedisServer.start();
        RunningServer one = TwoServers.node(redis.uri(), lease);
        ServerProcess two = BriefNode.start(redis, lease);
        RawPeer bob = RawPeer.connect(two.address())) {
      RawPeer alice = one.join("alice");
      bob.join("bob");
      alice.expect(Joined.class);
      two.signal("STOP");
      await().until(two::isStopped);
      bob.say("one", "two", "three");
      assertThat(alice.hasNext(lease.plusSeconds(2))).isTrue();
      assertThat(alice.expect(Left.class).why()).isEqualTo(LeftWhy.LOST);
      RawPeer other = one.join("BOB");
      alice.expect(Joined.class);
      two.signal("CONT");
      bob.expectBye(ErrorCode.INTERNAL);
      assertThat(bob.stream().acknowledged()).isZero();
      // Until it has found its way back to the room it tells whoever comes to come later.
      await()
          .untilAsserted(
              () -> {
                try (RawPeer again = RawPeer.connect(two.address())) {
                  again.send(RawPeer.resumeOf(bob));
                  again.expectError(ErrorCode.NAME_TAKEN, 0);
                }
              });
      other.say("the only one");
      assertThat(alice.expect(Msg.class).text()).isEqualTo("the only one");
      alice.expectNothing();
      oneHolderAtATime(redis);
    }
  }

  /** The others have not noticed yet, and its own clock says that all is well. */
  @Test
  void aNodeWhoseLeaseIsGoneIsNotListenedTo() {
    try (TwoServers room = TwoServers.start()) {
      room.redis()
          .commands()
          .keys("chat:lease:*")
          .forEach(lease -> room.redis().commands().del(lease));
      room.bob().say("late");
      room.bob().expectBye(ErrorCode.INTERNAL);
      assertThat(room.bob().stream().acknowledged()).isZero();
      room.alice().await(Bye.class);
      await().until(() -> room.two().server().unready() == null);
      RawPeer carol = room.two().connect();
      carol.join(new Hello("carol", 100));
      carol.expectNothingOf(Event.class);
      assertThat(
              room.redis().commands().xrange("chat:log", Range.unbounded()).stream()
                  .map(entry -> entry.getBody().get("x")))
          .doesNotContain("late");
      oneHolderAtATime(room.redis());
    }
  }

  /** What waits on a node that is cut off is void once its member has come back elsewhere. */
  @Test
  void whatASessionSaidWhereItIsNoMoreIsNotSaid() {
    try (TwoServers room = TwoServers.apart()) {
      room.strait().shut();
      room.bob().say("void");
      RawPeer again = room.one().resume(room.bob());
      room.alice().expect(Left.class);
      room.alice().expect(Joined.class);
      assertThat(again.stream().welcome().received()).isZero();
      again.say("first");
      again.expect(Ack.class);
      room.strait().open();
      room.bob().await(Bye.class);
      assertThat(room.bob().stream().acknowledged()).isZero();
      await().until(() -> room.two().server().unready() == null);
      again.say("second");
      assertThat(room.alice().expect(Msg.class).text()).isEqualTo("first");
      assertThat(room.alice().expect(Msg.class).text()).isEqualTo("second");
      room.alice().expectNothing();
      oneHolderAtATime(room.redis());
    }
  }

  /** Its number was of the session as it was there, and says nothing against the one elsewhere. */
  @Test
  void whatWasRefusedWhereASessionIsNoMoreBreaksNoRoom() {
    try (TwoServers room = TwoServers.apart()) {
      String epoch = room.redis().commands().hget("chat:room", "epoch");
      room.strait().shut();
      room.bob().say("");
      room.bob().expectError(ErrorCode.TEXT_EMPTY, 1);
      RawPeer again = room.one().resume(room.bob());
      room.alice().expect(Left.class);
      room.alice().expect(Joined.class);
      room.strait().open();
      room.bob().await(Bye.class);
      await().until(() -> room.two().server().unready() == null);
      // Told at the next tick, and looked into at the next look.
      await()
          .during(Duration.ofSeconds(1))
          .until(() -> epoch.equals(room.redis().commands().hget("chat:room", "epoch")));
      again.say("still here");
      assertThat(room.alice().expect(Msg.class).text()).isEqualTo("still here");
      oneHolderAtATime(room.redis());
    }
  }

  /** On one node the number goes in front, because the welcome counts it. */
  @Test
  void whatWasRefusedBeforeAReturnIsCountedInItsWelcome() {
    try (TwoServers room = TwoServers.start()) {
      for (int i = 0; i < 5; i++) {
        RawPeer carol = room.two().join("carol" + i);
        carol.say("");
        carol.expectError(ErrorCode.TEXT_EMPTY, 1);
        RawPeer again = room.two().connect();
        assertThat(again.join(RawPeer.resumeOf(carol)).received()).isEqualTo(1);
        carol.readToEnd();
      }
    }
  }

  /** The same where both connections are on one node. */
  @Test
  void whatWasSaidBehindTheReturnOfItsSessionIsNotSaid() {
    try (TwoServers room = TwoServers.apart()) {
      room.strait().shut();
      RawPeer again = room.two().connect();
      again.carryOn(room.bob());
      again.send(RawPeer.resumeOf(room.bob()));
      again.sendNo(0);
      await().until(() -> room.two().server().connections() == 2);
      room.bob().send(new Ping(1));
      room.bob().await(Pong.class);
      room.bob().say("void");
      room.bob().expectNothing();
      room.strait().open();
      Welcome welcome = again.expect(Welcome.class);
      assertThat(welcome.received()).isZero();
      again.say("first");
      again.await(Ack.class);
      room.bob().await(Bye.class);
      room.alice().expect(Left.class);
      room.alice().expect(Joined.class);
      assertThat(room.alice().expect(Msg.class).text()).isEqualTo("first");
      room.alice().expectNothing();
    }
  }

  /** A call that its node has given up, and asked again, may still come. */
  @Test
  void aCallThatComesLateIsNotTakenTwice() {
    try (TwoServers room = TwoServers.apart()) {
      room.strait().detain("once");
      room.bob().say("once");
      room.bob().expect(Ack.class);
      room.strait().arrive();
      room.bob().say("and on");
      room.bob().expect(Ack.class);
      assertThat(room.alice().expect(Msg.class).text()).isEqualTo("once");
      assertThat(room.alice().expect(Msg.class).text()).isEqualTo("and on");
      room.alice().expectNothing();
    }
  }

  /** "There are never two live holders of one name in the stream." */
  private static void oneHolderAtATime(RedisServer redis) {
    Set<String> held = new HashSet<>();
    for (StreamMessage<String, String> entry :
        redis.commands().xrange("chat:log", Range.unbounded())) {
      String[] field = entry.getBody().get("h").split(" ", 10);
      String name = field[9].toLowerCase(Locale.ROOT);
      switch (field[2]) {
        case "J", "B" -> assertThat(held.add(name)).as(field[9] + " was free").isTrue();
        case "L" -> assertThat(held.remove(name)).as(field[9] + " was there").isTrue();
        default -> {}
      }
    }
    assertThat(held).isNotEmpty();
  }
}
