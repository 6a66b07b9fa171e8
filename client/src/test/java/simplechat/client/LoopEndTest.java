package simplechat.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static simplechat.client.ChatClientTest.get;
import static simplechat.client.ChatClientTest.goodbye;

import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import java.lang.ref.WeakReference;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import simplechat.client.ChatClientTest.Recorder;
import simplechat.client.ScriptedServer.Peer;

/** Who brings event loops and shuts them down before their clients is told, and hangs nowhere. */
class LoopEndTest {
  private static final String WHY = "the event loop was shut down";

  private final Recorder recorder = new Recorder();
  private final EventLoopGroup loops =
      new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());

  private ScriptedServer server;

  @BeforeEach
  void listen() throws Exception {
    server = new ScriptedServer();
  }

  @AfterEach
  void stop() throws Exception {
    shutDown();
    server.close();
  }

  @ParameterizedTest
  @ValueSource(strings = {"127.0.0.1", "localhost"})
  void nobodyConnectsOnALoopThatHasEnded(String host) throws Exception {
    shutDown();
    assertCannotConnect(host, connect(host, Duration.ZERO));
  }

  @ParameterizedTest
  @ValueSource(strings = {"127.0.0.1", "localhost"})
  void whoIsConnectingIsTold(String host) throws Exception {
    CompletableFuture<Void> begun = new CompletableFuture<>();
    loops.next().execute(begun::join);
    CompletionStage<ChatClient> connecting = connect(host, Duration.ZERO);
    loops.shutdownGracefully(0, 1, TimeUnit.SECONDS);
    begun.complete(null);
    assertCannotConnect(host, connecting);
  }

  @ParameterizedTest
  @ValueSource(longs = {0, 3600})
  void whatAMemberWaitsForFails(long returnSeconds) throws Exception {
    ChatClient client = get(connect("127.0.0.1", Duration.ofSeconds(returnSeconds)));
    Peer peer = join(client);
    List<CompletionStage<?>> waiting = List.of(client.send("one"), client.who(), client.leave());
    peer.receive();
    shutDown();
    assertAllEnd(waiting);
    assertThat(goodbye(client)).isEqualTo(Goodbye.closed(WHY));
    assertThat(recorder.calls).containsExactly("welcome", "live", "ended CLOSED 0");
    assertAllEnd(asked(client));
  }

  @Test
  void whoLooksForAWayBackIsTold() throws Exception {
    ChatClient client = get(connect("127.0.0.1", Duration.ofHours(1)));
    Peer peer = join(client);
    server.close();
    peer.reset();
    await().until(() -> recorder.calls.contains("lost LOST 0"));
    CompletionStage<Long> waiting = client.send("one");
    shutDown();
    assertAllEnd(List.of(waiting));
    assertThat(goodbye(client)).isEqualTo(Goodbye.closed(WHY));
    assertThat(recorder.calls).endsWith("lost LOST 0", "ended CLOSED 0");
    assertAllEnd(asked(client));
  }

  /** The loop itself may go on for as long as the program. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void theLoopKeepsNoClientThatHasEnded(boolean connects) throws Exception {
    WeakReference<ChatListener> listener = comeAndGo(connects);
    await()
        .until(
            () -> {
              System.gc();
              return listener.refersTo(null);
            });
  }

  private WeakReference<ChatListener> comeAndGo(boolean connects) throws Exception {
    ChatListener listener = new Recorder();
    ClientOptions options = ClientOptions.defaults().withLoops(loops);
    if (connects) {
      ChatClient client = get(ChatClient.connect("127.0.0.1", server.port(), listener, options));
      client.close();
      goodbye(client);
    } else {
      assertThatThrownBy(() -> get(ChatClient.connect("127.0.0.1", 70_000, listener, options)))
          .hasCauseInstanceOf(CannotConnectException.class);
    }
    return new WeakReference<>(listener);
  }

  private static List<CompletionStage<?>> asked(ChatClient client) {
    client.pause();
    client.resume();
    client.close();
    return List.of(
        client.join("bob", 0),
        client.send("two"),
        client.who(),
        client.resumePoint(),
        client.leave());
  }

  private static void assertAllEnd(List<CompletionStage<?>> stages) {
    for (CompletionStage<?> stage : stages) {
      assertThatThrownBy(() -> get(stage))
          .hasCauseInstanceOf(EndedException.class)
          .hasMessageContaining(WHY);
    }
  }

  private void assertCannotConnect(String host, CompletionStage<ChatClient> connecting) {
    assertThatThrownBy(() -> get(connecting))
        .cause()
        .isInstanceOf(CannotConnectException.class)
        .hasMessage("cannot connect to " + host + ":" + server.port() + ": " + WHY);
    assertThat(recorder.calls).isEmpty();
  }

  private CompletionStage<ChatClient> connect(String host, Duration within) {
    ClientOptions options = ClientOptions.defaults().withLoops(loops).withReturn(within);
    return ChatClient.connect(host, server.port(), recorder, options);
  }

  private Peer join(ChatClient client) throws Exception {
    CompletionStage<?> welcome = client.join("alice", 0);
    Peer peer = server.acceptAndWelcome(0);
    get(welcome);
    return peer;
  }

  private void shutDown() throws Exception {
    loops.shutdownGracefully(0, 1, TimeUnit.SECONDS).sync();
  }
}
