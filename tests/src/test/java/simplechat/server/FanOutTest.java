package simplechat.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.channel.epoll.Epoll;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import simplechat.protocol.ClientMessage.Ping;
import simplechat.protocol.ServerMessage.Ack;
import simplechat.protocol.ServerMessage.Joined;
import simplechat.protocol.ServerMessage.Msg;
import simplechat.protocol.ServerMessage.Pong;
import simplechat.support.RawPeer;
import simplechat.support.RunningServer;

/** Who is written to together with all others, and who by itself. */
class FanOutTest {
  @BeforeEach
  void requireNativeSockets() {
    Assumptions.assumeTrue(Epoll.isAvailable(), "no native sockets");
  }

  @Test
  void whoIsAnsweredFallsBackAndCatchesUpWithTheNextMessage() {
    try (RunningServer server = RunningServer.start()) {
      RawPeer alice = server.join("alice");
      RawPeer bob = server.join("bob");
      RawPeer carol = server.join("carol");
      ConnectionLoop loop = server.server().roomLoop();
      carol.say("hi");
      carol.expect(Ack.class);
      alice.await(Msg.class);
      assertThat(abreast(loop)).isEqualTo(3);
      bob.await(Msg.class);
      bob.send(new Ping(7));
      bob.expect(Pong.class);
      assertThat(abreast(loop)).isEqualTo(2);
      carol.say("again");
      assertThat(bob.expect(Msg.class).text()).isEqualTo("again");
      assertThat(alice.expect(Msg.class).text()).isEqualTo("again");
      carol.expect(Ack.class);
      assertThat(abreast(loop)).isEqualTo(3);
    }
  }

  /** The room may write a LEFT of the member's own any moment now, and this loop hears later. */
  @Test
  void nobodyIsAbreastWhileADismissalIsOnItsWay() {
    try (RunningServer server = RunningServer.start(config -> config.loops(2))) {
      RawPeer alice = server.join("alice");
      RawPeer bob = server.join("bob");
      alice.expect(Joined.class);
      ConnectionLoop loop = server.server().roomLoop();
      alice.say("hi");
      alice.expect(Ack.class);
      bob.expect(Msg.class);
      alice.say("again");
      alice.expect(Ack.class);
      bob.expect(Msg.class);
      assertThat(abreast(loop)).isEqualTo(1);
      loop.fanOut().dismissalComes();
      bob.say("hi");
      alice.expect(Msg.class);
      assertThat(abreast(loop)).isZero();
      loop.fanOut().dismissalCame();
      bob.say("hi");
      alice.expect(Msg.class);
      assertThat(abreast(loop)).isEqualTo(1);
    }
  }

  private static int abreast(ConnectionLoop loop) {
    return CompletableFuture.supplyAsync(() -> loop.fanOut().abreast(), loop.eventLoop()).join();
  }
}
