package simplechat.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import java.io.IOException;
import java.time.InstantSource;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import simplechat.client.ScriptedServer.Peer;
import simplechat.protocol.ClientMessage;
import simplechat.protocol.ErrorCode;
import simplechat.protocol.ServerMessage;

/** No server brings the library to anything but one of its documented ends. */
class HostileServerTest {
  private static final int SESSIONS = Noise.sessions();
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

  /** It may come back or be at its end, and nothing else. */
  @Test
  @Tag("slow")
  void whoComesBackIsBroughtToNothingElse() throws Exception {
    Random random = new Random(SEED);
    AtomicInteger faults = new AtomicInteger();
    EventLoopGroup loops =
        new MultiThreadIoEventLoopGroup(
            1,
            task -> {
              Thread thread = new Thread(task, "hostile");
              thread.setUncaughtExceptionHandler((where, e) -> faults.incrementAndGet());
              return thread;
            },
            NioIoHandler.newFactory());
    // So fast a clock that the tries are always a second apart.
    ClientOptions options =
        ClientOptions.defaults()
            .withLoops(loops)
            .withReturn(ClientOptions.FOREVER)
            .withJitter(new Extreme(false))
            .withClocks(() -> System.nanoTime() * 10_000, InstantSource.system());
    try (ScriptedServer server = new ScriptedServer()) {
      ChatClient client = null;
      for (int i = 0; i < SESSIONS; i++) {
        if (client == null || client.ended().toCompletableFuture().isDone()) {
          client = connect(server, options);
          client.join("alice", 5);
        }
        Peer peer = server.acceptSoon();
        if (peer != null) {
          repel(peer, client, random);
        }
      }
      if (client != null) {
        client.close();
        client.ended().toCompletableFuture().get(10, TimeUnit.SECONDS);
        // If it had ended by itself, what was said since is still to be given back.
        await("seed " + SEED).until(client::pendingBytes, bytes -> bytes == 0);
      }
    } finally {
      loops.shutdownGracefully(0, 5, TimeUnit.SECONDS).sync();
    }
    assertThat(faults).as("seed %d", SEED).hasValue(0);
  }

  private static void repel(Peer peer, ChatClient client, Random random) throws Exception {
    try (peer) {
      if (peer.receive() instanceof ClientMessage.Hello hello && random.nextInt(5) > 0) {
        if (hello.resume() != null && random.nextInt(5) > 0) {
          long next = hello.resume().next();
          peer.welcomeBack("alice", next, next + random.nextInt(5), random.nextInt(5));
        } else {
          peer.welcome("alice", 0, random.nextInt(3));
        }
        for (int i = random.nextInt(4); i > 0; i--) {
          client.send("text " + i);
          client.who();
        }
        if (random.nextInt(10) == 0) {
          client.leave();
        }
        if (random.nextBoolean()) {
          peer.send(Noise.frames(random, 0));
        }
      }
      if (random.nextBoolean()) {
        peer.reset();
      }
    } catch (IOException e) {
      // The client has hung up on it.
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
      peer.send(Noise.frames(random, 1));
      if (random.nextBoolean()) {
        peer.reset();
      }
    }
    Goodbye goodbye = client.ended().toCompletableFuture().get(10, TimeUnit.SECONDS);
    assertThat(goodbye.ending()).as(what).isNotEqualTo(Goodbye.Ending.CLOSED);
    assertThat(client.pendingBytes()).as(what).isZero();
  }

  private static ChatClient connect(ScriptedServer server) throws Exception {
    return connect(server, ClientOptions.defaults());
  }

  private static ChatClient connect(ScriptedServer server, ClientOptions options) throws Exception {
    return ChatClient.connect("127.0.0.1", server.port(), new ChatListener() {}, options)
        .toCompletableFuture()
        .get(10, TimeUnit.SECONDS);
  }

  private static ServerMessage.Msg msg(int seq) {
    return new ServerMessage.Msg(seq, 1, "bob", "hi");
  }
}
