package simplechat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import simplechat.protocol.ClientMessage;
import simplechat.protocol.ClientMessage.Hello;
import simplechat.protocol.ErrorCode;
import simplechat.protocol.MessageType;
import simplechat.protocol.RoomKey;
import simplechat.protocol.ServerMessage;
import simplechat.protocol.ServerMessage.Ack;
import simplechat.protocol.ServerMessage.Bye;
import simplechat.protocol.ServerMessage.Joined;
import simplechat.protocol.ServerMessage.Msg;
import simplechat.protocol.ServerMessage.Welcome;
import simplechat.server.Inside;
import simplechat.support.Figures;
import simplechat.support.Load;
import simplechat.support.RawPeer;
import simplechat.support.RunningServer;

/** Group J: how many may come in, and who goes when there are more. */
class LimitsTest {

  private static final byte[] SEND_16K =
      RawPeer.bytesOf(new ClientMessage.Send("x".repeat(16 * 1024)));

  /** J5: "above it the oldest is closed with BYE(SERVER_FULL)". */
  @ParameterizedTest(name = "loops {0}")
  @ValueSource(ints = {1, 2})
  void ofTooManyWhoWaitToJoinTheOldestGoes(int loops) {
    try (RunningServer server = RunningServer.start(config -> config.loops(loops).maxPending(3))) {
      RawPeer member = server.join("member");
      List<RawPeer> strangers = new ArrayList<>();
      for (int i = 0; i < 10; i++) {
        strangers.add(server.connect());
      }
      for (RawPeer oldest : strangers.subList(0, 7)) {
        assertThat(oldest.expectBye(ErrorCode.SERVER_FULL).retryAfter()).isPositive();
        oldest.expectEof();
      }
      for (int i = 7; i < 10; i++) {
        strangers.get(i).join("m" + i);
      }
      // Who has joined makes room, and is not the oldest of those who wait.
      for (int i = 0; i < 4; i++) {
        server.join("late" + i);
      }
      assertThat(server.members()).isEqualTo(8);
      member.expectNothingOf(Joined.class);
    }
  }

  /** J5: a flood of strangers does not keep a member out. */
  @Test
  void aFloodOfStrangersKeepsNobodyOut() throws IOException {
    int strangers = Load.count(1000, 5000);
    int joins = Load.count(20, 200);
    List<SocketChannel> flood = new ArrayList<>();
    try (RunningServer server = RunningServer.start()) {
      for (int i = 0; i < strangers; i++) {
        flood.add(SocketChannel.open(server.address()));
      }
      long[] nanos = new long[joins];
      for (int i = 0; i < joins; i++) {
        for (int more = 0; more < 20; more++) {
          flood.add(SocketChannel.open(server.address()));
        }
        long began = System.nanoTime();
        server.join("m" + i);
        nanos[i] = System.nanoTime() - began;
      }
      Arrays.sort(nanos);
      long p99 = nanos[(joins - 1) * 99 / 100];
      Figures.tell("J5", "joined among " + flood.size() + ": p99 " + Figures.millis(p99), "500 ms");
      assertThat(Duration.ofNanos(p99)).isLessThan(Duration.ofMillis(500));
      for (SocketChannel stranger : flood) {
        stranger.close();
      }
    }
  }

  /** J6: "exactly 20 in, other addresses unaffected"; however the address is written. */
  @ParameterizedTest(name = "{0}, loops {1}")
  @CsvSource({"127.0.0.1, 1", "127.0.0.1, 2", "::, 1"})
  void anAddressHasSoManyConnectionsAndNoMore(String host, int loops) {
    int most = 20;
    try (RunningServer server =
        RunningServer.start(config -> config.host(host).loops(loops).maxPerAddress(most))) {
      InetSocketAddress there =
          new InetSocketAddress(InetAddress.getLoopbackAddress(), server.address().getPort());
      List<RawPeer> in = new ArrayList<>();
      int refused = 0;
      for (int i = 0; i < 100; i++) {
        RawPeer peer = RawPeer.connect(there);
        peer.send(new Hello("m" + i, 0));
        if (peer.next() instanceof Welcome) {
          in.add(peer);
        } else {
          assertThat(peer.stream().bye().code()).isEqualTo(ErrorCode.SERVER_FULL.number());
          assertThat(peer.stream().bye().retryAfter()).isPositive();
          refused++;
          peer.close();
        }
      }
      Figures.tell("J6", in.size() + " of 100 in, " + refused + " refused", "20 in, 80 refused");
      assertThat(in).hasSize(most);
      try (RawPeer other = RawPeer.connectFrom("127.0.0.2", there)) {
        other.join("other");
        in.remove(0).close();
        server.awaitMembers(most);
        in.add(RawPeer.connect(there));
        in.get(in.size() - 1).join("next");
      }
      in.forEach(RawPeer::close);
    }
  }

  /** J6: "after 10 000 aborted cycles of any kind the count is 0; the table itself is bounded". */
  @ParameterizedTest(name = "loops {0}")
  @ValueSource(ints = {1, 2})
  void afterAnyEndAnAddressIsForgotten(int loops) {
    int cycles = Load.count(600, 10_000);
    try (RunningServer server =
        RunningServer.start(config -> config.loops(loops).maxPerAddress(3).maxPending(2))) {
      for (int i = 0; i < cycles; i++) {
        RawPeer peer = RawPeer.connectFrom("127.0.0." + (1 + i % 100), server.address());
        try {
          if (i % 3 > 0) {
            peer.sendBytes(Arrays.copyOf(RawPeer.bytesOf(new Hello("m" + i, 0)), i % 19));
          }
        } finally {
          if (i % 2 == 0) {
            peer.reset();
          } else {
            peer.close();
          }
        }
      }
      // All who came before have been accepted then.
      RawPeer last = RawPeer.connectFrom("127.0.0.200", server.address());
      last.join("last");
      server.awaitConnections(1);
      assertThat(Inside.knownAddresses(server.server())).as("known addresses").isEqualTo(1);
      last.close();
      server.awaitConnections(0);
      assertThat(Inside.knownAddresses(server.server())).as("known addresses").isZero();
      Figures.tell("J6", "0 addresses known after " + cycles + " aborted connections", "0");
    }
  }

  /** J1, J7: whoever is too many is told so, even if nobody who was told goes. */
  @Test
  void whoeverIsTooManyIsToldAlthoughNobodyGoes() throws IOException {
    int most = 10;
    List<SocketChannel> rest = new ArrayList<>();
    try (RunningServer server = RunningServer.start(config -> config.maxConnections(most))) {
      List<RawPeer> members = new ArrayList<>();
      for (int i = 0; i < most; i++) {
        members.add(server.join("m" + i));
      }
      for (int i = 0; i < 300; i++) {
        rest.add(SocketChannel.open(server.address()));
      }
      for (SocketChannel refused : rest) {
        refused.socket().setSoTimeout(5000);
        int type = refused.socket().getInputStream().read();
        assertThat(type).isEqualTo(MessageType.BYE.code());
      }
      // Of those who do not go themselves so many stay a while.
      await("refused ones")
          .atMost(Duration.ofSeconds(1))
          .until(server.server()::connections, open -> open <= most + 64);
      members.get(0).say("still here");
      assertThat(members.get(1).await(Msg.class).text()).isEqualTo("still here");
      for (SocketChannel refused : rest) {
        refused.close();
      }
    }
  }

  /** A room for few remembers as many as a large one, so that nobody's coming and going matters. */
  @Test
  void whoComesAndGoesMakesNobodyForgotten() {
    try (RunningServer server = RunningServer.start(config -> config.maxConnections(3))) {
      RawPeer alice = server.join("alice");
      alice.reset();
      server.awaitConnections(0);
      for (int i = 0; i < 20; i++) {
        server.join("mallory").reset();
        server.awaitConnections(0);
      }
      RawPeer again = server.connect();
      assertThat(again.join(RawPeer.resumeOf(alice)).resumed()).isTrue();
    }
  }

  /**
   * J8: who comes and goes as fast as it can is accepted no faster than some can read why not. In
   * each round: without a bound the first takes as long as with it, until the JVM has compiled what
   * runs.
   */
  @Test
  void noMoreAreRefusedThanThereIsTimeFor() throws IOException {
    int visitors = Math.min(1500, mostWhoWaitToBeAccepted() / 2);
    int atOnce = 64;
    Duration bound = Duration.ofMillis(8).multipliedBy(visitors / atOnce - 1);
    try (RunningServer server = RunningServer.start(config -> config.maxConnections(1))) {
      RawPeer member = server.join("member");
      for (int round = 0; round < 5; round++) {
        Duration took = refused(server, visitors);
        Figures.tell(
            "J8",
            "%d told that it is full in %s".formatted(visitors, Figures.millis(took.toNanos())),
            "64 in 8 ms, so not before " + bound.toMillis() + " ms");
        assertThat(took).isGreaterThan(bound);
      }
      member.expectNothing();
    }
  }

  /** Until all are told, from when all wait to be accepted: to connect takes its time, too. */
  private static Duration refused(RunningServer server, int visitors) throws IOException {
    List<SocketChannel> refused = new ArrayList<>();
    CompletableFuture<Void> allWait = new CompletableFuture<>();
    Inside.occupy(server.server(), allWait);
    for (int i = 0; i < visitors; i++) {
      refused.add(SocketChannel.open(server.address()));
    }
    long began = System.nanoTime();
    allWait.complete(null);
    for (SocketChannel one : refused) {
      one.socket().setSoTimeout(5000);
      assertThat(one.socket().getInputStream().read()).isEqualTo(MessageType.BYE.code());
    }
    Duration took = Duration.ofNanos(System.nanoTime() - began);
    for (SocketChannel one : refused) {
      one.close();
    }
    server.awaitConnections(1);
    return took;
  }

  private static int mostWhoWaitToBeAccepted() throws IOException {
    Path linux = Path.of("/proc/sys/net/core/somaxconn");
    if (!Files.exists(linux)) {
      return 128;
    }
    // In one read: this file has nothing for a second one, which Files.readString would need.
    try (BufferedReader lines = Files.newBufferedReader(linux)) {
      return Integer.parseInt(lines.readLine());
    }
  }

  /** J7: "address cap, head-room, TLS, magic, size, key, name, room": the earlier one decides. */
  @Test
  void whatCostsLessIsCheckedFirst() {
    RoomKey key = new RoomKey(new byte[] {'k'});
    RoomKey wrong = new RoomKey(new byte[] {'w'});
    String taken = "alice";
    String bad = "a b";
    try (RunningServer server =
        RunningServer.start(config -> config.maxPerAddress(2).maxConnections(4).key(key))) {
      RawPeer alice = server.connect();
      alice.join(new Hello(1, 1, 0, taken, key, null));
      // The type before the size, the size before the rest, what a HELLO begins with before how
      // long it is, the key before the name.
      try (RawPeer other = server.connect()) {
        other.sendHex("010003e8 43484155").expectBye(ErrorCode.FRAME_TOO_LARGE);
      }
      server.awaitConnections(1);
      try (RawPeer other = server.connect()) {
        other.sendHex("47ffffff").expectBye(ErrorCode.NOT_CHAT);
      }
      server.awaitConnections(1);
      try (RawPeer other = server.connect()) {
        other.sendHex("01000002 4358").expectBye(ErrorCode.NOT_CHAT);
      }
      server.awaitConnections(1);
      RawPeer other = server.connect();
      other.send(new Hello(1, 1, 0, bad, wrong, null)).expectError(ErrorCode.KEY_WRONG, 0);
      other.send(new Hello(1, 1, 0, taken, wrong, null)).expectError(ErrorCode.KEY_WRONG, 0);
      other.send(new Hello(1, 1, 0, bad, key, null)).expectError(ErrorCode.NAME_INVALID, 0);
      other.send(new Hello(1, 1, 0, taken, key, null)).expectError(ErrorCode.NAME_TAKEN, 0);
      // The address before the room in the server; both before a byte was sent.
      try (RawPeer third = server.connect()) {
        assertThat(third.expectBye(ErrorCode.SERVER_FULL).text()).contains("this address");
      }
      List<RawPeer> rest = new ArrayList<>();
      for (int i = 0; i < 2; i++) {
        rest.add(RawPeer.connectFrom("127.0.0.2", server.address()));
      }
      server.awaitConnections(4);
      try (RawPeer fifth = RawPeer.connectFrom("127.0.0.2", server.address());
          RawPeer sixth = RawPeer.connectFrom("127.0.0.3", server.address())) {
        assertThat(fifth.expectBye(ErrorCode.SERVER_FULL).text()).contains("this address");
        assertThat(sixth.expectBye(ErrorCode.SERVER_FULL).text()).contains("is full");
      }
      rest.forEach(RawPeer::close);
      Figures.tell("J7", "address, server, magic, size, key, name: the earlier decides", "as said");
    }
  }

  /** J9: neither what a HELLO holds, nor what a member sends, moves a deadline of the server. */
  @Test
  void noPeerChoosesADeadline() {
    Duration heartbeat = Duration.ofMillis(400);
    try (RunningServer server = RunningServer.start(config -> config.heartbeat(heartbeat))) {
      List<RawPeer> peers = new ArrayList<>();
      // Behind what is known: nothing, a time of zero, the longest.
      for (String more : List.of("", "00000000", "ffffffffffffffff")) {
        RawPeer peer = server.connect();
        int length = 12 + more.length() / 2;
        String name = "026d3" + peers.size();
        peer.sendHex("01%06x 43484154 01 01 00 0000 %s %s".formatted(length, name, more));
        peer.await(Welcome.class);
        peer.sendHex("04000004 ffffffff 05000004 7fffffff");
        peers.add(peer);
      }
      long began = System.nanoTime();
      for (RawPeer peer : peers) {
        peer.await(ServerMessage.Ping.class);
        assertThat(System.nanoTime() - began)
            .isBetween(heartbeat.toNanos() / 2, 4 * heartbeat.toNanos());
      }
      for (RawPeer peer : peers) {
        peer.await(Bye.class, is(ErrorCode.TIMEOUT));
      }
      Duration took = Duration.ofNanos(System.nanoTime() - began);
      Figures.tell(
          "J9", "3 kinds of peers timed out within " + Figures.millis(took.toNanos()), "0.8 s");
      assertThat(took).isBetween(heartbeat.multipliedBy(3).dividedBy(2), heartbeat.multipliedBy(4));
    }
  }

  private static Predicate<Bye> is(ErrorCode code) {
    return bye -> bye.code() == code.number();
  }

  /** C16: "above it the member whose half frame is oldest is closed with SLOW (it may resume)". */
  @ParameterizedTest(name = "loops {0}")
  @ValueSource(ints = {1, 2})
  void halfFramesHaveRoomForSoMuchTogether(int loops) {
    int text = 16 * 1024;
    int room = 256 * 1024;
    try (RunningServer server =
        RunningServer.start(config -> config.loops(loops).maxText(text).inputBytes(room))) {
      List<RawPeer> halves = new ArrayList<>();
      long most = 0;
      for (int i = 0; i < 24; i++) {
        RawPeer peer = server.join("m" + i);
        // A whole frame in front: what counts is when the half one began.
        peer.say("hi").sendBytes(Arrays.copyOf(SEND_16K, text - 500));
        peer.await(Ack.class);
        halves.add(peer);
        most = Math.max(most, Inside.heldInputBytes(server.server()));
      }
      await().until(() -> Inside.heldInputBytes(server.server()) <= room);
      int closed = 0;
      while (halves.get(closed).endsWith(ErrorCode.SLOW)) {
        closed++;
      }
      Figures.tell(
          "C16",
          closed + " of 24 half frames closed, at most " + Figures.mebibytes(most) + " held",
          "the oldest, 0.25 MiB and a read");
      assertThat(most).isLessThanOrEqualTo(room + 2L * 32 * 1024);
      assertThat(closed).isBetween(6, 16);
      for (RawPeer peer : halves.subList(closed, 24)) {
        peer.sendBytes(Arrays.copyOfRange(SEND_16K, text - 500, SEND_16K.length));
        peer.await(Ack.class, ack -> ack.sendNo() == 2);
      }
      assertThat(Inside.heldInputBytes(server.server())).isZero();
      server.resume(halves.get(0));
    }
  }
}
