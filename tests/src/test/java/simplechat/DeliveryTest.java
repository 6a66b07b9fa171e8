package simplechat;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import simplechat.protocol.ServerMessage.Ack;
import simplechat.protocol.ServerMessage.Msg;
import simplechat.support.RawPeer;
import simplechat.support.RunningServer;

/** Group A: what is said reaches everybody else, once and in one order. */
class DeliveryTest {
  @Test
  void aTextReachesTheOtherOnceAndIsAcknowledgedToItsSender() {
    try (RunningServer server = RunningServer.start()) {
      RawPeer alice = server.join("alice");
      RawPeer bob = server.join("bob");
      alice.next();
      alice.say("hi");
      assertThat(alice.expect(Ack.class).sendNo()).isEqualTo(1);
      Msg msg = bob.expect(Msg.class);
      assertThat(msg.text()).isEqualTo("hi");
      bob.expectNothing();
      alice.expectNothing();
    }
  }
}
