package simplechat.client;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import simplechat.client.ScriptedServer.Peer;
import simplechat.protocol.ClientMessage;
import simplechat.protocol.ErrorCode;
import simplechat.protocol.MessageCodec;
import simplechat.protocol.ServerMessage;

/** No server brings a client to anything but one of its documented ends. */
class HostileServerTest {
  private static final int SESSIONS = Integer.getInteger("test.sessions", 500);
  private static final long SEED = Long.getLong("test.seed", System.nanoTime());

  @Test
  @Tag("slow")
  void randomSessionsEndAsDocumented() throws Exception {
    Random random = new Random(SEED);
    try (ScriptedServer server = new ScriptedServer()) {
      for (int i = 0; i < SESSIONS; i++) {
        run(server, random, "seed " + SEED + ", session " + i);
      }
    }
  }

  @Test
  void eachLieEndsTheConnection() throws Exception {
    ServerMessage.Welcome welcome = Peer.welcomeOf("alice", 10, 10, 1);
    List<List<ServerMessage>> lies =
        List.of(
            List.of(msg(11)),
            List.of(msg(9)),
            List.of(new ServerMessage.Ack(10, 1)),
            List.of(new ServerMessage.Gap(5, 0)),
            List.of(new ServerMessage.Gap(20, 11)),
            List.of(new ServerMessage.Roster(false, List.of("bob"))),
            List.of(new ServerMessage.Refused(300, 0, "")),
            List.of(new ServerMessage.Refused(100, 1, "")),
            List.of(welcome));
    try (ScriptedServer server = new ScriptedServer()) {
      for (List<ServerMessage> lie : lies) {
        ChatClient client = connect(server);
        client.join("alice", 0);
        try (Peer peer = server.acceptAndWelcome(10)) {
          peer.send(lie.toArray(ServerMessage[]::new));
          Goodbye goodbye = client.ended().toCompletableFuture().get(10, TimeUnit.SECONDS);
          assertThat(goodbye.ending()).as("%s", lie).isEqualTo(Goodbye.Ending.VIOLATION);
          assertThat(goodbye.code()).isEqualTo(ErrorCode.MALFORMED.number());
        }
      }
    }
  }

  @Test
  void aFrameAboveTheLimitEndsTheConnectionBeforeItComes() throws Exception {
    try (ScriptedServer server = new ScriptedServer()) {
      ChatClient client = connect(server);
      client.join("alice", 0);
      try (Peer peer = server.acceptAndWelcome(0)) {
        peer.send(Unpooled.buffer().writeByte(0xA1).writeMedium(0xFFFFFF));
        Goodbye goodbye = client.ended().toCompletableFuture().get(10, TimeUnit.SECONDS);
        assertThat(goodbye.code()).isEqualTo(ErrorCode.FRAME_TOO_LARGE.number());
      }
    }
  }

  @Test
  void anUnknownFrameThatMayBeSkippedIsSkipped() throws Exception {
    try (ScriptedServer server = new ScriptedServer()) {
      ChatClient client = connect(server);
      client.join("alice", 0);
      try (Peer peer = server.acceptAndWelcome(0)) {
        ByteBuf unknown = Unpooled.buffer().writeByte(0xC9).writeMedium(3).writeZero(3);
        peer.send(unknown);
        peer.send(new ServerMessage.Ping(3));
        assertThat(peer.expect(ClientMessage.Pong.class).opaque()).isEqualTo(3);
      }
    }
  }

  private static void run(ScriptedServer server, Random random, String what) throws Exception {
    ChatClient client = connect(server);
    client.join("alice", 5);
    try (Peer peer = server.accept()) {
      peer.expect(ClientMessage.Hello.class);
      if (random.nextInt(10) > 0) {
        peer.welcome("alice", 0, random.nextInt(3));
      }
      for (int i = random.nextInt(4); i > 0; i--) {
        client.send("text " + i);
        client.who();
      }
      peer.send(noise(random));
      if (random.nextBoolean()) {
        peer.reset();
      }
    }
    Goodbye goodbye = client.ended().toCompletableFuture().get(10, TimeUnit.SECONDS);
    assertThat(goodbye.ending()).as(what).isNotEqualTo(Goodbye.Ending.CLOSED);
    assertThat(client.pendingBytes()).as(what).isZero();
  }

  /** Frames that could be true, in an order that is not, and some with a few bytes changed. */
  private static ByteBuf noise(Random random) {
    ByteBuf bytes = Unpooled.buffer();
    List<ServerMessage> choice = new ArrayList<>();
    for (int i = 0; i < 12; i++) {
      choice.clear();
      choice.add(msg(random.nextInt(4)));
      choice.add(new ServerMessage.Ack(random.nextInt(4), random.nextInt(3)));
      choice.add(new ServerMessage.Gap(random.nextInt(9), random.nextInt(3)));
      choice.add(new ServerMessage.Roster(random.nextBoolean(), List.of("bob")));
      choice.add(new ServerMessage.Refused(random.nextInt(500), random.nextInt(3), "no"));
      choice.add(new ServerMessage.Ping(random.nextInt()));
      choice.add(Peer.welcomeOf("alice", random.nextInt(4) - 1, random.nextInt(4), 1));
      choice.add(new ServerMessage.Bye(random.nextInt(500), 1, "bye"));
      choice.add(new ServerMessage.Left(i, 1, 1, ServerMessage.LeftWhy.LOST, "bob"));
      MessageCodec.encode(choice.get(random.nextInt(choice.size())), bytes);
    }
    for (int i = random.nextInt(3); i > 0; i--) {
      bytes.setByte(random.nextInt(bytes.writerIndex()), random.nextInt(256));
    }
    return bytes.writerIndex(random.nextInt(bytes.writerIndex()) + 1);
  }

  private static ChatClient connect(ScriptedServer server) throws Exception {
    return ChatClient.connect("127.0.0.1", server.port(), new ChatListener() {})
        .toCompletableFuture()
        .get(10, TimeUnit.SECONDS);
  }

  private static ServerMessage.Msg msg(int seq) {
    return new ServerMessage.Msg(seq, 1, "bob", "hi");
  }
}
