package simplechat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import simplechat.protocol.ClientMessage;
import simplechat.protocol.ErrorCode;
import simplechat.protocol.MessageType;
import simplechat.protocol.ServerMessage.Ack;
import simplechat.protocol.ServerMessage.Msg;
import simplechat.support.BytePeer;
import simplechat.support.Figures;
import simplechat.support.Load;
import simplechat.support.RawPeer;
import simplechat.support.ServerProcess;

/** J2 and J3: what a server does that may open too few files for all who come. */
class DescriptorsTest {
  private static final Duration WATCHED =
      Load.isFull() ? Duration.ofSeconds(30) : Duration.ofSeconds(1);

  @Test
  void theLimitIsLoweredToWhatTheSystemAllows() {
    try (ServerProcess server = ServerProcess.startAfter("ulimit -n 300", "--port", "0")) {
      server.address();
      assertThat(server.signal("TERM").exit()).isZero();
      assertThat(server.err())
          .singleElement()
          .asString()
          .contains("WARN", "max-connections", "10000", "172", "300");
    }
    try (ServerProcess server = ServerProcess.startAfter("ulimit -n 191", "--port", "0")) {
      assertThat(server.exit()).isEqualTo(1);
      assertThat(server.out()).isEmpty();
      assertThat(server.err()).singleElement().asString().contains("191", "192");
    }
    Figures.tell("J2", "lowered to 172 of 300, refused at 191", "n - 128, refused below 192");
  }

  @Test
  void aboveTheLimitEverybodyIsToldAndNobodySpins() throws Exception {
    try (ServerProcess server = ServerProcess.startAfter("ulimit -n 512", "--port", "0")) {
      try (Crush crush = new Crush(server, 1000)) {
        assertThat(crush.in).hasSize(382);
        assertThat(crush.told).as("told that it is full").isEqualTo(1000 - 384);
        crush.check("J3", 100, Duration.ofSeconds(2));
      }
    }
  }

  /** The limit is taken away from under it, so that the descriptors do run out. */
  @Test
  void withoutADescriptorItGoesOnAndRecovers() throws Exception {
    assumeTrue(new File("/proc/self/fd").exists(), "not Linux");
    try (ServerProcess server = ServerProcess.start("--port", "0")) {
      server.address();
      String open = Integer.toString(server.descriptors() + 100);
      Process limit =
          new ProcessBuilder("prlimit", "--pid", "" + server.pid(), "--nofile=" + open + ":" + open)
              .inheritIO()
              .start();
      assertThat(limit.waitFor()).isZero();
      try (Crush crush = new Crush(server, 300)) {
        assertThat(crush.in.size()).isBetween(80, 100);
        assertThat(crush.told).as("told that it is full").isEqualTo(298 - crush.in.size());
        crush.check("J3, no descriptors", 50, Duration.ofSeconds(3));
      }
      assertThat(server.signal("TERM").exit()).isZero();
      assertThat(server.err()).singleElement().asString().contains("WARN", "cannot accept");
    }
  }

  /** More who come than may: those who are in, and how many were sent away. */
  private static final class Crush implements AutoCloseable {
    private final ServerProcess server;
    private final InetSocketAddress address;
    private final RawPeer speaker;
    private final RawPeer listener;
    private final long p99Before;
    private final List<BytePeer> in = new ArrayList<>();
    private int told;

    Crush(ServerProcess server, int coming) {
      this.server = server;
      address = server.address();
      speaker = RawPeer.connect(address);
      speaker.join("speaker");
      listener = RawPeer.connect(address);
      listener.join("listener");
      p99Before = p99(Stream.generate(this::delay).limit(200).toList());
      for (int i = 2; i < coming; i++) {
        BytePeer peer = BytePeer.connect(address);
        peer.send(RawPeer.bytesOf(new ClientMessage.Hello("m" + i, 0)));
        byte[] answer = peer.frame("an answer to HELLO");
        if (answer != null && (answer[0] & 0xFF) == MessageType.WELCOME.code()) {
          in.add(peer);
        } else {
          assertThat(answer).startsWith(0x83, 0, 0);
          assertThat((answer[4] & 0xFF) << 8 | (answer[5] & 0xFF))
              .isEqualTo(ErrorCode.SERVER_FULL.number());
          told++;
          peer.close();
        }
      }
    }

    /** Nobody is disturbed, nothing spins, and when some leave others may come. */
    void check(String scenario, int leaving, Duration within) {
      Duration before = server.cpu();
      long began = System.nanoTime();
      List<Long> delays = new ArrayList<>();
      while (System.nanoTime() - began < WATCHED.toNanos()) {
        try (BytePeer more = BytePeer.connect(address)) {
          more.frame("a refusal");
        }
        delays.add(delay());
        // A rest, in which at most a PING comes.
        listener.hasNext(Duration.ofMillis(20));
      }
      double cpu =
          (server.cpu().toNanos() - before.toNanos()) / (double) (System.nanoTime() - began);
      long p99 = p99(delays);
      in.subList(0, leaving).forEach(BytePeer::close);
      long left = System.nanoTime();
      joinSoon(within);
      long took = System.nanoTime() - left;
      Figures.tell(
          scenario,
          "%d in, %d told; a new one in after %s; CPU %.0f %%; p99 %s, before %s"
              .formatted(
                  in.size(),
                  told,
                  Figures.millis(took),
                  100 * cpu,
                  Figures.millis(p99),
                  Figures.millis(p99Before)),
          within.toSeconds() + " s, 25 % of a core, p99 2 x or 5 ms more");
      assertThat(Duration.ofNanos(took)).isLessThan(within);
      assertThat(cpu).as("CPU").isLessThan(Load.isFull() ? 0.25 : 0.75);
      assertThat(Duration.ofNanos(p99)).isLessThan(Load.asWithout(p99Before, 2));
    }

    private void joinSoon(Duration within) {
      long until = System.nanoTime() + within.toNanos();
      while (true) {
        try (RawPeer late = RawPeer.connect(address)) {
          late.join("late");
          return;
        } catch (AssertionError | UncheckedIOException e) {
          assertThat(System.nanoTime()).as("still full: " + e.getMessage()).isLessThan(until);
        }
      }
    }

    /** From the speaker to the listener, in nanoseconds. */
    private long delay() {
      long sent = System.nanoTime();
      speaker.say("hi");
      listener.await(Msg.class);
      long delay = System.nanoTime() - sent;
      speaker.await(Ack.class);
      return delay;
    }

    private static long p99(List<Long> delays) {
      return delays.stream()
          .sorted()
          .skip((delays.size() - 1) * 99L / 100)
          .findFirst()
          .orElseThrow();
    }

    @Override
    public void close() throws IOException {
      speaker.close();
      listener.close();
      for (BytePeer peer : in) {
        if (peer != null) {
          peer.close();
        }
      }
    }
  }
}
