package simplechat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import simplechat.protocol.ClientMessage;
import simplechat.protocol.ClientMessage.Hello;
import simplechat.protocol.ErrorCode;
import simplechat.support.Audience;
import simplechat.support.BytePeer;
import simplechat.support.Figures;
import simplechat.support.Load;
import simplechat.support.Memory;
import simplechat.support.RawPeer;
import simplechat.support.RunningServer;
import simplechat.support.ServerProcess;
import simplechat.support.Together;

/** Groups B, C and J under load: what many do at once, while others chat. */
class LoadTest {
  private static final long MIB = 1024 * 1024;

  /** C11, C12, C20 and C21: a large room, from the first who come to all who ask who is there. */
  @Test
  void aLargeRoomStaysSmallAndQuick() {
    int members = Load.count(500, 10_000);
    int perSecond = 10;
    int seconds = Load.count(1, 180);
    try (ServerProcess server = ServerProcess.start("--port", "0", "--max-connections", "12000");
        Audience audience = new Audience(server.address())) {
      audience.join("first", 10);
      long before = server.residentBytes();
      long began = System.nanoTime();
      audience.join("m", members);
      long joined = System.nanoTime() - began;
      long each = (server.residentBytes() - before) / members;
      Figures.tell("C12", "%d members, %.1f KiB each".formatted(members, each / 1024.0), "16 KiB");
      Figures.tell("C20", members + " joined in " + Figures.millis(joined), "each JOINED once");
      audience.say(perSecond, 100, perSecond * seconds);
      audience.awaitTexts(perSecond * seconds);
      long p99 = audience.p99();
      long resident = server.residentBytes();
      Figures.tell(
          "C11",
          "%d members, %d texts/s for %d s: closed %s, p99 %s, resident %s"
              .formatted(
                  members,
                  perSecond,
                  seconds,
                  audience.closedBy(),
                  Figures.millis(p99),
                  Figures.mebibytes(resident)),
          "none, 250 ms, 512 MiB");
      began = System.nanoTime();
      int askers = Math.min(members, 1000);
      audience.askWhoIsThere(askers);
      Figures.tell(
          "C21",
          "%d have the roster of %d after %s, memory %s more"
              .formatted(
                  askers,
                  members + 10,
                  Figures.millis(System.nanoTime() - began),
                  Figures.mebibytes(server.residentBytes() - resident)),
          "16 MiB for 1 000");
      assertThat(each).isLessThan(Load.isFull() ? 16 * 1024 : 64 * 1024);
      assertThat(resident).isLessThan(512 * MIB);
      assertThat(Duration.ofNanos(p99)).isLessThan(Load.bound(Duration.ofMillis(250)));
      assertThat(audience.closedBy()).isEmpty();
      assertThat(audience.chains()).hasSize(1);
    }
  }

  /** B19 and J8: who sends what is of no use, or comes and goes where it is full, pays alone. */
  @Test
  void theBusyAndTheRefusedDisturbNobody() throws Exception {
    int members = 40;
    int texts = 200 * Load.count(1, 30);
    try (ServerProcess server =
            ServerProcess.start("--port", "0", "--max-connections", "" + (members + 4));
        Audience audience = new Audience(server.address());
        Together threads = new Together()) {
      audience.join("m", members);
      audience.say(200, 100, texts);
      long without = audience.p99();
      AtomicBoolean over = new AtomicBoolean();
      List<BytePeer> busy = new ArrayList<>();
      for (int i = 0; i < 4; i++) {
        BytePeer peer = BytePeer.connect(server.address());
        peer.send(RawPeer.bytesOf(new Hello("busy" + i, 0)));
        busy.add(peer);
      }
      byte[] useless = new byte[64 * 12];
      for (int i = 0; i < 64; i++) {
        System.arraycopy(RawPeer.bytesOf(new ClientMessage.Ping(i)), 0, useless, 12 * i, 8);
        useless[12 * i + 8] = 0x5F;
      }
      for (BytePeer peer : busy) {
        threads.run(() -> sendOn(peer, useless, over));
      }
      audience.say(200, 100, texts);
      long amongBusy = audience.p99();
      Figures.tell(
          "B19",
          "p99 %s, without %s".formatted(Figures.millis(amongBusy), Figures.millis(without)),
          "as without");
      over.set(true);
      busy.forEach(BytePeer::close);
      threads.join();
      over.set(false);
      List<BytePeer> in = new ArrayList<>();
      for (int i = 0; i < 4; i++) {
        in.add(BytePeer.connect(server.address()));
      }
      threads.run(() -> comeAndGo(server, over));
      audience.say(200, 100, texts);
      over.set(true);
      threads.join();
      long amongRefused = audience.p99();
      Figures.tell(
          "J8",
          "p99 %s, without %s".formatted(Figures.millis(amongRefused), Figures.millis(without)),
          "1.5 x");
      in.forEach(BytePeer::close);
      audience.awaitTexts(3 * texts);
      assertThat(audience.closedBy()).isEmpty();
      assertThat(audience.chains()).hasSize(1);
      assertThat(Duration.ofNanos(Math.max(amongBusy, amongRefused)))
          .isLessThan(Duration.ofSeconds(1));
    }
  }

  /** It is not read for long, because it reads no answer. */
  private static void sendOn(BytePeer peer, byte[] bytes, AtomicBoolean over) {
    try {
      while (!over.get()) {
        peer.send(bytes);
      }
    } catch (UncheckedIOException e) {
      assertThat(e).as("closed by the test").isNotNull();
    }
  }

  private static void comeAndGo(ServerProcess server, AtomicBoolean over) {
    while (!over.get()) {
      BytePeer.connect(server.address()).reset();
    }
  }

  /** J4: "500 silent or dribbling sockets all closed in time". */
  @Test
  void whoDoesNotJoinIsClosedAtTheDeadline() {
    int strangers = Load.count(100, 500);
    Duration deadline = Load.isFull() ? Duration.ofSeconds(10) : Duration.ofSeconds(1);
    try (RunningServer server = RunningServer.start(config -> config.joinTimeout(deadline))) {
      long began = System.nanoTime();
      List<RawPeer> peers = new ArrayList<>();
      for (int i = 0; i < strangers; i++) {
        RawPeer peer = server.connect();
        peer.sendBytes(Arrays.copyOf(RawPeer.bytesOf(new Hello("m", 0)), i % 10));
        peers.add(peer);
      }
      long connected = System.nanoTime() - began;
      while (!peers.get(0).hasNext(Duration.ofMillis(20))) {
        assertThat(System.nanoTime() - began).isLessThan(3 * deadline.toNanos());
      }
      long first = System.nanoTime() - began;
      for (RawPeer peer : peers) {
        peer.expectBye(ErrorCode.JOIN_TIMEOUT);
        peer.expectEof();
      }
      long last = System.nanoTime() - began;
      Figures.tell(
          "J4",
          "%d strangers told %s to %s after they came in %s"
              .formatted(
                  strangers,
                  Figures.millis(first),
                  Figures.millis(last),
                  Figures.millis(connected)),
          deadline.toSeconds() + " s, 10 % more or less");
      assertThat(first).isGreaterThan(deadline.toNanos() * 9 / 10);
      assertThat(last - connected).isLessThan(deadline.toNanos() * Load.count(20, 11) / 10);
    }
  }

  /** C19: who comes and goes leaves nothing. */
  @Test
  void comingsAndGoingsLeaveNothing() {
    int cycles = Load.count(600, 100_000);
    Duration window = Duration.ofMillis(10);
    try (RunningServer server =
        RunningServer.start(config -> config.maxPending(64).logBytes(MIB).resumeWindow(window))) {
      server.join("witness").close();
      server.awaitConnections(0);
      long before = Memory.heldBytes();
      for (int i = 0; i < cycles; i++) {
        BytePeer peer = BytePeer.connect(server.address());
        if (i % 3 > 0) {
          peer.send(RawPeer.bytesOf(new Hello("m" + i % 1000, 0)));
        }
        if (i % 3 == 1) {
          peer.send(RawPeer.bytesOf(new ClientMessage.Leave()));
          while (peer.frame("the end") != null) {
            // WELCOME, events, BYE.
          }
        }
        if (i % 2 == 0) {
          peer.reset();
        } else {
          peer.close();
        }
      }
      server.join("last").close();
      server.awaitConnections(0);
      server.awaitMembers(0);
      // The lost are forgotten once a second.
      long grown =
          await("memory given back")
              .until(() -> Memory.heldBytes() - before, more -> more < 6 * MIB);
      Figures.tell(
          "C19",
          "%d cycles, memory %s".formatted(cycles, Figures.mebibytes(Math.max(0, grown))),
          "5 MiB beside the log of 1 MiB");
    }
  }

  /** C18: without memory the process ends, and nobody is left hanging. */
  @Test
  void withoutMemoryItEnds() throws IOException {
    assumeTrue(Load.isFull(), "so many members take a while");
    String small = "-Xmx12m -XX:+ExitOnOutOfMemoryError";
    List<BytePeer> peers = new ArrayList<>();
    try (ServerProcess server =
        ServerProcess.start(
            Map.of("_JAVA_OPTIONS", small), "--port", "0", "--max-connections", "15000")) {
      var address = server.address();
      boolean ended = false;
      for (int i = 0; i < 15_000 && !ended; i++) {
        try {
          BytePeer peer = BytePeer.connect(address);
          peers.add(peer);
          peer.send(RawPeer.bytesOf(new Hello("m" + i, 0)));
        } catch (UncheckedIOException e) {
          ended = true;
        }
      }
      assertThat(ended).as("it has run out of memory").isTrue();
      long began = System.nanoTime();
      int status = server.exit();
      Figures.tell(
          "C18",
          "exit %d, %s after the first refusal among %d"
              .formatted(status, Figures.millis(System.nanoTime() - began), peers.size()),
          "not 0, 5 s");
      assertThat(status).isNotZero();
      assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(Duration.ofSeconds(5));
    } finally {
      peers.forEach(BytePeer::close);
    }
  }
}
