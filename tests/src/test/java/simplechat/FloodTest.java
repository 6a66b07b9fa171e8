package simplechat;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import simplechat.protocol.ClientMessage;
import simplechat.protocol.ClientMessage.Hello;
import simplechat.protocol.ErrorCode;
import simplechat.protocol.Limits;
import simplechat.protocol.MessageType;
import simplechat.protocol.ServerMessage;
import simplechat.protocol.ServerMessage.Ack;
import simplechat.protocol.ServerMessage.Bye;
import simplechat.protocol.ServerMessage.Pong;
import simplechat.protocol.ServerMessage.Refused;
import simplechat.protocol.ServerMessage.Roster;
import simplechat.support.BytePeer;
import simplechat.support.Chain;
import simplechat.support.Figures;
import simplechat.support.Load;
import simplechat.support.Memory;
import simplechat.support.RawPeer;
import simplechat.support.RunningServer;

/** Group B in numbers: many bad connections at once or in turn, while others chat. */
class FloodTest {
  private static final long SEED = Long.getLong("test.seed", System.nanoTime());
  private static final long MIB = 1024 * 1024;
  private static final int[] LENGTHS = {0, 1, 512, 513, 1 << 16, (1 << 24) - 1};
  private static final int OPAQUE = 0x0BA5E;
  private static final int FRAMES_AT_ONCE = 1000;
  private static final int MOST_BYTES = 66 * 1024;

  /** B3: what each type and announced length earns, and that it takes no memory. */
  @ParameterizedTest(name = "joined {0}, types from {1}")
  @MethodSource("types")
  void everyTypeAndLengthGetsItsVerdict(boolean joined, int first) {
    try (RunningServer server = RunningServer.start()) {
      long before = Memory.heldBytes();
      for (int type = first; type < first + 32; type++) {
        for (int length : LENGTHS) {
          try (RawPeer peer = RawPeer.connect(server.address())) {
            if (joined) {
              peer.join("m" + type + "." + length);
            }
            sendFrameAndPing(peer, type, length);
            assertThat(verdict(peer))
                .as("type %x, length %d", type, length)
                .isEqualTo(joined ? ofMember(type, length) : ofStranger(type, length));
          }
        }
      }
      server.awaitConnections(0);
      assertThat(Memory.heldBytes() - before).as("bytes held").isLessThan(20 * MIB);
    }
  }

  static Stream<Arguments> types() {
    return IntStream.range(0, 16).mapToObj(i -> Arguments.of(i >= 8, i % 8 * 32));
  }

  /** The body as far as a body may be long, and where it is whole a PING behind it. */
  private static void sendFrameAndPing(RawPeer peer, int type, int length) {
    byte[] ping = RawPeer.bytesOf(new ClientMessage.Ping(OPAQUE));
    byte[] body = new byte[Math.min(length, MOST_BYTES)];
    try {
      peer.sendBytes(ByteBuffer.allocate(4).putInt(type << 24 | length).array());
      peer.sendBytes(body);
      if (body.length == length) {
        peer.sendBytes(ping);
      }
    } catch (UncheckedIOException e) {
      throw new AssertionError("reset while sending, before BYE could be read", e);
    }
  }

  /** What came first: a BYE's or ERROR's code, ROSTER, PONG; events left out. */
  private static String verdict(RawPeer peer) {
    while (true) {
      ServerMessage message = peer.next();
      if (message instanceof Bye bye) {
        peer.expectEof();
        return "" + ErrorCode.of(bye.code());
      } else if (message instanceof Refused error) {
        return "" + ErrorCode.of(error.code());
      } else if (message instanceof Roster) {
        return "ROSTER";
      } else if (message instanceof Pong pong) {
        return pong.opaque() == OPAQUE ? "skipped" : "PONG";
      }
    }
  }

  private static String ofStranger(int type, int length) {
    if (type < 1 || type > 6 || type == 5) {
      return "NOT_CHAT";
    }
    if (length > Limits.SMALL_BODY_MAX_BYTES) {
      return "FRAME_TOO_LARGE";
    }
    return switch (type) {
      case 1 -> length == 0 ? "MALFORMED" : "NOT_CHAT";
      case 4 -> length < 4 ? "MALFORMED" : "PONG";
      default -> "JOIN_FIRST";
    };
  }

  private static String ofMember(int type, int length) {
    boolean known = type >= 1 && type <= 6;
    int most = type == 2 || !known ? 66_560 : Limits.SMALL_BODY_MAX_BYTES;
    if (!known && (type & 0x40) == 0) {
      return "MALFORMED";
    }
    if (length > most) {
      return "FRAME_TOO_LARGE";
    }
    return switch (type) {
      case 1 -> "UNEXPECTED";
      case 2 -> length == 0 ? "TEXT_EMPTY" : "TEXT_INVALID";
      case 3 -> "LEFT";
      case 4 -> length < 4 ? "MALFORMED" : "PONG";
      case 5 -> length < 4 ? "MALFORMED" : "skipped";
      case 6 -> "ROSTER";
      default -> "skipped";
    };
  }

  /** B10: a session cut at every byte, in every way. */
  @ParameterizedTest(name = "loops {0}")
  @ValueSource(ints = {1, 2})
  void connectionsThatEndAnywhereDoNotDisturbTheTalk(int loops) {
    try (RunningServer server = RunningServer.start(config -> config.loops(loops))) {
      List<RawPeer> talkers = talkers(server);
      int said = 0;
      int rounds = Load.count(1, 75);
      for (int way = 0; way < 3 * rounds; way++) {
        byte[] session = session("guest" + way % 3);
        for (int cut = 0; cut <= session.length; cut++) {
          RawPeer peer = RawPeer.connect(server.address());
          peer.sendBytes(Arrays.copyOf(session, cut));
          end(peer, way % 3);
          talkers.get(cut % talkers.size()).say("text " + said++);
        }
      }
      server.awaitConnections(talkers.size());
      server.awaitMembers(talkers.size());
      assertEqualChains(talkers, said);
      Figures.tell("B10", said + " sessions ended anywhere in 3 ways, equal chains", "0 loss");
    }
  }

  private static void end(RawPeer peer, int way) {
    switch (way) {
      case 0 -> peer.close();
      case 1 -> peer.reset();
      default -> {
        peer.halfClose();
        peer.readToEnd();
        peer.close();
      }
    }
  }

  private static byte[] session(String name) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (ClientMessage message :
        List.of(
            new Hello(name, 3),
            new ClientMessage.Ping(1),
            new ClientMessage.Who(),
            new ClientMessage.Send("\t"),
            new ClientMessage.Leave())) {
      out.writeBytes(RawPeer.bytesOf(message));
    }
    return out.toByteArray();
  }

  /** B16: garbage, before the join and after it. */
  @ParameterizedTest(name = "loops {0}")
  @ValueSource(ints = {1, 2})
  void garbageHarmsNobodyButItsSender(int loops) {
    Random random = new Random(SEED);
    String again = "again with -Dtest.seed=" + SEED;
    try (RunningServer server = RunningServer.start(config -> config.loops(loops))) {
      List<RawPeer> talkers = talkers(server);
      long before = Memory.heldBytes();
      List<RawPeer> guests = new ArrayList<>();
      int sessions = Load.count(400, 20_000);
      for (int i = 0; i < sessions; i++) {
        RawPeer guest = RawPeer.connect(server.address());
        guests.add(guest);
        if (i % 2 == 0) {
          guest.join("guest" + i);
        }
        sendGarbage(guest, random);
        talkers.get(i % talkers.size()).say("text " + i);
        // No more at once than the system has descriptors for.
        if (guests.size() == 400) {
          guests.forEach(RawPeer::close);
          guests.clear();
        }
      }
      guests.forEach(RawPeer::close);
      guests.clear();
      server.awaitConnections(talkers.size());
      server.awaitMembers(talkers.size());
      long grown = Memory.heldBytes() - before;
      Figures.tell(
          "B16",
          "%d sessions of garbage, memory %s"
              .formatted(sessions, Figures.mebibytes(Math.max(0, grown))),
          "equal chains, 20 MiB",
          SEED);
      assertThat(grown).as(again).isLessThan(20 * MIB);
      assertEqualChains(talkers, -1);
    }
  }

  /** Frames with random types and bodies, without SENDs that could be taken. */
  private static void sendGarbage(RawPeer peer, Random random) {
    try {
      for (int i = random.nextInt(20); i >= 0; i--) {
        byte[] body = new byte[random.nextInt(40)];
        random.nextBytes(body);
        int type = random.nextInt(3) == 0 ? random.nextInt(256) : 0x40 | random.nextInt(256);
        peer.sendBytes(ByteBuffer.allocate(4).putInt(type << 24 | body.length).array());
        peer.sendBytes(body);
      }
    } catch (UncheckedIOException e) {
      assertThat(e).as("ended by the server").isNotNull();
    }
  }

  /** B17: random frames, before the join and after it, as many as it takes. */
  @Test
  void randomFramesHarmNobody() {
    int frames = Load.count(100_000, 10_000_000);
    Random random = new Random(SEED);
    String again = "again with -Dtest.seed=" + SEED;
    try (RunningServer server = RunningServer.start(config -> config.loops(2))) {
      List<RawPeer> talkers = talkers(server);
      long before = Memory.heldBytes();
      int guests = frames / FRAMES_AT_ONCE;
      for (int i = 0; i < guests; i++) {
        try (BytePeer guest = BytePeer.connect(server.address())) {
          if (i % 2 == 0) {
            guest.send(RawPeer.bytesOf(new Hello("guest" + i, 0)));
          }
          guest.send(randomFrames(random));
        } catch (UncheckedIOException e) {
          assertThat(e).as("ended by the server").isNotNull();
        }
        talkers.get(i % talkers.size()).say("text " + i);
      }
      server.awaitConnections(talkers.size());
      server.awaitMembers(talkers.size());
      long grown = Memory.heldBytes() - before;
      Figures.tell(
          "B17",
          "%d random frames, memory %s, equal chains"
              .formatted(guests * FRAMES_AT_ONCE, Figures.mebibytes(Math.max(0, grown))),
          "equal chains, 20 MiB",
          SEED);
      assertThat(grown).as(again).isLessThan(20 * MIB);
      assertEqualChains(talkers, -1);
    }
  }

  /** Most of a kind that may come; what ends the connection is one of some hundred. */
  private static byte[] randomFrames(Random random) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (int i = 0; i < FRAMES_AT_ONCE; i++) {
      byte[] body = new byte[random.nextInt(40)];
      random.nextBytes(body);
      int type =
          switch (random.nextInt(500)) {
            case 0 -> random.nextInt(256);
            case 1, 2, 3, 4, 5, 6, 7, 8, 9 -> MessageType.SEND.code();
            case 10, 11, 12, 13, 14, 15, 16, 17 -> MessageType.CLIENT_PING.code();
            default -> 0x40 | random.nextInt(256);
          };
      out.writeBytes(ByteBuffer.allocate(4).putInt(type << 24 | body.length).array());
      out.writeBytes(body);
    }
    return out.toByteArray();
  }

  private static List<RawPeer> talkers(RunningServer server) {
    List<RawPeer> talkers = new ArrayList<>();
    for (int i = 0; i < Load.count(5, 100); i++) {
      talkers.add(server.join("talker" + i));
    }
    long start = talkers.get(talkers.size() - 1).stream().welcome().head();
    talkers.forEach(talker -> talker.chainFrom(start));
    return talkers;
  }

  private static void assertEqualChains(List<RawPeer> talkers, int said) {
    for (RawPeer talker : talkers) {
      talker.say("last").await(Ack.class, ack -> ack.sendNo() == talker.sendNo());
    }
    RawPeer marker = talkers.get(0);
    marker.send(new ClientMessage.Leave()).await(Bye.class);
    for (RawPeer talker : talkers.subList(1, talkers.size())) {
      talker.await(
          ServerMessage.Left.class, left -> left.name().equals(marker.stream().welcome().name()));
    }
    assertThat(talkers)
        .extracting(RawPeer::chain)
        .extracting(Chain::hash)
        .containsOnly(marker.chain().hash());
    if (said >= 0) {
      assertThat(marker.chain().count()).isEqualTo(said + talkers.size());
    }
  }
}
