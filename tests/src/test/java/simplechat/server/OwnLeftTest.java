package simplechat.server;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.BiConsumer;
import org.junit.jupiter.api.Test;
import simplechat.protocol.ErrorCode;
import simplechat.protocol.MessageCodec;
import simplechat.protocol.ServerMessage.Ack;
import simplechat.protocol.ServerMessage.Bye;
import simplechat.protocol.ServerMessage.LeftWhy;
import simplechat.protocol.ServerMessage.Msg;
import simplechat.room.Ledger;
import simplechat.room.Member;
import simplechat.support.RawPeer;
import simplechat.support.RunningServer;

/** Nobody is sent its own LEFT, whatever is written to all at that moment. */
class OwnLeftTest {
  private static final int LOG_BYTES = 512 * 1024;

  /** Of the log, what is told at once, and not at the end of the turn. */
  private static final int TOLD_AT_ONCE_BYTES = LOG_BYTES / 8;

  /** A walk that was ordered by a message comes to see the LEFTs before it is told of them. */
  @Test
  void aDrainedLoopThatIsHeldUpTellsNobodyOfItself() {
    Announcing room = new Announcing();
    CompletableFuture<Void> until = new CompletableFuture<>();
    try (RunningServer server = RunningServer.node(room::open, config -> config.loops(2))) {
      List<RawPeer> near = new ArrayList<>();
      List<RawPeer> far = new ArrayList<>();
      for (String name : List.of("alice", "bob", "carol", "dave")) {
        int before = Inside.nearby(server.server());
        RawPeer peer = server.join(name);
        (Inside.nearby(server.server()) > before ? near : far).add(peer);
      }
      RawPeer speaker = near.get(0);
      for (String text : List.of("all come", "abreast")) {
        speaker.say(text);
        speaker.await(Ack.class);
        far.forEach(peer -> peer.await(Msg.class, msg -> msg.text().equals(text)));
      }
      room.otherLoop().execute(until::join);
      speaker.say("held up");
      speaker.await(Ack.class);
      server.drain();
      speaker.await(Bye.class);
      until.complete(null);
      assertThat(far).isNotEmpty();
      for (RawPeer peer : far) {
        peer.await(Msg.class, msg -> msg.text().equals("held up"));
        assertThat(peer.await(Bye.class).code()).isEqualTo(ErrorCode.SHUTDOWN.number());
      }
    } finally {
      until.complete(null);
    }
  }

  /** The LEFT may be what makes so much wait that all are told, within the call that writes it. */
  @Test
  void whoEndsWhenMuchWaitsIsNotToldOfIt() {
    List<BiConsumer<Connection, Runnable>> ends =
        List.of(
            (connection, fill) -> {
              fill.run();
              connection.end(ErrorCode.INTERNAL, "ended", LeftWhy.LOST);
            },
            (connection, fill) -> {
              fill.run();
              connection.inputEnded();
            },
            (connection, fill) -> {
              // It ends later, but before what waits at the end of the turn is told.
              connection.lapsed();
              fill.run();
            });
    try (RunningServer server = RunningServer.start(config -> config.logBytes(LOG_BYTES))) {
      ConnectionLoop loop = server.server().roomLoop();
      Ledger ledger = server.server().room().ledger();
      for (BiConsumer<Connection, Runnable> end : ends) {
        RawPeer alice = server.join("alice");
        RawPeer bob = server.join("bob");
        for (String text : List.of("all come", "abreast")) {
          alice.say(text);
          alice.await(Ack.class);
          bob.await(Msg.class, msg -> msg.text().equals(text));
        }
        CompletableFuture.runAsync(
                () -> {
                  assertThat(loop.fanOut().abreast()).isEqualTo(2);
                  Member speaker = ledger.sessions().everybody().iterator().next();
                  end.accept(loop.connections().get(1), () -> fill(ledger, speaker));
                },
                loop.eventLoop())
            .join();
        bob.readToEnd();
        bob.close();
        alice.close();
        server.awaitConnections(0);
      }
    }
  }

  /** One byte more is told at once. */
  private static void fill(Ledger ledger, Member speaker) {
    int nameBytes = speaker.name().shown().length();
    int frames = 8;
    int textBytes = TOLD_AT_ONCE_BYTES / frames - MessageCodec.msgBytes(nameBytes, 0);
    ByteBuf text = Unpooled.wrappedBuffer("x".repeat(textBytes).getBytes(US_ASCII));
    for (int i = 1; i <= frames; i++) {
      ledger.said(speaker, speaker.received() + 1, 0, text, 0, textBytes);
    }
  }
}
