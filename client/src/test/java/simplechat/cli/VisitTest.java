package simplechat.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import simplechat.client.ClientOptions;
import simplechat.client.ScriptedServer;
import simplechat.client.ScriptedServer.Peer;
import simplechat.protocol.ClientMessage;
import simplechat.protocol.ErrorCode;
import simplechat.protocol.ServerMessage;

/** Ways in which a door stays closed, each said in one line. */
@Tag("slow")
class VisitTest {
  private ScriptedServer server;

  @BeforeEach
  void listen() throws Exception {
    server = new ScriptedServer();
  }

  @AfterEach
  void stop() throws Exception {
    server.close();
  }

  /** All of it is over within ten seconds: the time to connect, and then that to join. */
  @Test
  void aServerThatSaysNothingIsNotWaitedForLong() throws Exception {
    assertThat(Visit.PIPE.connectTimeout().plus(Visit.PIPE.joinTimeout())).hasSeconds(9);
    ClientOptions impatient =
        Visit.PIPE.withTimeouts(Duration.ofSeconds(4), Duration.ofMillis(200));
    try (PipedVisit visit = new PipedVisit(server.port(), impatient, false, null);
        Peer peer = server.accept()) {
      peer.expect(ClientMessage.Hello.class);
      assertThat(visit.exitCode()).isEqualTo(1);
      assertThat(visit.out()).isEmpty();
      assertThat(visit.err())
          .isEqualTo("cannot join at 127.0.0.1:" + server.port() + ": no answer to the join\n");
    }
  }

  @Test
  void aServerOfAnotherVersionIsNamedWithIts() throws Exception {
    assertThat(atTheDoor(ErrorCode.UNSUPPORTED_VERSION, 1))
        .isEqualTo("127.0.0.1:%d speaks another version of the protocol: why\n", server.port());
  }

  @Test
  void aServerThatShutsDownLetsNobodyIn() throws Exception {
    assertThat(atTheDoor(ErrorCode.SHUTDOWN, 1)).isEqualTo("server is shutting down\n");
  }

  @Test
  void aFullServerRefuses() throws Exception {
    assertThat(atTheDoor(ErrorCode.SERVER_FULL, 3)).isEqualTo("the server is full: why\n");
  }

  /** By another clock: half a minute, again after each confirmation, and no more. */
  @Test
  void aPipeIsWaitedForAsLongAsConfirmationsCome() throws Exception {
    AtomicLong seconds = new AtomicLong();
    LongSupplier clock = () -> TimeUnit.SECONDS.toNanos(seconds.get());
    try (PipedVisit visit = new PipedVisit(server.port(), Visit.PIPE, true, null, clock);
        Peer peer = server.accept()) {
      peer.expect(ClientMessage.Hello.class);
      peer.welcome("alice", 0, 0);
      visit.type("send one\nsend two\nsend three\n");
      visit.endInput();
      for (int i = 0; i < 3; i++) {
        peer.expect(ClientMessage.Send.class);
      }
      peer.expect(ClientMessage.Leave.class);
      for (int confirmed = 1; confirmed < 3; confirmed++) {
        seconds.addAndGet(29);
        assertThat(visit.endsWithin(100)).isFalse();
        peer.send(new ServerMessage.Ack(confirmed - 1, confirmed));
        String position = "\"sent\",\"position\":" + (confirmed - 1) + ",";
        await().untilAsserted(() -> assertThat(visit.out()).contains(position));
      }
      seconds.addAndGet(29);
      assertThat(visit.endsWithin(100)).isFalse();
      // It may have seen the last confirmation only at the time that it is by now.
      seconds.addAndGet(31);
      assertThat(visit.exitCode()).isEqualTo(1);
      assertThat(visit.err()).isEqualTo("* the server does not answer\nnot confirmed: three\n");
    }
  }

  /** It may take longer than a person at a terminal would wait. */
  @Test
  void whoReadsAPipeLateGetsAllOfIt() throws Exception {
    try (PipedVisit visit = new PipedVisit(server.port(), Visit.PIPE, false, null);
        Peer peer = server.accept()) {
      peer.expect(ClientMessage.Hello.class);
      visit.hold();
      peer.welcome("alice", 0, 0);
      peer.send(new ServerMessage.Msg(0, 1, "bob", "the last word"));
      visit.type("leave\n");
      peer.expect(ClientMessage.Leave.class);
      peer.bye(0);
      peer.expectFin();
      assertThat(visit.endsWithin(1_700)).isFalse();
      visit.release();
      assertThat(visit.exitCode()).isZero();
      assertThat(visit.out()).contains("bob: the last word\n").endsWith("left the chat\n");
    }
  }

  /** Neither is kept in memory meanwhile, nor lost. */
  @Test
  void whatANearlyStuckPipeHasNotReadWaitsAtTheServerAlsoBehindALeave() throws Exception {
    int texts = 20_000;
    try (PipedVisit visit = new PipedVisit(server.port(), Visit.PIPE, false, null);
        Peer peer = server.accept()) {
      peer.expect(ClientMessage.Hello.class);
      visit.hold();
      peer.welcome("alice", 0, 0);
      visit.type("leave\n");
      peer.expect(ClientMessage.Leave.class);
      String text = "x".repeat(1_000);
      AtomicInteger said = new AtomicInteger();
      CompletableFuture<@Nullable Void> flood =
          CompletableFuture.runAsync(
              () -> {
                try {
                  for (int i = 0; i < texts; i++) {
                    peer.send(new ServerMessage.Msg(i, 1, "bob", text));
                    said.set(i);
                  }
                  peer.bye(0);
                } catch (IOException e) {
                  throw new UncheckedIOException(e);
                }
              });
      AtomicInteger before = new AtomicInteger(-1);
      await()
          .pollInterval(Duration.ofSeconds(1))
          .atMost(Duration.ofMinutes(1))
          .until(() -> flood.isDone() || before.getAndSet(said.get()) == said.get());
      assertThat(flood).isNotDone();
      visit.release();
      assertThat(visit.exitCode()).isZero();
      assertThat(visit.out().lines().filter(line -> line.endsWith(text)).count()).isEqualTo(texts);
    }
  }

  /** Half a minute by another clock is enough: it is not waited for a second time at the end. */
  @Test
  void whoReadsNothingOfAPipeIsWaitedForOnce() throws Exception {
    AtomicLong seconds = new AtomicLong();
    LongSupplier clock = () -> TimeUnit.SECONDS.toNanos(seconds.get());
    try (PipedVisit visit = new PipedVisit(server.port(), Visit.PIPE, false, null, clock);
        Peer peer = server.accept()) {
      peer.expect(ClientMessage.Hello.class);
      visit.hold();
      peer.welcome("alice", 0, 0);
      String text = "x".repeat(1_000);
      for (int i = 0; i < 1_000; i++) {
        peer.send(new ServerMessage.Msg(i, 1, "bob", text));
      }
      visit.endInput();
      peer.expect(ClientMessage.Leave.class);
      seconds.addAndGet(29);
      assertThat(visit.endsWithin(500)).isFalse();
      seconds.addAndGet(31);
      assertThat(visit.exitCode()).isEqualTo(1);
      assertThat(visit.err()).contains("* nobody reads the output\n");
    }
  }

  /** What is said to somebody who is sent away with this code. */
  private String atTheDoor(ErrorCode code, int exitCode) throws Exception {
    try (PipedVisit visit = new PipedVisit(server.port(), Visit.PIPE, false, null);
        Peer peer = server.accept()) {
      peer.expect(ClientMessage.Hello.class);
      peer.send(new ServerMessage.Bye(code.number(), 3, "why"));
      assertThat(visit.exitCode()).isEqualTo(exitCode);
      assertThat(visit.out()).isEmpty();
      return visit.err();
    }
  }
}
