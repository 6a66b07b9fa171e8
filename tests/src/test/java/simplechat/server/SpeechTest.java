package simplechat.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.HexFormat;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import simplechat.protocol.ServerMessage.Joined;
import simplechat.protocol.ServerMessage.Msg;
import simplechat.support.RawPeer;
import simplechat.support.ServerProcess;

/** B19: who sends what nobody has anything of pays for it with time. */
class SpeechTest {
  private static final int RESTS = 200;

  /** A type that is to be ignored, and an answer to a question that was not asked. */
  @ParameterizedTest
  @ValueSource(strings = {"5F000000", "0500000400000000"})
  void aMemberRestsWhenItHasSentManyFramesThatSayNothing(String frame) {
    try (ServerProcess server = ServerProcess.start("--port", "0");
        RawPeer alice = RawPeer.connect(server.address());
        RawPeer bob = RawPeer.connect(server.address())) {
      alice.join("alice");
      bob.join("bob");
      alice.expect(Joined.class);
      byte[] frames = HexFormat.of().parseHex(frame.repeat(RESTS * Speech.IDLE_FRAMES));
      long began = System.nanoTime();
      bob.sendBytes(frames);
      bob.say("at last");
      assertThat(alice.expect(Msg.class).text()).isEqualTo("at last");
      assertThat(Duration.ofNanos(System.nanoTime() - began))
          .isGreaterThanOrEqualTo(Speech.IDLE_REST.multipliedBy(RESTS));
    }
  }
}
