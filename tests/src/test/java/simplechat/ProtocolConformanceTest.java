package simplechat;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import simplechat.protocol.DocCodec;
import simplechat.protocol.ProtocolDoc;
import simplechat.protocol.ProtocolDoc.Action;
import simplechat.protocol.ProtocolDoc.Conversation;
import simplechat.protocol.ProtocolDoc.Step;
import simplechat.protocol.RoomKey;
import simplechat.server.ServerConfig;
import simplechat.support.BytePeer;
import simplechat.support.RunningServer;

/** The conversations of PROTOCOL.md, as bytes, against a live server. */
class ProtocolConformanceTest {
  private static final ProtocolDoc DOC = ProtocolDoc.read();

  @TestFactory
  Stream<DynamicTest> whatIsSentWholeIsAnsweredAsWritten() {
    return conversations(1, BytePeer::send);
  }

  @TestFactory
  Stream<DynamicTest> whatIsSentByteByByteIsAnsweredTheSame() {
    return conversations(2, BytePeer::dribble);
  }

  @Test
  void theDocumentHasConversations() {
    assertThat(DOC.conversations()).hasSizeGreaterThanOrEqualTo(20);
  }

  /** The replay must notice what does not fit, or it proves nothing. */
  @Test
  void aConversationThatIsNotAnsweredSoFails() {
    Step hello = new Step(1, "A", Action.SEND, "HELLO name=\"alice\"");
    for (Step wrong :
        List.of(
            new Step(2, "A", Action.EXPECT, "WELCOME members=2"),
            new Step(2, "A", Action.EXPECT, "WELCOME name=\"bob\""),
            new Step(2, "A", Action.EXPECT, "PONG"),
            new Step(2, "A", Action.EXPECT_EOF, ""))) {
      Conversation conversation = new Conversation("wrong", Map.of(), List.of(hello, wrong));
      List<Throwable> thrown = new ArrayList<>();
      try {
        replay(conversation, 1, BytePeer::send);
      } catch (AssertionError e) {
        thrown.add(e);
      }
      assertThat(thrown).as(wrong.toString()).hasSize(1);
    }
  }

  private static Stream<DynamicTest> conversations(int loops, BiConsumer<BytePeer, byte[]> send) {
    return DOC.conversations().stream()
        .map(
            conversation ->
                DynamicTest.dynamicTest(
                    conversation.title(), () -> replay(conversation, loops, send)));
  }

  private static void replay(
      Conversation conversation, int loops, BiConsumer<BytePeer, byte[]> send) {
    Map<String, BytePeer> peers = new HashMap<>();
    try (RunningServer server =
        RunningServer.start(config -> given(conversation, config).loops(loops))) {
      Map<String, Object> variables = new HashMap<>();
      try {
        for (Step step : conversation.steps()) {
          BytePeer peer =
              peers.computeIfAbsent(step.peer(), unused -> BytePeer.connect(server.address()));
          play(step, peer, variables, send);
        }
      } finally {
        peers.values().forEach(BytePeer::close);
      }
    }
  }

  private static ServerConfig.Builder given(
      Conversation conversation, ServerConfig.Builder config) {
    conversation
        .given()
        .forEach(
            (name, value) -> {
              assertThat(name).isEqualTo("key");
              config.key(new RoomKey(String.valueOf(value).getBytes(StandardCharsets.UTF_8)));
            });
    return config;
  }

  private static void play(
      Step step, BytePeer peer, Map<String, Object> variables, BiConsumer<BytePeer, byte[]> send) {
    DocCodec codec = new DocCodec(DOC);
    switch (step.action()) {
      case SEND -> send.accept(peer, codec.encode(step.text(), variables));
      case SEND_BYTES -> send.accept(peer, step.bytes());
      case SEND_EOF -> peer.halfClose();
      case EXPECT, EXPECT_EOF -> {
        byte[] frame = peer.frame(step.toString());
        if (step.action() == Action.EXPECT_EOF) {
          assertThat(frame == null ? "EOF" : HexFormat.of().formatHex(frame))
              .as(step.toString())
              .isEqualTo("EOF");
        } else {
          assertThat(frame).as(step.toString()).isNotNull();
          assertThat(codec.mismatch(step.text(), frame, variables)).as(step.toString()).isNull();
        }
      }
    }
  }
}
