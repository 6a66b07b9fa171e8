package simplechat.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import simplechat.client.ScriptedServer.Peer;
import simplechat.protocol.ProtocolException;
import simplechat.protocol.ServerMessage.Gap;

class StreamTest {
  @Test
  void everyLivePositionIsExplained() throws Exception {
    Stream stream = new Stream(Peer.welcomeOf("alice", 100, 100, 1), 0);
    assertThat(stream.event(100)).isEqualTo(100);
    assertThat(stream.ack(102, 2)).isEqualTo(102);
    assertThat(stream.event(103)).isEqualTo(103);
    assertThat(stream.gap(new Gap(200, 90))).isEqualTo(90);
    assertThat(stream.event(200)).isEqualTo(200);
    assertThat(stream.next()).isEqualTo(201);
  }

  @Test
  void aHoleIsALie() throws Exception {
    Stream stream = new Stream(Peer.welcomeOf("alice", 100, 100, 1), 0);
    isALie(() -> stream.event(101));
  }

  @Test
  void goingBackIsALie() throws Exception {
    Stream stream = new Stream(Peer.welcomeOf("alice", 100, 100, 1), 0);
    stream.event(100);
    isALie(() -> stream.event(100));
    isALie(() -> stream.ack(99, 1));
    isALie(() -> stream.gap(new Gap(100, 0)));
  }

  @Test
  void anAckForMoreOrFewerPlacesThanTextsIsALie() throws Exception {
    Stream stream = new Stream(Peer.welcomeOf("alice", 100, 100, 1), 0);
    isALie(() -> stream.ack(102, 2));
    isALie(() -> stream.ack(100, 2));
    assertThat(stream.ack(101, 2)).isEqualTo(101);
  }

  @Test
  void aGapMissesNoMoreThanItSkips() throws Exception {
    Stream stream = new Stream(Peer.welcomeOf("alice", 100, 100, 1), 0);
    isALie(() -> stream.gap(new Gap(110, 11)));
    isALie(() -> stream.gap(new Gap(110, -1)));
    isALie(() -> stream.gap(new Gap(-1, 0)));
    assertThat(stream.gap(new Gap(110, 10))).isEqualTo(10);
  }

  @Test
  void textsInAGapAreAcknowledgedBehindItAndNowhereElse() throws Exception {
    Stream stream = new Stream(Peer.welcomeOf("alice", 100, 100, 1), 0);
    stream.gap(new Gap(110, 8));
    assertThat(stream.ack(105, 2)).isEqualTo(105);
    isALie(() -> stream.ack(105, 1));
    stream.event(110);
    isALie(() -> stream.ack(106, 1));
  }

  @Test
  void theReplayMayHaveHoles() throws Exception {
    Stream stream = new Stream(Peer.welcomeOf("alice", 90, 100, 1), 0);
    assertThat(stream.live()).isFalse();
    assertThat(stream.event(95)).isEqualTo(95);
    assertThat(stream.replayed(95)).isTrue();
    assertThat(stream.event(100)).isEqualTo(100);
    assertThat(stream.replayed(100)).isFalse();
    assertThat(stream.live()).isTrue();
  }

  @Test
  void whatIsNotReplayedBeginsAtHead() throws Exception {
    Stream stream = new Stream(Peer.welcomeOf("alice", 90, 100, 1), 0);
    isALie(() -> stream.event(101));
  }

  @Test
  void aWelcomeWithNextBehindHeadIsALie() {
    isALie(() -> new Stream(Peer.welcomeOf("alice", 101, 100, 1), 0));
    isALie(() -> new Stream(Peer.welcomeOf("alice", -1, 100, 1), 0));
  }

  @Test
  void aGapIsNotGoneBehindBeforeItsAckCouldCome() throws Exception {
    Stream stream = new Stream(Peer.welcomeOf("alice", 100, 100, 1), 0);
    assertThat(stream.gap(new Gap(110, 8))).isEqualTo(8);
    assertThat(stream.resumeAt()).isEqualTo(100);
    Stream second = new Stream(Peer.welcomeOf("alice", 100, 120, 1), stream.missedKnown());
    assertThat(second.gap(new Gap(115, 11))).as("more than 8").isEqualTo(3);
    assertThat(second.ack(109, 0)).isEqualTo(109);
    assertThat(second.resumeAt()).isEqualTo(115);
    assertThat(second.gap(new Gap(118, 3))).isEqualTo(3);
  }

  private static void isALie(ThrowingCallable call) {
    assertThatThrownBy(call).isInstanceOf(ProtocolException.class);
  }
}
