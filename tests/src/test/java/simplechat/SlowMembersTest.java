package simplechat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import simplechat.protocol.ClientMessage;
import simplechat.protocol.ErrorCode;
import simplechat.protocol.Limits;
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
import simplechat.support.TestTls;

/** Group C in numbers: a server in a process of its own, and members who read, or do not. */
class SlowMembersTest {
  private static final String[] PORT = {"--port", "0"};

  /** What would take more room than there is for answers which nobody reads. */
  private static final byte[] QUESTIONS =
      questions(Limits.CONTROL_MAX_BYTES * Load.count(160, 17) / 16);

  private static final String REFUSALS = "chat_refusals_total{reason=\"text_empty\"}";

  private static ServerProcess start(String... options) {
    List<String> all = new ArrayList<>(List.of(PORT));
    all.addAll(List.of(options));
    return ServerProcess.start(all.toArray(String[]::new));
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
      assertThat(Duration.ofNanos(with)).isLessThan(Load.asWithout(without));
      // What happens between two ticks counts from the one before.
      assertThat(first)
          .isGreaterThan(Duration.ofSeconds(Load.count(1, 30)).minusMillis(250).toNanos());
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
    try (ServerProcess server =
            start("--log-bytes", "2m", "--send-buffer", "4k", "--metrics-port", "0");
        Audience audience = new Audience(server.address())) {
      audience.join("m", 1);
      audience.joinDeaf("other", 1);
      fill(audience, 1);
      long alone = server.heldBytes();
      List<SocketChannel> deaf = audience.joinDeaf("deaf", stuck);
      fill(audience, 2);
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
      for (SocketChannel one : deaf) {
        one.write(ByteBuffer.wrap(QUESTIONS));
      }
      // Of a frame that was begun there may be some hundred bytes too.
      await("questions")
          .atMost(Duration.ofSeconds(20))
          .until(() -> server.metric(REFUSALS) >= 70.0 * stuck);
      long held = server.heldBytes() - alone;
      Figures.tell(
          "C8",
          Figures.mebibytes(held) + " more held with " + stuck + " stuck",
          Load.count(8, 16) + " MiB");
      assertThat(held).isLessThan(Load.count(8, 16) * 1024L * 1024);
      assertThat(Duration.ofNanos(joined)).isLessThan(Duration.ofMillis(500));
      assertThat(Duration.ofNanos(heard)).isLessThan(Duration.ofSeconds(1));
      late.close();
      for (SocketChannel one : deaf) {
        one.close();
      }
    }
  }

  /** C8 over TLS: there is a copy of what the socket does not take, and the state of TLS. */
  @Test
  void overTlsWhoIsStuckCostsSoMuch() throws IOException {
    int stuck = Load.count(100, 1000);
    List<String> options = new ArrayList<>(TestTls.options());
    options.addAll(List.of("--log-bytes", "2m", "--send-buffer", "4k", "--metrics-port", "0"));
    List<Socket> deaf = new ArrayList<>();
    int port = 0;
    try (ServerProcess server = start(options.toArray(String[]::new))) {
      port = server.address().getPort();
      TestTls.serve(port);
      RawPeer alice = RawPeer.connect(server.address());
      alice.join("alice");
      joinDeaf(server, deaf, 1);
      fill(alice);
      long alone = server.heldBytes();
      joinDeaf(server, deaf, stuck);
      fill(alice);
      long held = server.heldBytes() - alone;
      Figures.tell(
          "C8",
          "over TLS %.1f KiB more held for each of %d stuck"
              .formatted(held / 1024.0 / stuck, stuck),
          "48 KiB");
      // Less is chance: what the first has cost already, and what the allocator had at hand.
      assertThat(held / stuck).isLessThan(48L * 1024);
      alice.close();
    } finally {
      TestTls.close(port);
      for (Socket one : deaf) {
        one.close();
      }
    }
  }

  private static void joinDeaf(ServerProcess server, List<Socket> deaf, int count)
      throws IOException {
    for (int i = 0; i < count; i++) {
      Socket tcp = new Socket();
      deaf.add(tcp);
      tcp.setReceiveBufferSize(4096);
      tcp.connect(server.address());
      TestTls.handshake(tcp)
          .getOutputStream()
          .write(RawPeer.bytesOf(new ClientMessage.Hello("deaf" + deaf.size(), 0)));
    }
  }

  private static void fill(RawPeer alice) {
    for (int i = 0; i < 3000; i++) {
      alice.say("x".repeat(1000));
      int number = alice.sendNo();
      if (i % 100 == 99) {
        alice.await(Ack.class, ack -> ack.sendNo() == number);
      }
    }
  }

  private static byte[] questions(int answerBytes) {
    String refusal = "a text must not be blank";
    byte[] answer =
        RawPeer.bytesOf(new ServerMessage.Refused(ErrorCode.TEXT_EMPTY.number(), 1, refusal));
    byte[] question = RawPeer.bytesOf(new ClientMessage.Send(" "));
    ByteBuffer questions = ByteBuffer.allocate(answerBytes);
    for (int bytes = 0; bytes < answerBytes; bytes += answer.length) {
      questions.put(question);
    }
    return Arrays.copyOf(questions.array(), questions.position());
  }

  /** So much that the log turns over. */
  private static void fill(Audience audience, int times) {
    audience.say(100_000, 1000, 3000);
    audience.awaitTexts(times * 3000);
  }

  /** C6: who reads a byte now and then gets GAPs or is closed, and the log is as long as ever. */
  @Test
  void whoReadsAByteNowAndThenHoldsNeitherOthersNorTheLog() {
    int dribbling = Load.count(10, 50);
    int texts = Load.count(2000, 30_000);
    int perSecond = Load.count(2000, 600);
    long mib = 1024 * 1024;
    try (ServerProcess server =
            start("--log-bytes", "1m", "--send-buffer", "4k", "--metrics-port", "0");
        Audience audience = new Audience(server.address())) {
      audience.join("m", 20);
      List<RawPeer> dribblers = new ArrayList<>();
      for (int i = 0; i < dribbling; i++) {
        RawPeer peer = RawPeer.connect(server.address(), 4096);
        peer.join("dribbler" + i);
        dribblers.add(peer);
      }
      Thread speaker = new Thread(() -> audience.sayAsRead(perSecond, 1000, texts));
      speaker.start();
      double most = 0;
      List<RawPeer> closed = new ArrayList<>();
      while (speaker.isAlive()) {
        dribblers.stream()
            .filter(peer -> !closed.contains(peer))
            .forEach(peer -> dribble(peer, closed));
        most = Math.max(most, server.metric("chat_log_bytes"));
        LockSupport.parkNanos(Duration.ofMillis(100).toNanos());
      }
      audience.awaitTexts(texts);
      RawPeer last = RawPeer.connect(server.address());
      last.join("last");
      last.say("the end").await(Ack.class);
      int gaps = 0;
      for (RawPeer peer : dribblers) {
        if (!closed.contains(peer)) {
          gaps += reads("the end", peer, closed) && !peer.stream().lost().isEmpty() ? 1 : 0;
        }
      }
      Figures.tell(
          "C6",
          ("of %d who read a byte in 100 ms %d got GAPs, %d were closed; log at most %s;"
                  + " healthy: closed %s, GAPs %d")
              .formatted(
                  dribbling,
                  gaps,
                  closed.size(),
                  Figures.mebibytes((long) most),
                  audience.closedBy(),
                  audience.gaps()),
          "all, log of 1 MiB and a part, none, 0");
      assertThat(gaps + closed.size()).isEqualTo(dribbling);
      assertThat(most).isLessThan(2.0 * mib);
      assertThat(audience.closedBy()).isEmpty();
      assertThat(audience.gaps()).isZero();
      assertThat(audience.chains()).hasSize(1);
      last.close();
      dribblers.forEach(RawPeer::close);
    }
  }

  /** False if it was closed, of which it learns behind what it still had to read. */
  private static boolean reads(String text, RawPeer peer, List<RawPeer> closed) {
    try {
      peer.await(Msg.class, msg -> msg.text().equals(text));
      return true;
    } catch (AssertionError e) {
      assertThat(e).hasMessageMatching("(?s)the (stream ended|connection broke).*");
      closed.add(peer);
      return false;
    }
  }

  private static void dribble(RawPeer peer, List<RawPeer> closed) {
    try {
      peer.readBytes(1);
    } catch (AssertionError | UncheckedIOException e) {
      closed.add(peer);
    }
  }

  /** C9: among a hundred one never reads, and very much is said. */
  @Test
  void oneWhoNeverReadsTakesNothingFromNinetyNine() throws IOException {
    int healthy = Load.count(30, 99);
    int bytes = 16 * 1024;
    int texts = Load.count(200, 65_536);
    int perSecond = 300;
    try (ServerProcess server = start("--send-buffer", "64k");
        Audience audience = new Audience(server.address())) {
      audience.join("m", healthy);
      int before = Load.count(100, 3000);
      audience.say(perSecond, bytes, before);
      audience.awaitTexts(before);
      long without = audience.p99();
      List<SocketChannel> deaf = audience.joinDeaf("deaf", 1);
      audience.say(perSecond, bytes, texts);
      audience.awaitTexts(before + texts);
      long with = audience.p99();
      Figures.tell(
          "C9",
          "%s said to %d: p99 %s, without %s; closed %s, GAPs %d"
              .formatted(
                  Figures.mebibytes((long) bytes * texts),
                  healthy,
                  Figures.millis(with),
                  Figures.millis(without),
                  audience.closedBy(),
                  audience.gaps()),
          "p99 as without, none, 0");
      assertThat(audience.closedBy()).isEmpty();
      assertThat(audience.gaps()).isZero();
      assertThat(audience.chains()).hasSize(1);
      assertThat(Duration.ofNanos(with)).isLessThan(Load.asWithout(without));
      deaf.get(0).close();
    }
  }

  /** C10: a pause of the server is not held against anybody. */
  @Test
  void aPauseOfTheServerClosesNobody() {
    int members = Load.count(40, 200);
    int perSecond = Load.count(200, 500);
    Duration pause = Load.isFull() ? Duration.ofSeconds(5) : Duration.ofMillis(1500);
    // A machine that does other things too may itself pause for a while.
    String limit = pause.toMillis() / Load.count(2, 4) + "ms";
    try (ServerProcess server = start("--write-stall", limit, "--heartbeat", limit);
        Audience audience = new Audience(server.address())) {
      audience.speakWhenAsked(Load.isFull());
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
