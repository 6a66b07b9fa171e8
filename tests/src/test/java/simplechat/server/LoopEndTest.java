package simplechat.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.util.concurrent.Future;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import simplechat.room.Ledger;
import simplechat.support.RawPeer;

/** An opening is given the server's loops, and nothing hangs if it shuts them down. */
class LoopEndTest {
  @ParameterizedTest(name = "loops {0}")
  @ValueSource(ints = {1, 2})
  void aServerIsClosedWithItsLoops(int loops) throws Exception {
    Holder holder = new Holder();
    ChatServer server = get(ChatServer.start(config(loops), holder::open));
    try (RawPeer alice = RawPeer.connect(server.address())) {
      alice.join("alice");
      holder.shutDown();
      alice.readToEnd();
    }
    assertThat(get(server.members())).isEqualTo(get(server.metrics()).room().members());
    get(server.drain());
    get(server.close());
  }

  @ParameterizedTest(name = "loops {0}")
  @ValueSource(ints = {1, 2})
  void aDrainIsOverWithTheLoops(int loops) throws Exception {
    Holder holder = new Holder();
    ChatServer server = get(ChatServer.start(config(loops), holder::open));
    try (RawPeer alice = RawPeer.connect(server.address())) {
      alice.join("alice");
      CompletionStage<Void> drained = server.drain();
      holder.shutDown();
      get(drained);
    }
  }

  @ParameterizedTest(name = "loops {0}")
  @ValueSource(ints = {1, 2})
  void noServerStartsOnLoopsThatHaveEnded(int loops) {
    Holder holder = new Holder();
    CompletionStage<ChatServer> starting =
        ChatServer.start(
            config(loops),
            (ledger, given, roomLoop) -> {
              CompletionStage<Announcing> opened = holder.open(ledger, given, roomLoop);
              shutDown(given);
              return opened;
            });
    assertThatThrownBy(() -> get(starting))
        .hasCauseInstanceOf(IllegalStateException.class)
        .hasMessageContaining("the event loops were shut down");
  }

  private static ServerConfig config(int loops) {
    return ServerConfig.defaults().toBuilder().port(0).loops(loops).build();
  }

  private static <T> T get(CompletionStage<T> stage) throws Exception {
    return stage.toCompletableFuture().get(5, TimeUnit.SECONDS);
  }

  /** Without a quiet time a loop may end before it looks for what it still has. */
  private static Future<?> shutDown(EventLoopGroup loops) {
    return loops.shutdownGracefully(20, 1000, TimeUnit.MILLISECONDS);
  }

  /** Keeps the loops that it is given. */
  private static final class Holder extends Announcing {
    private final CompletableFuture<EventLoopGroup> loops = new CompletableFuture<>();

    CompletionStage<Announcing> open(Ledger ledger, EventLoopGroup given, EventLoop roomLoop) {
      loops.obtrudeValue(given);
      return super.open(ledger, given, roomLoop);
    }

    void shutDown() {
      LoopEndTest.shutDown(loops.join()).syncUninterruptibly();
    }
  }
}
