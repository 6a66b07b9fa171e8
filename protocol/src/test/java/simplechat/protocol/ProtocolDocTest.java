package simplechat.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import simplechat.protocol.ProtocolDoc.Conversation;
import simplechat.protocol.ProtocolDoc.Frame;
import simplechat.protocol.ProtocolDoc.FrameKind;
import simplechat.protocol.ProtocolDoc.Message;
import simplechat.protocol.ProtocolDoc.Step;

class ProtocolDocTest {
  /** Codes that take time, load or an operator to earn; the tests of the server show them. */
  private static final Set<ErrorCode> NOT_IN_EXAMPLES =
      EnumSet.of(
          ErrorCode.BUSY,
          ErrorCode.SERVER_FULL,
          ErrorCode.SLOW,
          ErrorCode.TIMEOUT,
          ErrorCode.INTERNAL,
          ErrorCode.JOIN_TIMEOUT,
          ErrorCode.REMOVED);

  private final ProtocolDoc doc = ProtocolDoc.read();
  private final DocCodec codec = new DocCodec(doc);

  @Test
  void theMessagesAreThoseOfTheRegistry() {
    Map<Integer, String> documented = new HashMap<>();
    for (Message message : doc.messages()) {
      documented.put(message.type(), (message.fromServer() ? "s>c " : "c>s ") + message.name());
    }
    Map<Integer, String> registered = new HashMap<>();
    for (MessageType type : MessageType.values()) {
      String name = type.name().replaceFirst("^(CLIENT|SERVER)_", "");
      registered.put(type.code(), (type.fromServer() ? "s>c " : "c>s ") + name);
      assertThat(MessageType.of(type.code())).isSameAs(type);
    }
    assertThat(documented).isEqualTo(registered).hasSizeGreaterThanOrEqualTo(17);
  }

  @Test
  void theBitsOfATypeSayWhatTheDocumentSays() {
    for (Message message : doc.messages()) {
      List<String> fields = message.fields().stream().map(ProtocolDoc.Field::name).toList();
      boolean event = fields.contains("seq") && fields.contains("time");
      MessageType type = MessageType.of(message.type());
      assertThat(type.event()).as("%s is an event", message.name()).isEqualTo(event);
      assertThat((message.type() & MessageType.EVENT) != 0).isEqualTo(event);
      assertThat((message.type() & MessageType.FROM_SERVER) != 0).isEqualTo(message.fromServer());
    }
  }

  @Test
  void theCodesAreThoseOfTheRegistry() {
    assertThat(doc.names("code", "name", "carried by", "when"))
        .isEqualTo(
            Arrays.stream(ErrorCode.values())
                .collect(Collectors.toMap(ErrorCode::number, ErrorCode::name)))
        .hasSizeGreaterThanOrEqualTo(22);
  }

  @Test
  void theRangeOfACodeSaysWhatAClientDoes() {
    for (Map<String, String> row : doc.table("code", "name", "carried by", "when")) {
      int number = Integer.parseInt(row.get("code"));
      assertThat(ErrorCode.of(number).name()).isEqualTo(row.get("name"));
      assertThat(ErrorCode.of(number).keepsConnection())
          .as("%s stays", row)
          .isEqualTo(row.get("carried by").equals("ERROR"));
    }
    for (int number = 0; number < 65536; number++) {
      assertThat(ErrorCode.keepsConnection(number)).isEqualTo(number >= 100 && number <= 299);
      assertThat(ErrorCode.refusesJoin(number)).isEqualTo(number / 100 == 2);
      assertThat(ErrorCode.allowsReconnect(number)).isEqualTo(number / 100 == 3);
    }
  }

  @Test
  void theLimitsAreThoseOfTheCode() throws Exception {
    Map<String, Integer> documented = new HashMap<>();
    doc.table("name", "value", "what it bounds")
        .forEach(row -> documented.put(row.get("name"), Integer.decode(row.get("value"))));
    Map<String, Integer> coded = new HashMap<>();
    for (Field field : Limits.class.getDeclaredFields()) {
      if (Modifier.isPublic(field.getModifiers())) {
        coded.put(field.getName(), field.getInt(null));
      }
    }
    assertThat(documented).isEqualTo(coded).hasSizeGreaterThanOrEqualTo(12);
  }

  @Test
  void theReasonsOfJoinedAndLeftAreThoseOfTheCode() {
    assertThat(doc.names("how", "name", "means"))
        .isEqualTo(
            Arrays.stream(ServerMessage.JoinedHow.values())
                .collect(Collectors.toMap(ServerMessage.JoinedHow::number, Enum::name)));
    assertThat(doc.names("why", "name", "means"))
        .isEqualTo(
            Arrays.stream(ServerMessage.LeftWhy.values())
                .collect(Collectors.toMap(ServerMessage.LeftWhy::number, Enum::name)));
    for (int number = 0; number < 256; number++) {
      assertThat(ServerMessage.JoinedHow.of(number).number()).isEqualTo(number < 2 ? number : 0);
      assertThat(ServerMessage.LeftWhy.of(number).number()).isEqualTo(number < 6 ? number : 0);
    }
  }

  @TestFactory
  Stream<DynamicTest> aFrameDecodesToItsValueAndBack() {
    return examples(
        FrameKind.FRAME,
        frame -> {
          byte[] bytes = frame.bytes().toArray();
          Map<String, Object> stated = codec.values(frame.value(), frame.fromServer());
          String name = DocCodec.parse(frame.value()).name();
          DocCodec.Decoded read = codec.decode(bytes);
          assertThat(read.message()).isEqualTo(codec.message(name, frame.fromServer()));
          assertThat(read.fields()).isEqualTo(stated);
          assertThat(codec.encode(frame.value(), frame.fromServer(), Map.of())).isEqualTo(bytes);

          Object message = Wire.decode(frame.fromServer(), bytes);
          assertThat(Wire.type(message).code()).isEqualTo(bytes[0] & 0xFF);
          assertThat(Wire.fields(message)).isEqualTo(stated);
          assertThat(Wire.encode(message)).isEqualTo(bytes);
        });
  }

  @TestFactory
  Stream<DynamicTest> aProperPrefixOfAFrameIsNotWholeYet() {
    return examples(
        FrameKind.FRAME,
        frame -> {
          byte[] bytes = frame.bytes().toArray();
          for (int length = 0; length <= bytes.length; length++) {
            assertThat(wholeFrames(bytes, length)).isEqualTo(length == bytes.length ? 1 : 0);
          }
        });
  }

  @TestFactory
  Stream<DynamicTest> aFrameOfALaterVersionIsTolerated() {
    return examples(
        FrameKind.TOLERATED,
        frame -> {
          byte[] bytes = frame.bytes().toArray();
          Object message = Wire.decode(frame.fromServer(), bytes);
          if (frame.value().equals("skipped")) {
            assertThat(message).isNull();
            return;
          }
          Map<String, Object> stated = codec.values(frame.value(), frame.fromServer());
          assertThat(codec.decode(bytes).fields()).isEqualTo(stated);
          Map<String, Object> known = new LinkedHashMap<>(stated);
          known.replaceAll(
              (name, value) -> List.of("flags", "how", "why").contains(name) ? 0L : value);
          assertThat(Wire.fields(message)).isEqualTo(known);
        });
  }

  @TestFactory
  Stream<DynamicTest> anInvalidFrameIsRefusedWithItsCode() {
    return examples(
        FrameKind.INVALID,
        frame ->
            assertThatThrownBy(() -> judge(frame))
                .isInstanceOfSatisfying(
                    ProtocolException.class,
                    e -> assertThat(e.code().name()).isEqualTo(frame.value())));
  }

  /** What a server with default limits, or a client, thinks of a frame. */
  private static void judge(Frame frame) throws ProtocolException {
    byte[] bytes = frame.bytes().toArray();
    ByteBuf buffer = Unpooled.wrappedBuffer(bytes);
    int type = buffer.getUnsignedByte(0);
    int length = buffer.getUnsignedMedium(1);
    int longText = Limits.TEXT_DEFAULT_MAX_BYTES + Limits.OVERLONG_TEXT_BYTES;
    int max = type == MessageType.SEND.code() ? longText : Limits.SMALL_BODY_MAX_BYTES;
    if (length > (frame.fromServer() ? Limits.SERVER_BODY_MAX_BYTES : max)) {
      throw new ProtocolException(ErrorCode.FRAME_TOO_LARGE, "");
    }
    assertThat(bytes).hasSize(Limits.HEADER_BYTES + length);
    if (type == MessageType.SEND.code() && !frame.fromServer()) {
      ErrorCode code =
          Text.check(buffer, Limits.HEADER_BYTES, length, Limits.TEXT_DEFAULT_MAX_BYTES);
      if (code != null) {
        throw new ProtocolException(code, "");
      }
    }
    if (Wire.decode(frame.fromServer(), bytes) instanceof ClientMessage.Hello hello) {
      MemberName.of(hello.name());
    }
  }

  @Test
  void everyTypeHasAFrame() {
    Set<Integer> shown = new HashSet<>();
    frames(FrameKind.FRAME).forEach(frame -> shown.add(frame.bytes().toArray()[0] & 0xFF));
    for (MessageType type : MessageType.values()) {
      assertThat(shown).as("a frame of %s", type).contains(type.code());
    }
    assertThat(frames(FrameKind.FRAME).count()).isGreaterThanOrEqualTo(MessageType.values().length);
  }

  @Test
  void everyCodeThatADecoderGivesHasAnInvalidFrame() {
    assertThat(frames(FrameKind.INVALID).map(Frame::value))
        .contains(
            "TEXT_EMPTY",
            "TEXT_TOO_LONG",
            "TEXT_INVALID",
            "NAME_INVALID",
            "NOT_CHAT",
            "UNSUPPORTED_VERSION",
            "MALFORMED",
            "FRAME_TOO_LARGE");
  }

  @Test
  void everyCodeHasAnExampleOrATestOfTheServer() {
    String examples =
        Stream.concat(
                doc.frames().stream().map(Frame::value),
                doc.conversations().stream()
                    .flatMap(conversation -> conversation.steps().stream())
                    .map(Step::text))
            .collect(Collectors.joining("\n"));
    for (ErrorCode code : ErrorCode.values()) {
      boolean shown = examples.matches("(?s).*\\b" + code + "\\b.*");
      assertThat(shown).as("%s has an example", code).isEqualTo(!NOT_IN_EXAMPLES.contains(code));
    }
  }

  @TestFactory
  Stream<DynamicTest> aConversationCanBePlayed() {
    assertThat(doc.conversations()).hasSizeGreaterThanOrEqualTo(20);
    return doc.conversations().stream()
        .map(conversation -> dynamicTest(conversation.title(), () -> rehearse(conversation)));
  }

  /** Plays both sides by what is written: fields that are not get the value 7. */
  private void rehearse(Conversation conversation) {
    assertThat(conversation.steps()).isNotEmpty();
    assertThat(conversation.given().keySet()).isSubsetOf("key");
    Map<String, Object> variables = new HashMap<>();
    Set<String> ended = new HashSet<>();
    for (Step step : conversation.steps()) {
      assertThat(ended).as("a peer after its end: %s", step).doesNotContain(step.peer());
      switch (step.action()) {
        case SEND -> assertThat(codec.encode(step.text(), variables)).isNotEmpty();
        case SEND_BYTES -> assertThat(step.bytes()).isNotEmpty();
        case SEND_EOF -> {}
        case EXPECT_EOF -> ended.add(step.peer());
        case EXPECT -> expect(step, variables);
      }
    }
  }

  private void expect(Step step, Map<String, Object> variables) {
    DocCodec.Written written = DocCodec.parse(step.text());
    Map<String, Object> values = new HashMap<>();
    for (ProtocolDoc.Field field : codec.message(written.name(), true).fields()) {
      DocCodec.Expression expression = written.fields().get(field.name());
      boolean open =
          expression == null
              || expression instanceof DocCodec.Anything
              || (expression instanceof DocCodec.Variable variable
                  && !variables.containsKey(variable.name()));
      if (open && field.type().startsWith("u")) {
        values.put(field.name(), 7L);
      } else if (!open) {
        Map<String, Object> one = new HashMap<>(variables);
        values.put(field.name(), codec.value(field, expression, one));
      }
    }
    Message message = codec.message(written.name(), true);
    byte[] frame = codec.encode(message, values);
    assertThat(codec.mismatch(step.text(), frame, variables)).as("%s", step).isNull();
    frame[0] = (byte) (written.name().equals("ACK") ? 0x83 : 0x87);
    assertThat(codec.mismatch(step.text(), frame, new HashMap<>(variables))).isNotNull();
  }

  @Test
  void aFrameThatDoesNotFitIsToldApart() {
    Map<String, Object> variables = new HashMap<>();
    byte[] ack = ProtocolDoc.parseBytes("87 00 00 08 00 00 00 09 00 00 00 03");
    assertThat(codec.mismatch("ACK seq=?p sendNo=3", ack, variables)).isNull();
    assertThat(variables).isEqualTo(Map.of("p", 9L));
    assertThat(codec.mismatch("ACK seq=?p+1 sendNo=3", ack, variables)).contains("seq is not 10");
    assertThat(codec.mismatch("ACK sendNo=4", ack, variables)).contains("sendNo is not 4");
    assertThat(codec.mismatch("BYE", ack, variables)).contains("not BYE but ACK seq=9");
    assertThat(codec.mismatch("ACK", new byte[] {(byte) 0x87, 0, 0, 1, 0}, variables)).isNotNull();
    variables.put("far", 0x1_0000_0008L);
    assertThat(codec.mismatch("ACK seq=?far+1", ack, variables)).isNull();
  }

  @Test
  void aRequirementIsWrittenOnce() {
    assertThat(doc.requirements()).hasSizeGreaterThanOrEqualTo(40).doesNotHaveDuplicates();
    assertThat(doc.requirements())
        .contains("A receiver MUST come to the same result however the stream was cut.");
  }

  private Stream<Frame> frames(FrameKind kind) {
    return doc.frames().stream().filter(frame -> frame.kind() == kind);
  }

  private Stream<DynamicTest> examples(FrameKind kind, Check check) {
    assertThat(frames(kind).count()).isGreaterThanOrEqualTo(5);
    Function<Frame, DynamicTest> test =
        frame -> dynamicTest(frame.title(), () -> check.check(frame));
    return frames(kind).map(test);
  }

  private interface Check {
    void check(Frame frame) throws Exception;
  }

  private static int wholeFrames(byte[] bytes, int length) throws ProtocolException {
    FrameDecoder decoder = new FrameDecoder(UnpooledByteBufAllocator.DEFAULT);
    int[] frames = {0};
    decoder.decode(
        Unpooled.wrappedBuffer(bytes, 0, length),
        new FrameDecoder.Sink() {
          @Override
          public boolean header(int type, int bodyLength) {
            return true;
          }

          @Override
          public boolean frame(int type, ByteBuf buffer, int index, int bodyLength) {
            frames[0]++;
            return true;
          }
        });
    decoder.close();
    return frames[0];
  }
}
