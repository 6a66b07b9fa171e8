package simplechat;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import simplechat.protocol.ClientMessage.Hello;
import simplechat.protocol.ErrorCode;
import simplechat.protocol.ServerMessage.Ack;
import simplechat.protocol.ServerMessage.Joined;
import simplechat.protocol.ServerMessage.Msg;
import simplechat.protocol.ServerMessage.Welcome;
import simplechat.support.Nodes;
import simplechat.support.RawPeer;
import simplechat.support.RedisServer;
import simplechat.support.RunningServer;
import simplechat.support.Strait;

/** What a server owes to its members and to strangers, when its room is shared with others. */
class SharedRoomTest {
  /** The answer to one request brings the next of the same stranger, while others are answered. */
  @Test
  void strangersWhoInsistOnATakenNameCutNobodyOff() {
    try (RedisServer redis = RedisServer.start();
        Strait strait = Strait.to(redis.port());
        RunningServer one = RunningServer.node(Nodes.settings(strait.uri()), config -> config)) {
      RawPeer bob = one.join("bob");
      strait.delay(20);
      List<RawPeer> strangers = Stream.generate(one::connect).limit(8).toList();
      Hello bobsName = new Hello("bob", 0);
      strangers.forEach(stranger -> stranger.send(bobsName, bobsName, bobsName));
      for (RawPeer stranger : strangers) {
        for (int i = 0; i < 3; i++) {
          stranger.expectError(ErrorCode.NAME_TAKEN, 0);
        }
      }
      bob.say("still here");
      bob.expect(Ack.class);
      assertThat(one.metrics().shared())
          .satisfies(shared -> assertThat(shared.reconnects()).isZero());
    }
  }

  /** Whom Redis lets come back, its server must know, or it sends a member its own words. */
  @Test
  void asManyLostMembersAreKnownAsRedisRemembers() {
    try (RedisServer redis = RedisServer.start();
        RunningServer one =
            RunningServer.node(Nodes.settings(redis.uri()), config -> config.maxConnections(2))) {
      RawPeer alice = one.join("alice");
      RawPeer listener = one.join("listener");
      alice.expect(Joined.class);
      alice.say("own");
      listener.expect(Msg.class);
      alice.close();
      listener.close();
      one.awaitConnections(0);
      one.awaitMembers(0);
      for (String other : List.of("bob", "carol")) {
        one.join(other).close();
        one.awaitConnections(0);
        one.awaitMembers(0);
      }
      RawPeer again = one.connect();
      again.carryOn(alice);
      Welcome welcome = again.join(RawPeer.resumeOf(alice));
      assertThat(welcome.resumed()).isTrue();
      assertThat(again.expect(Ack.class).sendNo()).isEqualTo(1);
    }
  }
}
