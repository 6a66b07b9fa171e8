package simplechat;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.Unpooled;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import simplechat.protocol.ClientMessage;
import simplechat.protocol.ClientMessage.Hello;
import simplechat.protocol.MessageCodec;
import simplechat.protocol.ProtocolException;
import simplechat.protocol.ServerMessage;
import simplechat.protocol.ServerMessage.Ack;
import simplechat.protocol.ServerMessage.Bye;
import simplechat.protocol.ServerMessage.Event;
import simplechat.protocol.ServerMessage.Joined;
import simplechat.protocol.ServerMessage.Left;
import simplechat.protocol.ServerMessage.Msg;
import simplechat.protocol.ServerMessage.Pong;
import simplechat.protocol.ServerMessage.Welcome;
import simplechat.support.BytePeer;
import simplechat.support.Figures;
import simplechat.support.Load;
import simplechat.support.RawPeer;
import simplechat.support.RunningServer;

/**
 * B7: however a stream is cut, it has the same effects and the same answers.
 *
 * <p>A session is replayed in pieces; between two pieces a witness on the same loop makes a round
 * trip, so that the server has read the one before the other is sent. ACKs are cumulative and may
 * come in any number: they are compared by what the last of them says, and only where LEAVE asks
 * for it.
 */
class SplitStreamTest {
  private static final long SEED = Long.getLong("test.seed", System.nanoTime());

  /** Each server begins with a room that has nothing behind it, and there are more than one. */
  private static final int SESSIONS_OF_A_SERVER = 10;

  /** Two hundred turns of a witness for a session are nine tenths of what it costs. */
  private static final int BYTE_BY_BYTE_ONE_IN = 5;

  private final Random random = new Random(SEED);

  /** What a session did: the answers to it, and what the witness saw. */
  record Effect(List<String> answers, List<String> events) {}

  @Test
  void everyCutIntoTwoHasTheSameEffect() {
    byte[] session = session("\u00e9cole");
    try (RunningServer server = RunningServer.start(config -> config.maxText(64))) {
      RawPeer witness = server.join("witness");
      Effect whole = play(server, witness, session, session.length);
      assertThat(whole.answers()).hasSizeGreaterThanOrEqualTo(8);
      assertThat(whole.events()).hasSizeGreaterThanOrEqualTo(4);
      for (int cut = 1; cut < session.length; cut++) {
        assertThat(play(server, witness, session, cut)).as("cut at %d", cut).isEqualTo(whole);
      }
      assertThat(play(server, witness, session, everyByte(session))).isEqualTo(whole);
    }
  }

  @ParameterizedTest(name = "loops {0}")
  @ValueSource(ints = {1, 2})
  void aMutatedSessionHasTheSameEffectHoweverItIsCut(int loops) {
    int sessions = Load.count(70, 100_000);
    int played = 0;
    while (played < sessions) {
      try (RunningServer server = RunningServer.start(config -> config.loops(loops).maxText(64))) {
        RawPeer witness = server.join("witness");
        for (int i = 0; i < SESSIONS_OF_A_SERVER && played < sessions; i++, played++) {
          byte[] session = mutated(session("peer" + i));
          String what =
              "again with -Dtest.seed=" + SEED + ", session " + HexFormat.of().formatHex(session);
          Effect whole = play(server, witness, session, session.length);
          assertThat(play(server, witness, session, someCuts(session))).as(what).isEqualTo(whole);
          if (i % BYTE_BY_BYTE_ONE_IN == 0) {
            assertThat(play(server, witness, session, everyByte(session)))
                .as(what)
                .isEqualTo(whole);
          }
        }
      }
    }
    Figures.tell(
        "B7", played + " mutated sessions, loops " + loops + ", 0 differ", "0 differ", SEED);
  }

  /** A magic that is wrong is wrong however much of it there is. */
  @ParameterizedTest(name = "{0}")
  @ValueSource(
      strings = {"01000003434800", "01000002ffff", "0100000143", "01000003434841", "010000"})
  void aHelloTooShortForItsMagicHasTheSameEffect(String hex) {
    byte[] session = HexFormat.of().parseHex(hex);
    try (RunningServer server = RunningServer.start()) {
      RawPeer witness = server.join("witness");
      Effect whole = play(server, witness, session, session.length);
      assertThat(play(server, witness, session, everyByte(session))).isEqualTo(whole);
    }
  }

  @ParameterizedTest(name = "loops {0}")
  @ValueSource(ints = {1, 2})
  void aThousandFramesInOneSegmentAreAThousandFrames(int loops) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (int i = 0; i < 1000; i++) {
      out.writeBytes(RawPeer.bytesOf(new ClientMessage.Send("t" + i)));
    }
    try (RunningServer server = RunningServer.start(config -> config.loops(loops))) {
      RawPeer bob = server.join("bob");
      RawPeer alice = server.join("alice");
      alice.sendBytes(out.toByteArray());
      bob.expect(Joined.class);
      for (int i = 0; i < 1000; i++) {
        assertThat(bob.expect(Msg.class).text()).isEqualTo("t" + i);
      }
    }
  }

  /** Most kinds of frame, refused ones too, and garbage behind a LEAVE. */
  private static byte[] session(String name) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (ClientMessage message :
        List.of(
            new ClientMessage.Ping(1),
            new ClientMessage.Send("too early"),
            new Hello("no good", 0),
            new Hello(name, 0),
            new ClientMessage.Send("one"),
            new ClientMessage.Send(" "),
            new ClientMessage.Who(),
            new ClientMessage.Send("x".repeat(65)),
            new ClientMessage.Pong(3),
            new ClientMessage.Send("two \ud83d\ude00"),
            new Hello("again", 0),
            new ClientMessage.Ping(2),
            new ClientMessage.Leave())) {
      out.writeBytes(RawPeer.bytesOf(message));
    }
    out.writeBytes(new byte[] {2, 0, 0, 1, 'z', 7});
    return out.toByteArray();
  }

  private byte[] mutated(byte[] session) {
    byte[] mutated = session.clone();
    for (int i = random.nextInt(3); i >= 0 && mutated.length > 0; i--) {
      int at = random.nextInt(mutated.length);
      switch (random.nextInt(4)) {
        case 0 -> mutated[at] ^= (byte) (1 << random.nextInt(8));
        case 1 -> mutated[at] = (byte) random.nextInt(256);
        case 2 -> mutated = concat(Arrays.copyOf(mutated, at), tail(mutated, at + 1));
        default -> mutated = Arrays.copyOf(mutated, at + 1);
      }
    }
    return mutated;
  }

  private static byte[] tail(byte[] bytes, int from) {
    return Arrays.copyOfRange(bytes, Math.min(from, bytes.length), bytes.length);
  }

  private static byte[] concat(byte[] first, byte[] second) {
    byte[] both = Arrays.copyOf(first, first.length + second.length);
    System.arraycopy(second, 0, both, first.length, second.length);
    return both;
  }

  private int[] someCuts(byte[] session) {
    return random.ints(1 + random.nextInt(6), 0, session.length + 1).sorted().distinct().toArray();
  }

  private static int[] everyByte(byte[] session) {
    int[] cuts = new int[session.length];
    Arrays.setAll(cuts, i -> i);
    return cuts;
  }

  private static Effect play(RunningServer server, RawPeer witness, byte[] session, int... cuts) {
    List<String> answers = new ArrayList<>();
    List<String> events = new ArrayList<>();
    try (BytePeer peer = BytePeer.connect(server.address())) {
      int from = 0;
      for (int cut : cuts) {
        int to = Math.max(from, Math.min(cut, session.length));
        peer.send(session, from, to);
        from = to;
        witness.send(new ClientMessage.Ping(cut));
        collect(witness, events, message -> message instanceof Pong);
      }
      peer.send(session, from, session.length);
      peer.halfClose();
      read(peer, answers);
    }
    settle(server);
    // A text of the witness's own comes behind everything before it.
    witness.say("marker");
    collect(witness, events, message -> message instanceof Ack);
    return new Effect(answers, events);
  }

  /** Asks again at once: there are a thousand sessions, and each is gone within a millisecond. */
  private static void settle(RunningServer server) {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(5);
    while (server.server().connections() > 1 || server.members() > 1) {
      assertThat(System.nanoTime()).as("a session that does not end").isLessThan(deadline);
    }
  }

  private static void read(BytePeer peer, List<String> answers) {
    int acknowledged = 0;
    for (byte[] frame = peer.frame("the end"); frame != null; frame = peer.frame("the end")) {
      ServerMessage message = decode(frame);
      if (message instanceof Ack ack) {
        acknowledged = ack.sendNo();
      } else if (message instanceof Welcome welcome) {
        answers.add("WELCOME " + welcome.resumed() + " " + welcome.name());
      } else if (message instanceof Bye bye && bye.code() == 0) {
        answers.add("left, acknowledged " + acknowledged);
      } else if (!(message instanceof Event)) {
        answers.add(message.toString());
      }
    }
  }

  private static ServerMessage decode(byte[] frame) {
    try {
      return MessageCodec.decodeServer(
          frame[0] & 0xFF, Unpooled.wrappedBuffer(frame), 4, frame.length - 4);
    } catch (ProtocolException e) {
      throw new AssertionError("the server sent what may not be sent", e);
    }
  }

  private static void collect(
      RawPeer witness, List<String> events, Predicate<ServerMessage> until) {
    for (ServerMessage message = witness.next(); !until.test(message); message = witness.next()) {
      if (message instanceof Msg msg) {
        events.add(msg.name() + ": " + msg.text());
      } else if (message instanceof Joined joined) {
        events.add(joined.name() + " " + joined.how() + " " + joined.members());
      } else if (message instanceof Left left) {
        events.add(left.name() + " " + left.why() + " " + left.members());
      }
    }
  }
}
