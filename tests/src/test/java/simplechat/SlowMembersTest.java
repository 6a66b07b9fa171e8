package simplechat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import simplechat.protocol.ServerMessage;
import simplechat.protocol.ServerMessage.Ack;
import simplechat.protocol.ServerMessage.Joined;
import simplechat.protocol.ServerMessage.Left;
import simplechat.protocol.ServerMessage.Msg;
import simplechat.support.Audience;
import simplechat.support.Figures;
import simplechat.support.Load;
import simplechat.support.RawPeer;
import simplechat.support.ServerProcess;

/** Group C in numbers: a server in a process of its own, and members who read, or do not. */
class SlowMembersTest {
  private static final String[] PORT = {"--port", "0"};

  private static ServerProcess start(String... options) {
    List<String> all = new ArrayList<>(List.of(PORT));
    all.addAll(List.of(options));
    return ServerProcess.start(all.toArray(String[]::new));
  }

  /** "As without": times 1.25 or 5 ms more. Where other things run too, only that it goes on. */
  private static void assertAsWithout(long with, long without) {
    long bound = Math.max(without * 5 / 4, without + 5_000_000);
    assertThat(Duration.ofNanos(with))
        .isLessThan(Load.isFull() ? Duration.ofNanos(bound) : Duration.ofSeconds(1));
  }

  /** C1, C5, C7 and C23: those who never read are closed in time, and nobody else notices. */
  @Test
  void whoNeverReadsIsClosedAndNobodyElseNotices() throws IOException {
    int healthy = Load.count(40, 200);
    int deaf = Load.count(20, 50);
    int perSecond = Load.count(200, 500);
    int seconds = Load.count(2, 75);
    String stall = Load.count(1, 30) + "s";
    try (ServerProcess server = start("--write-stall", stall, "--send-buffer", "4k");
        Audience audience = new Audience(server.address())) {
      audience.join("m", healthy);
      audience.say(perSecond, 256, perSecond * Load.count(1, 10));
      audience.awaitTexts(perSecond * Load.count(1, 10));
      long without = audience.p99();
      RawPeer watcher = RawPeer.connect(server.address());
      watcher.join("watcher");
      List<SocketChannel> stuck = audience.joinDeaf("deaf", deaf);
      for (int i = 0; i < deaf; i++) {
        watcher.await(Joined.class);
      }
      int texts = perSecond * seconds;
      long began = System.nanoTime();
      Thread speaker = new Thread(() -> audience.say(perSecond, 256, texts));
      speaker.start();
      long first = 0;
      long last = 0;
      for (int i = 0; i < deaf; i++) {
        Left left = watcher.await(Left.class);
        assertThat(left.why()).isEqualTo(ServerMessage.LeftWhy.SLOW);
        last = System.nanoTime() - began;
        first = i == 0 ? last : first;
      }
      await().atMost(Duration.ofMinutes(2)).until(() -> !speaker.isAlive());
      audience.awaitTexts(texts + perSecond * Load.count(1, 10));
      long with = audience.p99();
      Figures.tell(
          "C1",
          "p99 %s, without %s; %d of %d closed after %s to %s; healthy closed %s, GAPs %d"
              .formatted(
                  Figures.millis(with),
                  Figures.millis(without),
                  deaf,
                  deaf,
                  Figures.millis(first),
                  Figures.millis(last),
                  audience.closedBy(),
                  audience.gaps()),
          "p99 as without, write stall " + stall + " + 10 %, none, 0");
      assertThat(audience.closedBy()).isEmpty();
      assertThat(audience.gaps()).isZero();
      assertThat(audience.chains()).hasSize(1);
      assertAsWithout(with, without);
      assertThat(first).isGreaterThan(Duration.ofSeconds(Load.count(1, 30)).toNanos());
      watcher.close();
      for (SocketChannel one : stuck) {
        one.close();
      }
    }
  }

  /** C2: who pauses and goes on, always inside the log, misses nothing. */
  @Test
  void whoPausesNowAndThenMissesNothing() {
    int pausing = Load.count(20, 50);
    int rounds = Load.count(3, 10);
    Duration pause = Load.isFull() ? Duration.ofSeconds(3) : Duration.ofMillis(250);
    int perSecond = 300;
    try (ServerProcess server = start("--send-buffer", "4k");
        Audience audience = new Audience(server.address())) {
      audience.join("m", 12).join("pausing", pausing);
      int texts = (int) (2 * pause.toMillis() * rounds * perSecond / 1000);
      Thread speaker = new Thread(() -> audience.say(perSecond, 256, texts));
      speaker.start();
      for (int i = 0; i < rounds; i++) {
        audience.pause(pausing, true);
        LockSupport.parkNanos(pause.toNanos());
        audience.pause(pausing, false);
        LockSupport.parkNanos(pause.toNanos());
      }
      await().atMost(Duration.ofMinutes(1)).until(() -> !speaker.isAlive());
      audience.awaitTexts(texts);
      Figures.tell(
          "C2",
          "%d closed, %d GAPs, %d chain of %d texts"
              .formatted(
                  audience.closedBy().size(), audience.gaps(), audience.chains().size(), texts),
          "0, 0, 1");
      assertThat(audience.closedBy()).isEmpty();
      assertThat(audience.gaps()).isZero();
      assertThat(audience.chains()).hasSize(1);
    }
  }

  /** C7 and C8: a room in which nobody reads takes a new member, and little memory. */
  @Test
  void amongManyWhoAreStuckANewMemberFeelsAtHome() throws IOException {
    int stuck = Load.count(300, 2000);
    try (ServerProcess server = start("--log-bytes", "2m", "--send-buffer", "4k");
        Audience audience = new Audience(server.address())) {
      audience.join("m", 1);
      fill(audience, 1);
      long alone = server.residentBytes();
      List<SocketChannel> deaf = audience.joinDeaf("deaf", stuck);
      fill(audience, 2);
      long held = server.residentBytes() - alone;
      long began = System.nanoTime();
      RawPeer late = RawPeer.connect(server.address());
      late.join("late");
      long joined = System.nanoTime() - began;
      began = System.nanoTime();
      audience.say(1000, 20, 1);
      late.await(Msg.class);
      long heard = System.nanoTime() - began;
      Figures.tell(
          "C7",
          "among %d stuck: welcomed after %s, next text after %s"
              .formatted(stuck, Figures.millis(joined), Figures.millis(heard)),
          "500 ms, 1 s");
      Figures.tell(
          "C8", Figures.mebibytes(held) + " more resident with " + stuck + " stuck", "16 MiB");
      assertThat(Duration.ofNanos(joined)).isLessThan(Duration.ofMillis(500));
      assertThat(Duration.ofNanos(heard)).isLessThan(Duration.ofSeconds(1));
      late.close();
      for (SocketChannel one : deaf) {
        one.close();
      }
    }
  }

  /** So much that the log turns over. */
  private static void fill(Audience audience, int times) {
    audience.say(100_000, 1000, 3000);
    audience.awaitTexts(times * 3000);
  }

  /** C10: a pause of the server is not held against anybody. */
  @Test
  void aPauseOfTheServerClosesNobody() {
    int members = Load.count(40, 200);
    int perSecond = Load.count(200, 500);
    Duration pause = Load.isFull() ? Duration.ofSeconds(5) : Duration.ofMillis(1500);
    String limit = pause.toMillis() / 2 + "ms";
    try (ServerProcess server = start("--write-stall", limit, "--heartbeat", limit);
        Audience audience = new Audience(server.address())) {
      audience.join("m", members);
      int texts = perSecond * Load.count(2, 15);
      Thread speaker = new Thread(() -> audience.say(perSecond, 256, texts));
      speaker.start();
      LockSupport.parkNanos(Duration.ofMillis(300).toNanos());
      server.signal("STOP");
      LockSupport.parkNanos(pause.toNanos());
      server.signal("CONT");
      await().atMost(Duration.ofMinutes(1)).until(() -> !speaker.isAlive());
      audience.awaitTexts(texts);
      Figures.tell(
          "C10",
          "stopped for %s, limits %s: closed %s, %d chain of %d texts"
              .formatted(
                  Figures.millis(pause.toNanos()),
                  limit,
                  audience.closedBy(),
                  audience.chains().size(),
                  texts),
          "none, 1 chain");
      assertThat(audience.closedBy()).isEmpty();
      assertThat(audience.chains()).hasSize(1);
    }
  }

  /** C13: what one pastes all arrives, and others are heard meanwhile. */
  @Test
  void aPasteOfTenThousandTextsHoldsNobodyUp() {
    int pasted = 10_000;
    try (ServerProcess server = start();
        Audience audience = new Audience(server.address())) {
      // Few, because they are read by one thread, which the paste keeps busy too.
      audience.join("m", 12);
      audience.say(200, 40, 200);
      long without = audience.p99();
      RawPeer paster = RawPeer.connect(server.address());
      paster.join("paster");
      String[] texts = new String[pasted];
      for (int i = 0; i < pasted; i++) {
        texts[i] = "line " + i;
      }
      Thread paste = new Thread(() -> paster.say(texts));
      paste.start();
      audience.say(200, 40, 200);
      paster.await(Ack.class, ack -> ack.sendNo() == pasted);
      audience.awaitTexts(pasted + 400);
      long with = audience.p99();
      Figures.tell(
          "C13",
          "p99 of the others %s, without %s"
              .formatted(Figures.millis(with), Figures.millis(without)),
          "50 ms");
      assertThat(audience.chains()).hasSize(1);
      assertThat(Duration.ofNanos(with)).isLessThan(Load.bound(Duration.ofMillis(50)));
      paster.close();
    }
  }
}
