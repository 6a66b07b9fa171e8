package simplechat.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;
import static org.awaitility.Awaitility.await;

import io.netty.buffer.ByteBuf;
import io.netty.channel.epoll.Epoll;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import simplechat.protocol.ClientMessage.Ping;
import simplechat.protocol.ClientMessage.Send;
import simplechat.protocol.ClientMessage.Who;
import simplechat.room.Member;
import simplechat.support.RawPeer;
import simplechat.support.RunningServer;

/** A text lies where its read put it until the room's loop has taken it. */
class UnderwayTextTest {
  private static final int LATER_BYTES = 8192;

  /**
   * From a connection that is not read more comes all the same when the peer ends its side, and is
   * kept with what waits already: that may be in the buffer of the text.
   */
  @Test
  void whatComesBehindAFrameThatWaitsDoesNotMoveIt() throws Exception {
    assumeThat(Epoll.isAvailable()).as("only epoll reads on at the end").isTrue();
    Holding room = new Holding();
    try (RunningServer server =
        RunningServer.node(
            room::open, config -> config.loops(2).transport(TransportChoice.EPOLL))) {
      RawPeer far = far(server);
      far.send(new Who(), new Send("one"), new Ping(1));
      ByteBuf text = room.held.get(5, TimeUnit.SECONDS);
      long address = text.memoryAddress();
      far.sendBytes(new byte[LATER_BYTES]).halfClose();
      await().until(() -> Inside.heldInputBytes(server.server()) > LATER_BYTES);
      assertThat(text.memoryAddress()).isEqualTo(address);
      room.until.complete(null);
    } finally {
      room.until.complete(null);
    }
  }

  /** Joins until somebody lives on the loop that is not the room's. */
  private static RawPeer far(RunningServer server) {
    for (int joined = 1; ; joined++) {
      RawPeer peer = server.join("peer" + joined);
      if (Inside.nearby(server.server()) < joined) {
        return peer;
      }
    }
  }

  /** Keeps the room's loop at the first text, and who said it from saying more. */
  private static final class Holding extends Announcing {
    private final CompletableFuture<ByteBuf> held = new CompletableFuture<>();
    private final CompletableFuture<Void> until = new CompletableFuture<>();

    @Override
    public void say(Member member, int sendNo, ByteBuf text, int index, int length) {
      held.complete(text);
      until.join();
      super.say(member, sendNo, text, index, length);
      ledger().eased();
    }

    @Override
    public Pressure pressure() {
      return until.isDone() ? Pressure.NONE : Pressure.WAIT;
    }
  }
}
