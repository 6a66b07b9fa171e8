package simplechat;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import simplechat.protocol.ClientMessage.Hello;
import simplechat.protocol.ClientMessage.Leave;
import simplechat.protocol.ErrorCode;
import simplechat.protocol.ServerMessage;
import simplechat.protocol.ServerMessage.Ack;
import simplechat.protocol.ServerMessage.Joined;
import simplechat.protocol.ServerMessage.JoinedHow;
import simplechat.protocol.ServerMessage.Left;
import simplechat.protocol.ServerMessage.LeftWhy;
import simplechat.protocol.ServerMessage.Msg;
import simplechat.protocol.ServerMessage.Welcome;
import simplechat.support.Figures;
import simplechat.support.Load;
import simplechat.support.Nodes;
import simplechat.support.RawPeer;
import simplechat.support.RedisServer;
import simplechat.support.RunningServer;
import simplechat.support.Together;

/** Several servers around one Redis are one room. */
class ScaleOutTest {
  private static RunningServer node(RedisServer redis) {
    return RunningServer.node(Nodes.settings(redis.uri()), config -> config);
  }

  /** Positions, epoch, names and who is there are the same on all nodes. */
  @Test
  void twoNodesAreOneRoom() {
    try (RedisServer redis = RedisServer.start();
        RunningServer one = node(redis);
        RunningServer two = node(redis)) {
      RawPeer alice = one.join("alice");
      RawPeer bob = two.join("bob");
      assertThat(alice.expect(Joined.class).name()).isEqualTo("bob");
      Welcome first = alice.stream().welcome();
      Welcome second = bob.stream().welcome();
      assertThat(second.epoch()).isEqualTo(first.epoch());
      assertThat(second.members()).isEqualTo(2);
      alice.say("hi");
      Msg msg = bob.expect(Msg.class);
      assertThat(msg.text()).isEqualTo("hi");
      assertThat(alice.expect(Ack.class).seq()).isEqualTo(msg.seq());

      RawPeer thief = two.connect();
      thief.send(new Hello("ALICE", 0));
      thief.expectError(ErrorCode.NAME_TAKEN, 0);

      bob.send(new Leave());
      bob.expectBye(ErrorCode.LEFT);
      assertThat(alice.expect(Left.class).why()).isEqualTo(LeftWhy.LEFT);
      Welcome late = thief.join(new Hello("carol", 10));
      assertThat(late.next()).isLessThan(late.head());
      assertThat(thief.expect(Msg.class).text()).isEqualTo("hi");
    }
  }

  /** A session goes on wherever its member comes back. */
  @Test
  void aSessionIsResumedOnAnotherNode() {
    try (RedisServer redis = RedisServer.start();
        RunningServer one = node(redis);
        RunningServer two = node(redis)) {
      RawPeer alice = one.join("alice");
      RawPeer bob = one.join("bob");
      alice.expect(Joined.class);
      bob.say("one");
      bob.expect(Ack.class);
      alice.expect(Msg.class);
      bob.reset();
      assertThat(alice.expect(Left.class).why()).isEqualTo(LeftWhy.LOST);
      alice.say("two");
      alice.expect(Ack.class);
      RawPeer again = two.resume(bob);
      assertThat(alice.expect(Joined.class).how()).isEqualTo(JoinedHow.CAME_BACK);
      assertThat(again.stream().welcome().received()).isEqualTo(1);
      assertThat(again.expect(Msg.class).text()).isEqualTo("two");
      again.expectNothing();

      RawPeer third = one.resume(again);
      again.expectBye(ErrorCode.REPLACED);
      assertThat(alice.expect(Left.class).why()).isEqualTo(LeftWhy.REPLACED);
      assertThat(alice.expect(Joined.class).how()).isEqualTo(JoinedHow.CAME_BACK);
      third.say("three");
      assertThat(third.expect(Ack.class).sendNo()).isEqualTo(2);
      assertThat(alice.expect(Msg.class).text()).isEqualTo("three");
    }
  }

  /** A node that comes later serves the past at once, and knows who is there. */
  @Test
  void aNewNodeKnowsThePast() {
    try (RedisServer redis = RedisServer.start();
        RunningServer one = node(redis)) {
      RawPeer alice = one.join("alice");
      alice.say("one", "two", "three");
      alice.await(Ack.class, ack -> ack.sendNo() == 3);
      RawPeer bob = one.join("bob");
      bob.say("four");
      bob.expect(Ack.class);
      bob.reset();
      alice.await(Left.class);
      try (RunningServer two = node(redis)) {
        RawPeer again = two.resume(bob);
        again.expectNothing();
        RawPeer carol = two.connect();
        assertThat(carol.join(new Hello("carol", 2)).members()).isEqualTo(3);
        assertThat(List.of(carol.await(Msg.class).text(), carol.await(Msg.class).text()))
            .containsExactly("three", "four");
        alice.send(new Leave());
        carol.await(Left.class);
        again.close();
        carol.await(Left.class);
        carol.close();
        two.awaitMembers(0);
      }
    }
  }

  /** "The server MUST give every event one position", and many nodes give the same. */
  @Test
  void allNodesTellTheSameInTheSameOrder() {
    int nodes = 3;
    int members = Load.count(20, 200);
    int speakers = Load.count(12, 50);
    int texts = Load.count(50, 100);
    for (int seed = 0; seed < Load.count(1, 3); seed++) {
      Load.seeded(random -> tellTheSame(nodes, members, speakers, texts, random));
    }
    Figures.tell(
        "L1",
        "%d nodes, %d members, %d x %d texts: chains and epochs equal"
            .formatted(nodes, nodes * members, speakers, texts),
        "equal");
  }

  private static void tellTheSame(int nodes, int members, int speakers, int texts, Random random) {
    try (RedisServer redis = RedisServer.start();
        Nodes room = Nodes.start(redis, nodes);
        Together threads = new Together()) {
      List<RawPeer> peers = new ArrayList<>();
      for (int i = 0; i < nodes * members; i++) {
        peers.add(room.node(i % nodes).join("m" + i));
      }
      long from = peers.get(peers.size() - 1).stream().welcome().head();
      peers.forEach(peer -> peer.chainFrom(from));
      byte[] seed = new byte[8];
      random.nextBytes(seed);
      for (int i = 0; i < speakers; i++) {
        RawPeer speaker = peers.get(i);
        threads.run(
            () -> {
              String[] said = new String[texts];
              for (int number = 0; number < texts; number++) {
                said[number] = Arrays.hashCode(seed) + " " + number;
              }
              speaker.say(said);
            });
      }
      int all = speakers * texts;
      for (RawPeer peer : peers) {
        threads.run(
            () -> {
              while (peer.chain().count() < all) {
                peer.next();
              }
            });
      }
      threads.join();
      assertThat(peers)
          .extracting(peer -> peer.chain().hash())
          .containsOnly(peers.get(0).chain().hash());
      assertThat(peers)
          .extracting(peer -> peer.stream().welcome().epoch())
          .containsOnly(peers.get(0).stream().welcome().epoch());
    }
  }

  /** However many claim a name at once and wherever, one gets it. */
  @Test
  void aNameHasOneOwnerOnAllNodes() {
    int rounds = Load.count(30, 300);
    int claims = 50;
    try (RedisServer redis = RedisServer.start();
        Nodes room =
            Nodes.start(
                Nodes.settings(redis.uri()),
                3,
                config -> config.joinTimeout(Duration.ofMinutes(5)))) {
      List<RawPeer> peers = new ArrayList<>();
      for (int i = 0; i < claims; i++) {
        peers.add(room.node(i % 3).connect());
      }
      for (int round = 0; round < rounds; round++) {
        String name = (round % 2 == 0 ? "Name" : "NAME") + round;
        peers.forEach(peer -> peer.send(new Hello(name, 0)));
        RawPeer winner = null;
        for (RawPeer peer : peers) {
          ServerMessage answer = peer.next();
          if (answer instanceof Welcome) {
            assertThat(winner).as("a second owner in round %d", round).isNull();
            winner = peer;
          } else {
            assertThat(answer)
                .isInstanceOfSatisfying(
                    ServerMessage.Refused.class,
                    refused -> assertThat(refused.code()).isEqualTo(ErrorCode.NAME_TAKEN.number()));
          }
        }
        assertThat(winner).as("an owner in round %d", round).isNotNull();
        int place = peers.indexOf(winner);
        winner.send(new Leave());
        winner.await(ServerMessage.Bye.class);
        winner.close();
        peers.set(place, room.node(place % 3).connect());
      }
    }
    Figures.tell("L4", "%d x %d claims on 3 nodes: one winner each".formatted(rounds, claims), "1");
  }
}
