package simplechat.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class MessageCodecTest {
  /** Types that end in a field without a length of its own, so that no byte is behind it. */
  private static final Set<MessageType> OPEN_ENDED =
      EnumSet.of(
          MessageType.SEND,
          MessageType.WELCOME,
          MessageType.ERROR,
          MessageType.BYE,
          MessageType.ROSTER,
          MessageType.MSG,
          MessageType.JOINED,
          MessageType.LEFT);

  private static final ProtocolDoc DOC = ProtocolDoc.read();
  private static final DocCodec BY_DOCUMENT = new DocCodec(DOC);

  @ParameterizedTest
  @EnumSource
  void whatIsEncodedDecodesToTheSame(MessageType type) throws Exception {
    Seed.run(
        random -> {
          for (int i = 0; i < 2_000; i++) {
            Object message = Wire.random(type, random);
            byte[] frame = Wire.encode(message);
            assertThat(frame[0]).isEqualTo((byte) type.code());
            assertThat(ByteBufUtil.hexDump(frame, 1, 3))
                .isEqualTo(String.format("%06x", frame.length - 4));
            assertThat(Wire.decode(type.fromServer(), frame)).isEqualTo(message);
          }
        });
  }

  @ParameterizedTest
  @EnumSource
  void theCodeAgreesWithTheTablesOfTheDocument(MessageType type) throws Exception {
    Seed.run(
        random -> {
          for (int i = 0; i < 1_000; i++) {
            Object message = Wire.random(type, random);
            byte[] frame = Wire.encode(message);
            Map<String, Object> fields = Wire.fields(message);
            assertThat(BY_DOCUMENT.decode(frame).fields()).isEqualTo(fields);
            assertThat(BY_DOCUMENT.encode(DOC.message(type.code()), fields)).isEqualTo(frame);
          }
        });
  }

  /** The document's reader judges whether what is left is still a message. */
  @ParameterizedTest
  @EnumSource
  void aBodyThatEndsInsideAFieldIsMalformed(MessageType type) throws Exception {
    Seed.run(
        random -> {
          for (int i = 0; i < 50; i++) {
            byte[] whole = Wire.encode(Wire.random(type, random));
            for (int length = 4; length < whole.length; length++) {
              byte[] frame = Arrays.copyOf(whole, length);
              Unpooled.wrappedBuffer(frame).setMedium(1, length - 4);
              Map<String, Object> expected = fieldsByDocument(frame);
              if (expected == null) {
                assertThatThrownBy(() -> Wire.decode(type.fromServer(), frame))
                    .isInstanceOfSatisfying(
                        ProtocolException.class,
                        e -> assertThat(e.code()).isEqualTo(ErrorCode.MALFORMED));
              } else {
                assertThat(type).isIn(OPEN_ENDED);
                assertThat(Wire.fields(Wire.decode(type.fromServer(), frame))).isEqualTo(expected);
              }
            }
          }
        });
  }

  private static Map<String, Object> fieldsByDocument(byte[] frame) {
    try {
      return BY_DOCUMENT.decode(frame).fields();
    } catch (DocCodec.MalformedException e) {
      return null;
    }
  }

  @Test
  void theOpenEndedTypesAreThoseOfTheDocument() {
    for (MessageType type : MessageType.values()) {
      boolean open =
          DOC.message(type.code()).fields().stream()
              .anyMatch(field -> field.type().equals("rest") || field.type().equals("str8*"));
      assertThat(OPEN_ENDED.contains(type)).as("%s", type).isEqualTo(open);
    }
  }

  @ParameterizedTest
  @EnumSource
  void bytesBehindTheKnownFieldsAreIgnored(MessageType type) throws Exception {
    if (OPEN_ENDED.contains(type)) {
      return;
    }
    Seed.run(
        random -> {
          for (int i = 0; i < 500; i++) {
            Object message = Wire.random(type, random);
            byte[] frame = Wire.encode(message);
            byte[] tail = new byte[1 + random.nextInt(20)];
            random.nextBytes(tail);
            byte[] longer = Arrays.copyOf(frame, frame.length + tail.length);
            System.arraycopy(tail, 0, longer, frame.length, tail.length);
            Unpooled.wrappedBuffer(longer).setMedium(1, longer.length - 4);
            assertThat(Wire.decode(type.fromServer(), longer)).isEqualTo(message);
          }
        });
  }

  @ParameterizedTest
  @EnumSource
  void onlyTheBytesOfTheBodyAreRead(MessageType type) throws Exception {
    Seed.run(
        random -> {
          for (int i = 0; i < 300; i++) {
            Object message = Wire.random(type, random);
            byte[] frame = Wire.encode(message);
            byte[] around = new byte[frame.length + 40];
            random.nextBytes(around);
            int at = random.nextInt(40);
            System.arraycopy(frame, 0, around, at, frame.length);
            ByteBuf buffer = Unpooled.wrappedBuffer(around);
            assertThat(Wire.decode(type.fromServer(), buffer, at, frame.length)).isEqualTo(message);
            assertThat(buffer.readerIndex()).isZero();
          }
        });
  }

  @ParameterizedTest
  @EnumSource
  void aDamagedFrameIsAMessageOrAProtocolError(MessageType type) throws Exception {
    Seed.run(
        random -> {
          for (int i = 0; i < 3_000; i++) {
            byte[] frame = Wire.encode(Wire.random(type, random));
            for (int hits = 1 + random.nextInt(3); hits > 0 && frame.length > 4; hits--) {
              frame[4 + random.nextInt(frame.length - 4)] = (byte) random.nextInt(256);
            }
            decodeOrRefuse(type.fromServer(), frame);
          }
        });
  }

  @Test
  void randomBodiesAreMessagesOrProtocolErrors() throws Exception {
    Seed.run(
        random -> {
          for (int i = 0; i < 200_000; i++) {
            byte[] frame = new byte[4 + random.nextInt(random.nextInt(100) + 1)];
            random.nextBytes(frame);
            decodeOrRefuse(random.nextBoolean(), frame);
          }
        });
  }

  private static void decodeOrRefuse(boolean fromServer, byte[] frame) {
    try {
      Object message = Wire.decode(fromServer, frame);
      if (message != null) {
        assertThat(Wire.decode(fromServer, Wire.encode(message))).isEqualTo(message);
      }
    } catch (ProtocolException e) {
      assertThat(e.code())
          .isIn(
              ErrorCode.MALFORMED,
              ErrorCode.NOT_CHAT,
              ErrorCode.UNSUPPORTED_VERSION,
              ErrorCode.NAME_INVALID);
      assertThat(e.getMessage()).matches("[ -~]+");
    }
  }

  @Test
  void anUnknownTypeIsSkippedOnlyIfItsBitAllows() throws Exception {
    for (boolean fromServer : new boolean[] {false, true}) {
      for (int type = 0; type < 256; type++) {
        MessageType known = MessageType.of(type);
        if (known != null && known.fromServer() == fromServer) {
          continue;
        }
        byte[] frame = {(byte) type, 0, 0, 0};
        if ((type & 0x40) != 0) {
          assertThat(Wire.decode(fromServer, frame)).isNull();
        } else {
          assertThatThrownBy(() -> Wire.decode(fromServer, frame))
              .isInstanceOfSatisfying(
                  ProtocolException.class,
                  e -> assertThat(e.code()).isEqualTo(ErrorCode.MALFORMED));
        }
      }
    }
  }

  @Test
  void aMsgWrittenWithoutAnObjectHasTheSameBytes() throws Exception {
    Seed.run(
        random -> {
          for (int i = 0; i < 2_000; i++) {
            var msg = (ServerMessage.Msg) Wire.random(MessageType.MSG, random);
            byte[] name = Wire.utf8(msg.name());
            byte[] text = Wire.utf8(msg.text());
            byte[] around = new byte[text.length + 10];
            System.arraycopy(text, 0, around, 7, text.length);
            ByteBuf source = Unpooled.wrappedBuffer(around);
            ByteBuf out = Unpooled.buffer();
            MessageCodec.writeMsg(out, msg.seq(), msg.time(), name, source, 7, text.length);
            assertThat(ByteBufUtil.getBytes(out)).isEqualTo(Wire.encode(msg));
            assertThat(out.readableBytes())
                .isEqualTo(MessageCodec.msgBytes(name.length, text.length));
            assertThat(source.readerIndex()).isZero();
          }
        });
  }

  @Test
  void theLongestFrameFitsWhatAClientMustAccept() {
    String text = "x".repeat(Limits.TEXT_MAX_BYTES);
    var msg = new ServerMessage.Msg(0, 0, "n".repeat(Limits.NAME_MAX_BYTES), text);
    assertThat(Wire.encode(msg).length - 4).isLessThanOrEqualTo(Limits.SERVER_BODY_MAX_BYTES);
    byte[] key = new byte[Limits.KEY_MAX_BYTES];
    var resume = new ClientMessage.Resume(new ResumeToken(1, 2), 3, 4);
    var hello =
        new ClientMessage.Hello(
            1, 1, 0, "n".repeat(Limits.NAME_MAX_BYTES), new RoomKey(key), resume);
    assertThat(Wire.encode(hello).length - 4).isLessThanOrEqualTo(Limits.SMALL_BODY_MAX_BYTES);
  }

  @Test
  void whatCannotBeWrittenIsAnArgumentError() {
    assertThatThrownBy(() -> Wire.encode(new ClientMessage.Send("\uD800")))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> Wire.encode(new ClientMessage.Hello("n".repeat(256), 0)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("256");
    assertThatThrownBy(() -> Wire.encode(new ClientMessage.Send("x".repeat(1 << 24))))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("16777216");
    assertThatThrownBy(() -> new RoomKey(new byte[256]))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new RoomKey(new byte[0])).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void secretsAreNotShown() {
    Random random = new Random(1);
    var token = new ResumeToken(random.nextLong(), random.nextLong());
    var key = new RoomKey(new byte[] {'s', 'e', 's', 'a', 'm', 'e'});
    var hello = new ClientMessage.Hello(1, 1, 0, "a", key, new ClientMessage.Resume(token, 1, 2));
    assertThat(hello.toString()).doesNotContain(token.hex(), "sesame", "115, 101");
    assertThat(hello.toString()).doesNotContain(Long.toString(token.high()));
    assertThat(token.hex()).hasSize(2 * ResumeToken.BYTES);
  }
}
