package simplechat.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import simplechat.cli.ClientProgramTest.Running;
import simplechat.client.ClientOptions;
import simplechat.client.ScriptedServer;
import simplechat.client.ScriptedServer.Peer;
import simplechat.protocol.ClientMessage;
import simplechat.protocol.ServerMessage;

/** The program with pipes for its streams, when its connection is lost. */
@Tag("slow")
@Execution(ExecutionMode.CONCURRENT)
class ClientReturnTest {
  private ScriptedServer server;
  private Running program;

  @BeforeEach
  void listen() throws IOException {
    server = new ScriptedServer();
  }

  @AfterEach
  void stop() throws IOException {
    if (program != null) {
      program.process.destroyForcibly();
    }
    server.close();
  }

  @Test
  void whatWasMissedStandsApartFromWhatIsLive() throws Exception {
    Peer peer = join();
    peer.reset();
    peer = server.accept();
    assertThat(peer.expect(ClientMessage.Hello.class).resume().next()).isZero();
    peer.welcomeBack("alice", 0, 40, 0);
    peer.send(
        new ServerMessage.Gap(38, 37),
        new ServerMessage.Msg(38, 1, "bob", "one"),
        new ServerMessage.Msg(40, 1, "bob", "two"));
    program.awaitOut("bob: two");
    program.endInput();
    peer.expect(ClientMessage.Ping.class);
    peer.expect(ClientMessage.Leave.class);
    peer.bye(0);
    assertThat(program.exitCode()).isZero();
    assertThat(program.out().replaceAll("1970-01-01 \\d\\d:\\d\\d ", ""))
        .isEqualTo(
            """
            * welcome, alice: nobody else is here yet
            * connection lost, reconnecting
            --- 1 while away ---
            bob: one
            * back, you missed 37 events
            --- 1970-01-01 ---
            bob: two
            left the chat
            """);
    assertThat(program.err()).isEmpty();
  }

  @Test
  void theEndOfTheInputDeliversWhatWasLostOnTheWay() throws Exception {
    Peer peer = join();
    program.type("send one\nsend two\n");
    program.endInput();
    peer.expect(ClientMessage.Send.class);
    peer.expect(ClientMessage.Send.class);
    peer.expect(ClientMessage.Leave.class);
    peer.reset();
    peer = server.accept();
    peer.expect(ClientMessage.Hello.class);
    peer.welcomeBack("alice", 0, 3, 1);
    assertThat(peer.expect(ClientMessage.Send.class).text()).isEqualTo("two");
    peer.expect(ClientMessage.Leave.class);
    peer.send(new ServerMessage.Ack(3, 2));
    peer.bye(0);
    assertThat(program.exitCode()).isZero();
    program.awaitOut("left the chat");
    assertThat(program.err()).isEmpty();
  }

  @Test
  void aServerThatShutsDownIsNamedAndComeBackTo() throws Exception {
    Peer peer = join();
    peer.bye(300);
    peer = server.accept();
    peer.expect(ClientMessage.Hello.class);
    program.awaitOut("* server is shutting down\n* connection lost, reconnecting\n");
    program.type("send while away\n");
    peer.welcome("alice", 500, 500);
    program.awaitOut("* history was lost");
  }

  /** Nobody knows of them, so nobody repeats them; the next texts are sent as ever. */
  @Test
  void aNewSessionListsWhatIsNotConfirmed() throws Exception {
    Peer peer = join();
    program.type("send one\n");
    peer.expect(ClientMessage.Send.class);
    peer.reset();
    peer = server.accept();
    peer.expect(ClientMessage.Hello.class);
    peer.welcome("alice", 500, 500);
    program.awaitOut("* history was lost");
    program.awaitErr("not confirmed: one\n");
    program.type("send two\n");
    program.endInput();
    assertThat(peer.expect(ClientMessage.Send.class).text()).isEqualTo("two");
    peer.expect(ClientMessage.Leave.class);
    peer.send(new ServerMessage.Ack(500, 1));
    peer.bye(0);
    assertThat(program.exitCode()).isEqualTo(1);
    assertThat(program.err()).isEqualTo("not confirmed: one\n");
  }

  @Test
  void aPipeIsReadNoFurtherThanTheQueueHolds() throws Exception {
    Peer peer = join();
    peer.reset();
    peer = server.accept();
    program.awaitOut("reconnecting");
    StringBuilder lines = new StringBuilder();
    for (int i = 1; i <= 500; i++) {
      lines.append("send line ").append(i).append('\n');
    }
    program.type(lines.toString());
    program.endInput();
    peer.expect(ClientMessage.Hello.class);
    peer.welcomeBack("alice", 0, 2, 0);
    for (int i = 1; i <= 500; i++) {
      ClientMessage message = peer.receive();
      if (message instanceof ClientMessage.Ping ping) {
        peer.send(new ServerMessage.Pong(ping.opaque()));
        message = peer.receive();
      }
      assertThat(message).isEqualTo(new ClientMessage.Send("line " + i));
    }
    peer.send(new ServerMessage.Ack(501, 500));
    peer.expect(ClientMessage.Leave.class);
    peer.bye(0);
    assertThat(program.exitCode()).isZero();
    assertThat(program.err()).isEmpty();
  }

  @Test
  void leaveWithoutAConnectionJustGoes() throws Exception {
    Peer peer = join();
    server.close();
    program.type("send one\n");
    peer.expect(ClientMessage.Send.class);
    peer.reset();
    program.awaitOut("reconnecting");
    long before = System.nanoTime();
    program.type("leave\n");
    assertThat(program.exitCode()).isEqualTo(1);
    assertThat(System.nanoTime() - before).isLessThan(5_000_000_000L);
    assertThat(program.err()).isEqualTo("* left without a connection\nnot confirmed: one\n");
  }

  @Test
  void whoseNameWasTakenMeanwhileIsRefused() throws Exception {
    Peer peer = join();
    peer.reset();
    peer = server.accept();
    peer.expect(ClientMessage.Hello.class);
    peer.send(new ServerMessage.Refused(200, 0, "taken"));
    assertThat(program.exitCode()).isEqualTo(3);
    assertThat(program.err()).isEqualTo("the name alice is taken\n");
  }

  @Test
  void whoFindsNoWayBackGivesUpAndListsWhatIsNotConfirmed() throws Exception {
    assertThat(Visit.PIPE.returnWithin()).hasSeconds(30);
    ClientOptions impatient = Visit.PIPE.withReturn(Duration.ofMillis(300));
    try (PipedVisit visit = new PipedVisit(server.port(), impatient, false, null)) {
      visit.type("send one\n");
      Peer peer = server.acceptAndWelcome(0);
      peer.expect(ClientMessage.Send.class);
      server.close();
      peer.reset();
      assertThat(visit.exitCode()).isEqualTo(1);
      assertThat(visit.out()).endsWith("lost, reconnecting\n");
      assertThat(visit.err()).isEqualTo("* connection lost\nnot confirmed: one\n");
    }
  }

  /** The same in its full length. */
  @Test
  @EnabledIfSystemProperty(named = "chat.load", matches = "full")
  void nobodyWaitsLongerThanHalfAMinuteInAPipe() throws Exception {
    Peer peer = join();
    server.close();
    program.type("send one\n");
    peer.expect(ClientMessage.Send.class);
    peer.reset();
    program.awaitOut("reconnecting");
    long before = System.nanoTime();
    assertThat(program.process.waitFor(40, TimeUnit.SECONDS)).isTrue();
    assertThat((System.nanoTime() - before) / 1_000_000_000.0).isBetween(28.0, 32.0);
    assertThat(program.exitCode()).isEqualTo(1);
    assertThat(program.err()).isEqualTo("* connection lost\nnot confirmed: one\n");
  }

  private Peer join() throws Exception {
    List<String> options = new ArrayList<>(List.of("--port", "" + server.port(), "-u", "alice"));
    program = new Running(ClientProgramTest.command(options, Map.of("TZ", "UTC")));
    Peer peer = server.acceptAndWelcome(0);
    program.awaitOut("welcome");
    return peer;
  }
}
