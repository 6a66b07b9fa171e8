package simplechat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import simplechat.protocol.ClientMessage;
import simplechat.protocol.ClientMessage.Hello;
import simplechat.protocol.ErrorCode;
import simplechat.protocol.MessageType;
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

  /** B18, B19 and J8: who is of no use, reads nothing, or comes where it is full, pays alone. */
  @Test
  void theBusyTheDeafAndTheRefusedDisturbNobody() throws Exception {
    int members = 40;
    int texts = 200 * Load.count(1, 30);
    try (ServerProcess server =
            ServerProcess.start("--port", "0", "--max-connections", "" + (members + 4));
        Audience audience = new Audience(server.address());
        Together threads = new Together()) {
      audience.join("m", members);
      audience.say(200, 100, texts);
      long without = audience.p99();
      String asWithout = "without " + Figures.millis(without) + ", times 1.25 or 5 ms more";
      Runnable talk = () -> audience.say(200, 100, texts);
      during(server, threads, repeat(RawPeer.bytesOf(new ClientMessage.Ping(1))), talk);
      long amongDeaf = audience.p99();
      Figures.tell(
          "B18", "p99 " + Figures.millis(amongDeaf) + " among who ask and never read", asWithout);
      during(server, threads, repeat(new byte[] {0x5F, 0, 0, 0}), talk);
      long amongBusy = audience.p99();
      Figures.tell("B19", "p99 " + Figures.millis(amongBusy) + " among useless frames", asWithout);
      List<BytePeer> in = new ArrayList<>();
      for (int i = 0; i < 4; i++) {
        in.add(BytePeer.connect(server.address()));
      }
      AtomicBoolean over = new AtomicBoolean();
      threads.run(() -> comeAndGo(server, over));
      talk.run();
      over.set(true);
      threads.join();
      long amongRefused = audience.p99();
      Figures.tell(
          "J8",
          "p99 %s, without %s".formatted(Figures.millis(amongRefused), Figures.millis(without)),
          "1.5 x or 5 ms more");
      in.forEach(BytePeer::close);
      audience.awaitTexts(4 * texts);
      assertThat(audience.closedBy()).isEmpty();
      assertThat(audience.chains()).hasSize(1);
      assertThat(Duration.ofNanos(amongDeaf)).isLessThan(Load.asWithout(without));
      assertThat(Duration.ofNanos(amongBusy)).isLessThan(Load.asWithout(without));
      assertThat(Duration.ofNanos(amongRefused)).isLessThan(Load.asWithout(without, 1.5));
    }
  }

  private static byte[] repeat(byte[] frame) {
    byte[] many = new byte[64 * frame.length];
    for (int i = 0; i < many.length; i++) {
      many[i] = frame[i % frame.length];
    }
    return many;
  }

  /** Four members send these frames all the time, and read nothing. */
  private static void during(ServerProcess server, Together threads, byte[] frames, Runnable talk) {
    AtomicBoolean over = new AtomicBoolean();
    List<BytePeer> senders = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      byte[] hello = RawPeer.bytesOf(new Hello("sender" + i, 0));
      // Those before may not be gone yet, and then the server is full.
      senders.add(await().until(() -> welcomed(server, hello), Objects::nonNull));
    }
    for (BytePeer peer : senders) {
      threads.run(() -> sendOn(peer, frames, over));
    }
    talk.run();
    over.set(true);
    senders.forEach(BytePeer::close);
    threads.join();
  }

  private static @Nullable BytePeer welcomed(ServerProcess server, byte[] hello) {
    BytePeer peer = BytePeer.connect(server.address());
    peer.send(hello);
    byte[] answer = peer.frame("an answer to HELLO");
    if (answer != null && answer[0] == (byte) MessageType.WELCOME.code()) {
      return peer;
    }
    peer.close();
    return null;
  }

  /** It is not read for long if it reads no answer. */
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

  /** C17: what the launcher gives is enough for many who take nothing among more who do. */
  @Test
  void theMemoryThatTheLauncherGivesIsEnough() throws IOException {
    int reading = Load.count(270, 4500);
    int stuck = Load.count(30, 500);
    int texts = 20 * Load.count(1, 300);
    String memory = "-Xmn8m -Xmx256m -XX:MaxDirectMemorySize=128m -XX:+ExitOnOutOfMemoryError";
    try (ServerProcess server =
            ServerProcess.start(
                Map.of("_JAVA_OPTIONS", memory),
                "--port",
                "0",
                "--log-bytes",
                "1m",
                "--write-stall",
                "10m",
                "--heartbeat",
                "10m");
        Audience audience = new Audience(server.address())) {
      audience.join("m", reading);
      List<SocketChannel> deaf = audience.joinDeaf("deaf", stuck);
      // They are stuck, and the log has turned over.
      audience.sayAsRead(1000, 1000, 1500);
      audience.p99();
      audience.say(20, 256, texts);
      audience.awaitTexts(1500 + texts);
      long resident = server.residentBytes();
      Figures.tell(
          "C17",
          "%d members, %d of them stuck, %d texts: closed %s, p99 %s, resident %s"
              .formatted(
                  reading + stuck,
                  stuck,
                  texts,
                  audience.closedBy(),
                  Figures.millis(audience.p99()),
                  Figures.mebibytes(resident)),
          "no end of memory, 512 MiB");
      assertThat(audience.closedBy()).isEmpty();
      assertThat(audience.chains()).hasSize(1);
      assertThat(resident).isLessThan(512 * MIB);
      for (SocketChannel one : deaf) {
        one.close();
      }
    }
  }

  /** C18: without memory the process ends, and nobody is left hanging. */
  @Test
  void withoutMemoryItEnds() throws IOException {
    int heap = Load.count(12, 40);
    List<SocketChannel> peers = new ArrayList<>();
    AtomicInteger ended = new AtomicInteger();
    Selector selector = Selector.open();
    try (Together threads = new Together();
        ServerProcess server =
            ServerProcess.start(
                Map.of(
                    "_JAVA_OPTIONS",
                    "-Xmx" + heap + "m -XX:MaxDirectMemorySize=128m -XX:+ExitOnOutOfMemoryError"),
                "--port",
                "0",
                "--max-connections",
                "19800",
                "--max-pending",
                "19800",
                "--join-timeout",
                "10m",
                "--write-stall",
                "10m",
                "--heartbeat",
                "10m")) {
      // Who does not read may be forgotten by a kernel that has too much to keep for it.
      threads.run(
          () -> {
            readOn(selector, ended);
            return null;
          });
      InetSocketAddress address = server.address();
      long refused = 0;
      for (int i = 0; i < 19_800 && refused == 0; i++) {
        try {
          SocketChannel peer = SocketChannel.open(address);
          peers.add(peer);
          // A member takes more than a stranger; there are descriptors for so many alone.
          if (Load.isFull()) {
            peer.write(ByteBuffer.wrap(RawPeer.bytesOf(new Hello("m" + i, 0))));
          }
          peer.configureBlocking(false);
          peer.register(selector, SelectionKey.OP_READ);
        } catch (IOException e) {
          refused = System.nanoTime();
        }
      }
      int status = server.exit();
      long took = refused == 0 ? 0 : System.nanoTime() - refused;
      Figures.tell(
          "C18",
          "heap of %d MiB: exit %d, %s after the first refusal among %d"
              .formatted(heap, status, Figures.millis(took), peers.size()),
          "not 0, 5 s");
      assertThat(status).isNotZero();
      assertThat(Duration.ofNanos(took)).isLessThan(Duration.ofSeconds(5));
      // The kernel forgets in silence whom the server had not accepted yet.
      await("all see the end")
          .atMost(Duration.ofSeconds(15))
          .until(() -> peers.size() - ended.get() <= Load.count(0, 100));
    } finally {
      selector.close();
      for (SocketChannel peer : peers) {
        peer.close();
      }
    }
  }

  /** Takes what comes until the selector is closed, and counts who sees an end. */
  private static void readOn(Selector selector, AtomicInteger ended) throws IOException {
    ByteBuffer in = ByteBuffer.allocate(64 * 1024);
    while (selector.isOpen()) {
      selector.select(
          key -> {
            try {
              if (((SocketChannel) key.channel()).read(in.clear()) >= 0) {
                return;
              }
            } catch (IOException e) {
              // A reset is an end too.
            }
            key.cancel();
            ended.incrementAndGet();
          },
          100);
    }
  }
}
