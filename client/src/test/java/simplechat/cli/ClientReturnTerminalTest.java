package simplechat.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.time.Duration;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import simplechat.client.ScriptedServer;
import simplechat.client.ScriptedServer.Peer;
import simplechat.protocol.ClientMessage;
import simplechat.protocol.ServerMessage;

/** The program in a real terminal, when its connection is lost. */
@Tag("slow")
@Execution(ExecutionMode.CONCURRENT)
class ClientReturnTerminalTest {
  private ScriptedServer server;
  private Tmux tmux;

  @BeforeAll
  static void needTmux() {
    assumeTrue(Tmux.isInstalled(), "tmux is not installed");
  }

  @BeforeEach
  void listen() throws IOException {
    server = new ScriptedServer();
  }

  @AfterEach
  void stop() throws Exception {
    server.close();
    tmux.close();
  }

  @ParameterizedTest
  @ValueSource(ints = {80, 20})
  void thePromptSaysThatTheConnectionIsLostAndWhatIsTypedStays(int columns) throws Exception {
    Peer peer = join(columns);
    int port = server.port();
    tmux.type("send half 名前 a thouXght");
    tmux.press("Left", "Left", "Left");
    Awaitility.await().until(() -> letters().endsWith("alice>sendhalf名前athouXght"));
    server.close();
    peer.reset();
    awaitLetters("\\*connectionlost,reconnectingalice\\(offline\\)>sendhalf名前athouXght$");
    tmux.press("BSpace");
    server = new ScriptedServer(port);
    peer = server.accept();
    peer.expect(ClientMessage.Hello.class);
    peer.welcomeBack("alice", 0, 1, 0);
    awaitLetters("\\*backafter\\d+s,nothingmissedalice>sendhalf名前athought$");
    assertThat(letters()).containsOnlyOnce("reconnecting");
    tmux.press("Enter");
    assertThat(peer.expect(ClientMessage.Send.class).text()).isEqualTo("half 名前 a thought");
  }

  @Test
  void whatIsSentWhileOfflineWaitsAndIsDelivered() throws Exception {
    Peer peer = join(80);
    int port = server.port();
    server.close();
    peer.reset();
    tmux.await("alice (offline)>");
    tmux.type("who");
    tmux.press("Enter");
    tmux.await("who: not known while offline");
    tmux.type("send one");
    tmux.press("Enter");
    tmux.await("alice (offline, 1 pending)>");
    tmux.type("send two");
    tmux.press("Enter");
    tmux.await("alice (offline, 2 pending)>");
    tmux.type("half a tho");
    server = new ScriptedServer(port);
    peer = server.accept();
    peer.expect(ClientMessage.Hello.class);
    peer.welcomeBack("alice", 0, 1, 0);
    assertThat(peer.expect(ClientMessage.Send.class).text()).isEqualTo("one");
    assertThat(peer.expect(ClientMessage.Send.class).text()).isEqualTo("two");
    tmux.await("alice (2 pending)> half a tho");
    peer.send(new ServerMessage.Ack(2, 2));
    tmux.await("\nalice> half a tho");
  }

  @Test
  void theHundredAndFirstMessageIsRefusedWithItsText() throws Exception {
    Peer peer = join(80);
    server.close();
    peer.reset();
    tmux.await("alice (offline)>");
    StringBuilder lines = new StringBuilder();
    for (int i = 1; i <= 101; i++) {
      lines.append("send line ").append(i).append('\n');
    }
    tmux.paste(lines.toString(), false);
    tmux.await("alice (offline, 100 pending)>");
    tmux.await("not sent: 100 messages wait for the connection: line 101");
    assertThat(tmux.screen()).containsOnlyOnce("not sent");
    tmux.type("leave");
    tmux.press("Enter");
    tmux.await("rc=1");
    assertThat(tmux.screen())
        .contains("not confirmed: line 99\nnot confirmed: line 100\nrc=1 same-tty");
  }

  @Test
  void aMessageIsMarkedUntilItIsConfirmed() throws Exception {
    Peer peer = join(80);
    tmux.type("send one");
    tmux.press("Enter");
    peer.expect(ClientMessage.Send.class);
    tmux.type("half a tho");
    tmux.await("alice (1 pending)> half a tho");
    peer.send(new ServerMessage.Ack(0, 1));
    tmux.await("\nalice> half a tho");
  }

  @Test
  void whatANewSessionCannotConfirmIsListedAndCanBeCalledBack() throws Exception {
    Peer peer = join(80);
    tmux.type("send one");
    tmux.press("Enter");
    peer.expect(ClientMessage.Send.class);
    peer.reset();
    peer = server.accept();
    peer.expect(ClientMessage.Hello.class);
    peer.welcome("alice", 500, 500);
    tmux.await("* history was lost\nnot confirmed: one\nalice>");
    tmux.press("Up", "Enter");
    assertThat(peer.expect(ClientMessage.Send.class).text()).isEqualTo("one");
  }

  @Test
  void whoseNameWasTakenMeanwhileIsAskedForAnother() throws Exception {
    Peer peer = join(80);
    tmux.type("send half a tho");
    tmux.await("half a tho");
    peer.reset();
    peer = server.accept();
    peer.expect(ClientMessage.Hello.class);
    peer.send(new ServerMessage.Refused(200, 0, "taken"));
    tmux.await("the name alice is taken");
    tmux.await("another name [alice2]:");
    tmux.press("Enter");
    peer = server.accept();
    ClientMessage.Hello hello = peer.expect(ClientMessage.Hello.class);
    assertThat(hello.name()).isEqualTo("alice2");
    assertThat(hello.resume()).isNull();
    peer.welcome("alice2", 0, 0);
    tmux.await("alice2> send half a tho");
    tmux.press("Enter");
    assertThat(peer.expect(ClientMessage.Send.class).text()).isEqualTo("half a tho");
  }

  /** The membership is over, so there is nothing to leave, only to go. */
  @Test
  void aSignalEndsTheQuestionForAnotherName() throws Exception {
    Peer peer = join(60);
    peer.reset();
    peer = server.accept();
    peer.expect(ClientMessage.Hello.class);
    peer.send(new ServerMessage.Refused(200, 0, "taken"));
    tmux.await("another name [alice2]:");
    tmux.signal(server.port(), "TERM");
    tmux.await("rc=143 same-tty");
  }

  private Peer join(int columns) throws Exception {
    tmux = new Tmux(columns, 40);
    tmux.startClient(server.port(), "-u alice --history 0");
    Peer peer = server.acceptAndWelcome(0);
    tmux.await("alice>");
    return peer;
  }

  private void awaitLetters(String pattern) {
    Awaitility.await()
        .atMost(Duration.ofSeconds(15))
        .untilAsserted(() -> assertThat(letters()).containsPattern(pattern));
  }

  /** The screen without blanks, which stand in other places when it is narrow. */
  private String letters() throws Exception {
    return tmux.screen().replaceAll("\\s", "");
  }
}
