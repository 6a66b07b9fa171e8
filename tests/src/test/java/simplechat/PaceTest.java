package simplechat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import simplechat.protocol.ServerMessage;
import simplechat.protocol.ServerMessage.Ack;
import simplechat.protocol.ServerMessage.Gap;
import simplechat.protocol.ServerMessage.Joined;
import simplechat.protocol.ServerMessage.Msg;
import simplechat.server.Inside;
import simplechat.support.Figures;
import simplechat.support.Load;
import simplechat.support.Memory;
import simplechat.support.RawPeer;
import simplechat.support.RunningServer;
import simplechat.support.Together;

/** Group C: those who speak are slowed down before anybody loses something. */
class PaceTest {
  private static final int MIB = 1024 * 1024;

  /** Who was waited for so long has nearly had the time that one alone gets. */
  private static final long RESTRAINT_NANOS = Duration.ofMillis(150).toNanos();

  /** C15: "accepted in the first 9 s: 130 +-7 ...; the rest waits in its socket and arrives". */
  @ParameterizedTest(name = "loops {0}")
  @ValueSource(ints = {1, 2})
  void aRateIsKeptByReadingMoreSlowly(int loops) {
    int faster = Load.count(10, 1);
    int rate = 10 * faster;
    long measuredNanos = Duration.ofSeconds(9).toNanos() / Load.count(9, 1);
    int texts = Load.count(600, 1000);
    int expected = (int) (4L * rate + rate * measuredNanos / 1_000_000_000L);
    // A busy machine may be half a second late.
    int tolerance = Load.count(50, 7);
    try (RunningServer server =
            RunningServer.start(
                config -> config.loops(loops).rate(rate).heartbeat(Duration.ofMillis(600)));
        Together threads = new Together()) {
      RawPeer witness = server.join("witness");
      RawPeer fast = server.join("fast");
      witness.await(ServerMessage.Joined.class);
      long before = Memory.directBytes();
      long began = System.nanoTime();
      threads.run(
          () -> {
            for (int i = 0; i < texts; i++) {
              fast.say("text " + i);
            }
          });
      int accepted = 0;
      int all = 0;
      long grown = 0;
      while (all < texts) {
        ServerMessage came = witness.next();
        if (came instanceof ServerMessage.Ping ping) {
          witness.send(new simplechat.protocol.ClientMessage.Pong(ping.opaque()));
          continue;
        }
        assertThat(((Msg) came).text()).isEqualTo("text " + all++);
        if (System.nanoTime() - began <= measuredNanos) {
          accepted = all;
          grown = Memory.directBytes() - before;
        }
      }
      threads.join();
      // Nobody was closed for the time in which it was not read.
      fast.await(Ack.class, ack -> ack.sendNo() == texts);
      Figures.tell(
          "C15",
          "accepted %d in %.0f s at %d/s, memory %s"
              .formatted(accepted, measuredNanos / 1e9, rate, Figures.mebibytes(grown)),
          (expected - tolerance) + ".." + (expected + tolerance) + ", 1 MiB");
      assertThat(accepted).isBetween(expected - tolerance, expected + tolerance);
      assertThat(grown).isLessThan(2L * MIB);
    }
  }

  private static RunningServer withSmallLog(int loops, int sendBufferBytes) {
    return RunningServer.start(
        config ->
            config.loops(loops).logBytes(4 * MIB).maxText(1024).sendBufferBytes(sendBufferBytes));
  }

  /**
   * C14: "the sender is read more slowly, 0 GAPs". On the room's loop and on another: what they
   * know of each other is late where the machine has much to do.
   */
  @ParameterizedTest(name = "loops {0}, another came first {1}")
  @CsvSource({"1, false", "2, false", "2, true"})
  void whoSpeaksFasterThanAllReadIsReadMoreSlowly(int loops, boolean anotherCameFirst) {
    int readers = 3;
    int texts = Load.count(6_000, 100_000);
    try (RunningServer server = withSmallLog(loops, 16 * 1024);
        Together threads = new Together()) {
      if (anotherCameFirst) {
        server.connect();
        server.awaitConnections(1);
      }
      RawPeer sender = server.join("sender");
      List<RawPeer> slow = new ArrayList<>();
      for (int i = 0; i < readers; i++) {
        RawPeer peer = server.connect(16 * 1024);
        peer.join("slow" + i);
        slow.add(peer);
      }
      for (RawPeer peer : slow) {
        threads.run(() -> readSlowly(peer, texts));
      }
      threads.run(
          () -> {
            String text = "x".repeat(1000);
            for (int i = 0; i < texts; i++) {
              sender.say(text);
            }
            sender.await(Ack.class, ack -> ack.sendNo() == texts);
          });
      threads.join();
      int gaps = slow.stream().mapToInt(peer -> peer.stream().lost().size()).sum();
      Figures.tell("C14", gaps + " GAPs of " + readers + " slow readers, " + texts + " texts", "0");
      boolean busy = !Load.isFull() && Inside.restrainedNanos(server.server()) > RESTRAINT_NANOS;
      // A machine that keeps one reader from running, while the others keep up, makes it the one
      // for whom they do not wait longer.
      long missing = slow.stream().filter(peer -> !peer.stream().lost().isEmpty()).count();
      assertThat(missing).as("readers with GAPs").isLessThanOrEqualTo(busy ? 1 : 0);
    }
  }

  /**
   * C14: "One lagging member holds senders back for at most 250 ms in any 10 s; after that it alone
   * gets a GAP."
   */
  @ParameterizedTest(name = "loops {0}")
  @ValueSource(ints = {1, 2})
  void oneWhoLagsHoldsTheOthersUpForAMomentOnly(int loops) {
    int texts = Load.count(12_000, 200_000);
    try (RunningServer server = withSmallLog(loops, 64 * 1024);
        Together threads = new Together()) {
      RawPeer sender = server.join("sender");
      List<RawPeer> fast = List.of(server.join("fast1"), server.join("fast2"));
      RawPeer slow = server.connect(16 * 1024);
      slow.join("slow");
      AtomicBoolean said = new AtomicBoolean();
      threads.run(() -> readSlowlyUntil(slow, said));
      Semaphore heard = new Semaphore(0);
      for (RawPeer peer : fast) {
        threads.run(
            () -> {
              while (!peer.await(Msg.class).text().equals("last")) {
                heard.release();
              }
            });
      }
      AtomicLong longest = new AtomicLong();
      threads.run(
          () -> {
            String text = "x".repeat(1000);
            for (int i = 1; i < texts; i++) {
              sender.say(text);
              if (i % 100 == 0) {
                int sent = i;
                sender.await(Ack.class, ack -> ack.sendNo() == sent);
                // They keep up also where the machine has much to do.
                await("the others").until(() -> heard.tryAcquire(100 * fast.size()));
                longest.accumulateAndGet(Inside.restrainedNanos(server.server()), Math::max);
              }
            }
            sender.say("last");
            sender.await(Ack.class, ack -> ack.sendNo() == texts);
            said.set(true);
          });
      threads.join();
      int gaps = slow.stream().lost().size();
      Figures.tell(
          "C14",
          "senders waited %s in 10 s, %d GAPs of the slow one, %d of the others"
              .formatted(
                  Figures.millis(longest.get()),
                  gaps,
                  fast.stream().mapToInt(peer -> peer.stream().lost().size()).sum()),
          "250 ms, some, 0");
      assertThat(longest.get()).isPositive().isLessThanOrEqualTo(250_000_000L);
      assertThat(gaps).as("GAPs of who lags").isPositive();
      assertThat(fast).allMatch(peer -> peer.stream().lost().isEmpty());
    }
  }

  /** C14, where those who speak do not keep up themselves: who listens is not to wait for them. */
  @ParameterizedTest(name = "loops {0}")
  @ValueSource(ints = {1, 2})
  void theOnlyOneWhoKeepsUpIsHeldUpForAMomentOnly(int loops) {
    int rounds = Load.count(40, 1_000);
    try (RunningServer server = withSmallLog(loops, 64 * 1024);
        Together threads = new Together()) {
      RawPeer listener = server.join("listener");
      AtomicBoolean said = new AtomicBoolean();
      List<RawPeer> speakers = new ArrayList<>();
      for (int i = 0; i < 2; i++) {
        RawPeer speaker = server.connect(16 * 1024);
        speaker.join("speaker" + i);
        threads.run(() -> readSlowlyUntil(speaker, said));
        speakers.add(speaker);
      }
      String text = "x".repeat(1000);
      long longest = 0;
      for (int round = 0; round < rounds; round++) {
        for (int i = 0; i < 200; i++) {
          speakers.get(i % 2).say(text);
        }
        for (int i = 0; i < 200; i++) {
          listener.await(Msg.class);
        }
        longest = Math.max(longest, Inside.restrainedNanos(server.server()));
      }
      said.set(true);
      threads.join();
      Figures.tell(
          "C14",
          "of those who speak all lag: they waited %s in 10 s".formatted(Figures.millis(longest)),
          "250 ms");
      assertThat(longest).isPositive().isLessThanOrEqualTo(250_000_000L);
      assertThat(listener.stream().lost()).as("GAPs of who listens").isEmpty();
    }
  }

  /**
   * C16, from the loops of those who speak to the room's: it may be late, and holds nobody's
   * memory.
   */
  @Test
  void whatIsOnItsWayToTheRoomHasABound() {
    int texts = 8_000;
    try (RunningServer server = withSmallLog(2, 64 * 1024);
        Together threads = new Together()) {
      List<RawPeer> speakers = List.of(server.join("here"), server.join("there"));
      speakers.forEach(speaker -> speaker.expectNothingOf(Joined.class));
      CompletableFuture<Void> late = new CompletableFuture<>();
      AtomicInteger said = new AtomicInteger();
      long before = Memory.directBytes();
      Inside.occupy(server.server(), late);
      for (RawPeer speaker : speakers) {
        threads.run(
            () -> {
              String text = "x".repeat(1000);
              for (int i = 0; i < texts; i++) {
                speaker.say(text);
                said.incrementAndGet();
              }
              speaker.await(Ack.class, ack -> ack.sendNo() == texts);
            });
      }
      AtomicInteger seen = new AtomicInteger(-1);
      await("no more is taken")
          .pollInterval(Duration.ofMillis(300))
          .until(() -> said.get() == seen.getAndSet(said.get()));
      long held = Memory.directBytes() - before;
      late.complete(null);
      threads.join();
      Figures.tell(
          "C16",
          "held for a room that is late: " + Figures.mebibytes(held),
          "128 reads of 32 KiB, and 1 MiB");
      // The first texts come one a read, if the machine has little time for who speaks.
      assertThat(held).isLessThanOrEqualTo(5 * MIB);
    }
  }

  private static void readSlowlyUntil(RawPeer peer, AtomicBoolean end) {
    while (!end.get()) {
      peer.next();
      // Slower where the one who speaks does not have the machine for itself.
      LockSupport.parkNanos(Load.count(2_000_000, 500_000));
    }
  }

  /** 4 MB/s, which is less than what one sender says. */
  private static void readSlowly(RawPeer peer, int texts) {
    long next = System.nanoTime();
    for (int i = 0; i < texts; ) {
      ServerMessage came = peer.next();
      i += came instanceof Msg ? 1 : 0;
      if (came instanceof Gap) {
        return;
      }
      next += 250_000;
      LockSupport.parkNanos(next - System.nanoTime());
    }
  }
}
