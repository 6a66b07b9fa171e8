package simplechat.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import simplechat.protocol.ClientMessage;
import simplechat.protocol.ClientMessage.Hello;
import simplechat.protocol.ErrorCode;
import simplechat.protocol.ServerMessage;
import simplechat.protocol.ServerMessage.Ack;
import simplechat.protocol.ServerMessage.Event;
import simplechat.protocol.ServerMessage.Msg;
import simplechat.status.ServerMetrics;
import simplechat.support.RawPeer;
import simplechat.support.RunningServer;
import simplechat.support.Shape;

/** What the server says of itself is what happened. */
class MetricsTest {
  private static final int SMALL_BUFFER_BYTES = 4096;
  private static final String END = "the end";

  @ParameterizedTest
  @EnumSource
  void everyEndAndRefusalIsCountedByItsReason(Shape shape) {
    try (RunningServer server =
        RunningServer.start(config -> shape.apply(config).joinTimeout(Duration.ofSeconds(1)))) {
      // Who has been told goes at once, or the server would wait for it.
      RawPeer late = server.connect();
      late.expectBye(ErrorCode.JOIN_TIMEOUT);
      late.close();
      RawPeer alice = server.join("alice");
      RawPeer other = server.connect();
      other.send(new Hello("alice", 0)).expectError(ErrorCode.NAME_TAKEN, 0);
      other.join("bob");
      other.say("").expectError(ErrorCode.TEXT_EMPTY, 1);
      other.send(new ClientMessage.Leave()).readToEnd();
      other.close();
      RawPeer stranger = server.connect();
      stranger.sendHex("474554").expectBye(ErrorCode.NOT_CHAT);
      stranger.close();
      server.join("carol").reset();
      server.join("dave").close();
      server.connect().join(RawPeer.resumeOf(alice, alice.stream().welcome().next()));
      alice.readToEnd();
      alice.close();
      server.awaitMembers(1);
      server.awaitConnections(1);

      ServerMetrics metrics = server.metrics();
      assertThat(some(metrics.connections().closed()))
          .containsExactly(
              Map.entry("join_timeout", 1L),
              Map.entry("left", 1L),
              Map.entry("lost", 2L),
              Map.entry("not_chat", 1L),
              Map.entry("replaced", 1L));
      assertThat(some(metrics.connections().refused()))
          .containsExactly(Map.entry("name_taken", 1L), Map.entry("text_empty", 1L));
      assertThat(metrics.connections().opened()).isEqualTo(7);
      assertThat(metrics.room().joins()).isEqualTo(4);
      assertThat(metrics.room().returns()).isEqualTo(1);
      assertThat(metrics.room().members()).isEqualTo(1);
      assertThat(metrics.room().away()).isEqualTo(2);
      assertThat(metrics.room().tokens()).isEqualTo(3);
    }
  }

  @ParameterizedTest
  @EnumSource
  void everyDeliveryAndByteIsCountedOnce(Shape shape) {
    try (RunningServer server = RunningServer.start(shape::apply)) {
      List<RawPeer> peers = new ArrayList<>();
      for (int i = 0; i < 10; i++) {
        peers.add(server.join("m" + i));
      }
      for (int round = 0; round < 100; round++) {
        peers.get(round % 3).say("text " + round);
        peers.get(round % 4).say("one", "two");
      }
      long events = 0;
      for (RawPeer speaker : peers.subList(0, 4)) {
        events += read(speaker, it -> it instanceof Ack ack && ack.sendNo() == speaker.sendNo());
      }
      RawPeer last = server.join("last");
      last.say(END).await(Ack.class);
      events += peers.stream().mapToLong(MetricsTest::drain).sum();
      peers.add(last);
      ServerMetrics metrics = server.metrics();
      assertThat(metrics.traffic().deliveries()).isEqualTo(events);
      assertThat(metrics.traffic().bytesOut())
          .isEqualTo(peers.stream().mapToLong(RawPeer::receivedBytes).sum());
      assertThat(metrics.traffic().bytesIn()).isPositive();
      assertThat(metrics.room().messages()).isEqualTo(301);
      assertThat(metrics.room().logEnd() - metrics.room().logStart()).isEqualTo(301 + 11);
      assertThat(metrics.lag()).isEqualTo(new ServerMetrics.Lag(0, 0));
    }
  }

  @ParameterizedTest
  @EnumSource
  void lagGapsAndWhatWasMissedAreCounted(Shape shape) {
    try (RunningServer server =
        RunningServer.start(
            config ->
                shape
                    .apply(config)
                    .logBytes(64 << 10)
                    .maxText(1024)
                    .sendBufferBytes(SMALL_BUFFER_BYTES))) {
      RawPeer alice = server.join("alice");
      RawPeer slow = server.connect(SMALL_BUFFER_BYTES);
      slow.join("slow");
      for (int i = 1; i <= 500; i++) {
        alice.say("x".repeat(500));
        alice.await(Ack.class);
      }
      ServerMetrics lagging = server.metrics();
      assertThat(lagging.lag().slowestBytes()).isBetween(32L << 10, 64L << 10);
      assertThat(lagging.lag().p99Bytes()).isEqualTo(lagging.lag().slowestBytes());
      assertThat(lagging.room().logBytes()).isLessThanOrEqualTo(64 << 10);
      alice.say(END).await(Ack.class);
      drain(slow);
      ServerMetrics metrics = server.metrics();
      assertThat(metrics.traffic().gaps()).isEqualTo(slow.stream().lost().size()).isPositive();
      assertThat(metrics.traffic().missed())
          .isEqualTo(slow.stream().lost().stream().mapToLong(lost -> lost.missed()).sum());
      assertThat(metrics.lag().slowestBytes()).isZero();
      // Each message went to the one who did not say it or is missed; and a JOINED came before.
      assertThat(metrics.traffic().deliveries() + metrics.traffic().missed()).isEqualTo(501 + 1);
    }
  }

  @ParameterizedTest
  @EnumSource
  void whoLagsIsHeldByTheKernelIfItDecidesHowMuch(Shape shape) {
    try (RunningServer server =
        RunningServer.start(
            config -> shape.apply(config).logBytes(64 << 10).maxText(1024).sendBufferBytes(0))) {
      RawPeer alice = server.join("alice");
      server.connect(SMALL_BUFFER_BYTES).join("slow");
      for (int i = 1; i <= 500; i++) {
        alice.say("x".repeat(500));
        alice.await(Ack.class);
      }
      ServerMetrics metrics = server.metrics();
      assertThat(metrics.traffic().gaps()).isZero();
      assertThat(metrics.lag().slowestBytes()).isZero();
    }
  }

  @Test
  void aLoopThatIsHeldUpShowsInItsDelay() {
    try (RunningServer server = RunningServer.start()) {
      long before = late(server.metrics());
      CompletableFuture.runAsync(
              () -> {
                long until = System.nanoTime() + Duration.ofMillis(900).toNanos();
                while (System.nanoTime() < until) {
                  Thread.onSpinWait();
                }
              },
              server.server().roomLoop().eventLoop())
          .join();
      await().until(() -> late(server.metrics()) > before);
    }
  }

  /** Reads up to the last text; returns how many events that is. */
  private static long drain(RawPeer peer) {
    return read(peer, message -> message instanceof Msg msg && msg.text().equals(END));
  }

  private static long read(RawPeer peer, Predicate<ServerMessage> last) {
    long events = 0;
    while (true) {
      ServerMessage message = peer.next();
      events += message instanceof Event ? 1 : 0;
      if (last.test(message)) {
        return events;
      }
    }
  }

  private static Map<String, Long> some(Map<String, Long> counts) {
    Map<String, Long> some = new TreeMap<>(counts);
    some.values().removeIf(count -> count == 0);
    return some;
  }

  private static long late(ServerMetrics metrics) {
    List<Long> counts = metrics.loopDelay().counts();
    return counts.subList(4, counts.size()).stream().mapToLong(Long::longValue).sum();
  }
}
