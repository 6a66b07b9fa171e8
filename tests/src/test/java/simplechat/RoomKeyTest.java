package simplechat;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import simplechat.protocol.ClientMessage.Hello;
import simplechat.protocol.ErrorCode;
import simplechat.protocol.Limits;
import simplechat.protocol.RoomKey;
import simplechat.protocol.ServerMessage.Bye;
import simplechat.protocol.ServerMessage.Left;
import simplechat.protocol.ServerMessage.Welcome;
import simplechat.support.RawPeer;
import simplechat.support.RunningServer;
import simplechat.support.ServerProcess;

/** K6 to K10, as far as the server is concerned. */
class RoomKeyTest {
  private static final RoomKey KEY = key("sesame");

  @Test
  void theKeyIsAskedForBeforeTheNameAndMayBeTriedAgain() {
    try (RunningServer server = RunningServer.start(config -> config.key(KEY))) {
      RawPeer alice = server.connect();
      assertThat(alice.join(hello("alice", KEY)).members()).isEqualTo(1);
      RawPeer mallory = server.connect();
      // Neither a name that is taken nor one that cannot be tells an outsider anything.
      for (String name : List.of("alice", "", "bob")) {
        mallory.send(hello(name, null)).expectError(ErrorCode.KEY_WRONG, 0);
      }
      mallory.send(hello("alice", key("Sesame"))).expectError(ErrorCode.KEY_WRONG, 0);
      mallory.send(hello("alice", KEY)).expectError(ErrorCode.NAME_TAKEN, 0);
      assertThat(mallory.join(hello("mallory", KEY)).members()).isEqualTo(2);
    }
  }

  @Test
  void aReturnNeedsItToo() {
    try (RunningServer server = RunningServer.start(config -> config.key(KEY))) {
      RawPeer bob = server.connect();
      bob.join(hello("bob", KEY));
      RawPeer alice = server.connect();
      alice.join(hello("alice", KEY));
      alice.reset();
      bob.await(Left.class);
      Hello back = RawPeer.resumeOf(alice);
      RawPeer thief = server.connect();
      thief.send(back).expectError(ErrorCode.KEY_WRONG, 0);
      Hello keyed = new Hello(Limits.VERSION, Limits.VERSION, 0, "alice", KEY, back.resume());
      thief.carryOn(alice);
      assertThat(thief.join(keyed).resumed()).isTrue();
    }
  }

  @ParameterizedTest(name = "loops {0}")
  @ValueSource(ints = {1, 2})
  void whoeverGuessesIsTurnedAwayAtTheDoorAndMembersAreNot(int loops) {
    try (RunningServer server = RunningServer.start(config -> config.key(KEY).loops(loops))) {
      RawPeer alice = server.connect();
      alice.join(hello("alice", KEY));
      RawPeer waiting = server.connect();
      for (int guess = 1; guess < 5; guess++) {
        server.connect().send(hello("bob", key("" + guess))).expectError(ErrorCode.KEY_WRONG, 0);
      }
      // The fifth one is told, and so is who was there already, whatever it has by now.
      RawPeer last = server.connect();
      expectBarred(last.send(hello("bob", key("5"))));
      expectBarred(waiting.send(hello("bob", KEY)));
      expectBarred(server.connect());
      alice.expectNothing();
      assertThat(server.members()).isEqualTo(1);
    }
  }

  @Test
  void aKeyFileIsReadWithoutItsLastLineEndAndNeverShown(@TempDir Path dir) throws IOException {
    Path file = Files.writeString(dir.resolve("key"), "sesame\n");
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r--r--"));
    try (ServerProcess server = ServerProcess.start("--port", "0", "--key-file", "" + file)) {
      try (RawPeer peer = RawPeer.connect(server.address())) {
        peer.send(hello("alice", key("wrong"))).expectError(ErrorCode.KEY_WRONG, 0);
        peer.join(hello("alice", KEY));
        server.signal("TERM");
        peer.await(Bye.class);
      }
      assertThat(server.exit()).isZero();
      assertThat(server.out()).hasSize(1);
      assertThat(server.err()).singleElement().asString().contains("WARN", "" + file, "chmod");
      assertThat(server.out() + "" + server.err()).doesNotContain("sesame", "wrong");
    }
  }

  @Test
  void aKeyThatCannotBeOneEndsTheProgramBeforeItListens(@TempDir Path dir) {
    Path gone = dir.resolve("gone");
    expectRefused(1, "cannot read " + gone + ": no such file", Map.of(), "--key-file", "" + gone);
    expectRefused(2, "1 to 255 bytes", Map.of("CHAT_KEY", "s3cret".repeat(50)));
    expectRefused(2, "--key-file", Map.of(), "--key", "s3cret");
  }

  @Test
  void theVariableIsAKeyToo() {
    Map<String, String> environment = Map.of("CHAT_KEY", "sesame");
    try (ServerProcess server = ServerProcess.start(environment, "--port", "0");
        RawPeer peer = RawPeer.connect(server.address())) {
      peer.send(hello("alice", null)).expectError(ErrorCode.KEY_WRONG, 0);
      assertThat(peer.join(hello("alice", KEY))).isInstanceOf(Welcome.class);
    }
  }

  private static void expectRefused(
      int status, String named, Map<String, String> environment, String... options) {
    try (ServerProcess server = ServerProcess.start(environment, options)) {
      assertThat(server.exit()).isEqualTo(status);
      assertThat(server.out()).isEmpty();
      assertThat(server.err()).hasSize(status).first().asString().contains(named);
      assertThat("" + server.err()).doesNotContain("s3cret");
    }
  }

  private static void expectBarred(RawPeer peer) {
    Bye bye = peer.expectBye(ErrorCode.SERVER_FULL);
    assertThat(bye.retryAfter()).isEqualTo(60);
    peer.expectEof();
  }

  private static Hello hello(String name, RoomKey key) {
    return new Hello(Limits.VERSION, Limits.VERSION, 0, name, key, null);
  }

  private static RoomKey key(String text) {
    return new RoomKey(text.getBytes(StandardCharsets.UTF_8));
  }
}
