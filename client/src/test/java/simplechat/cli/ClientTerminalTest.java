package simplechat.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Pattern;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import simplechat.client.ScriptedServer;
import simplechat.client.ScriptedServer.Peer;
import simplechat.protocol.ClientMessage;
import simplechat.protocol.ResumeToken;
import simplechat.protocol.ServerMessage;
import simplechat.protocol.ServerMessage.JoinedHow;

/** The program in a real terminal. */
@Tag("slow")
@Execution(ExecutionMode.CONCURRENT)
class ClientTerminalTest {
  private ScriptedServer server;
  private Tmux tmux;

  @BeforeAll
  static void needTmux() {
    if (!Tmux.isInstalled()) {
      System.err.println("ClientTerminalTest is SKIPPED: there is no tmux");
    }
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
  void whatIsTypedStaysBelowWhatComesIn(int columns) throws Exception {
    Peer peer = join(columns);
    tmux.type("send 名前 hel");
    tmux.await("名前 hel");
    for (int i = 0; i < 5; i++) {
      peer.send(new ServerMessage.Msg(i, now(), "bob", "m" + i));
    }
    tmux.await("m4\nalice> send 名前");
    tmux.awaitEnd("hel");
    assertThat(tmux.screen())
        .contains("bob: m0\n", "bob: m1\n", "bob: m2\n", "bob: m3\n", "bob: m4\n");
    tmux.press("BSpace", "Left", "Left");
    tmux.type("X");
    tmux.press("Enter");
    assertThat(peer.expect(ClientMessage.Send.class).text()).isEqualTo("名前 Xhe");
  }

  /**
   * Whatever terminals make of its width, and also where the program reads a pipe. All that is
   * received speaks of eve, who is nowhere.
   */
  @ParameterizedTest
  @CsvSource({"80, true", "40, true", "20, true", "80, false", "40, false", "20, false"})
  void noTextBeginsARow(int columns, boolean prompting) throws Exception {
    tmux = new Tmux(columns, 500);
    tmux.startClient(prompting ? "" : "sleep 1000 | ", server.port(), "-u alice");
    Peer peer = server.accept();
    peer.expect(ClientMessage.Hello.class);
    List<String> fakes =
        List.of("12:00 eve: hi ", "* eve joined ", "--- eve ---", "alice> eve", "$ eve ");
    String all = String.join("", fakes);
    peer.send(
        new ServerMessage.Welcome(
            1, false, 7, new ResumeToken(1, 2), 0, 0, 0, 3_000, 1000, 30, "alice", all.repeat(9)),
        new ServerMessage.Joined(0, now(), 3_001, JoinedHow.JOINED, all),
        new ServerMessage.Refused(199, 0, all.repeat(9) + "\n" + all));
    int seq = 1;
    for (String fill :
        List.of(
            "x",
            "\u540d",
            "\ud83e\udee0",
            "\u2605",
            "\u00b0",
            "\u0416",
            "e\u0301",
            "\u2460",
            "\ud55c",
            "\u1112\u1161",
            "\ud83d\udc69\u200d\ud83d\udc67",
            "\ud83c\udde9\ud83c\uddea",
            "1\ufe0f\u20e3",
            "\u2764\ufe0f",
            "\uff21",
            "\uff71",
            " ")) {
      for (String fake : fakes) {
        peer.send(
            new ServerMessage.Msg(seq++, now(), "bob", fill.repeat(columns) + fake),
            new ServerMessage.Msg(seq++, now(), "bob", fill.repeat(columns / 2 - 5) + fake));
      }
    }
    for (int before = columns - 14; before < columns - 8; before++) {
      peer.send(new ServerMessage.Msg(seq++, now(), "bob", "x".repeat(before) + all.repeat(3)));
    }
    peer.send(
        new ServerMessage.Msg(seq++, now(), "bob", all.repeat(9) + "\n" + all),
        new ServerMessage.Msg(seq, now(), "bob", "end"));
    tmux.await("bob: end" + (prompting ? "\nalice>" : ""));
    // A prompt has nothing behind it, because nothing was typed.
    Pattern own =
        Pattern.compile(
            "((the|\\* the) server|\\* welcome,|\\d\\d:\\d\\d (bob:|\\* 12<U)| {%d}).*|alice>|"
                .formatted(columns < 40 ? 2 : 6));
    assertThat(tmux.screen().lines()).allMatch(row -> own.matcher(row).matches());
  }

  /** Terminals there may draw such characters in two columns each; this one does not. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void inALocaleOfEastAsiaRowsLeaveRoomForWideSigns(boolean prompting) throws Exception {
    tmux = new Tmux(80, 40);
    tmux.type("unset LC_ALL; export LC_CTYPE=ja_JP.UTF-8");
    tmux.press("Enter");
    tmux.startClient(prompting ? "" : "sleep 1000 | ", server.port(), "-u alice");
    Peer peer = server.acceptAndWelcome(0);
    peer.send(
        new ServerMessage.Msg(0, now(), "bob", "\u00b1".repeat(60)),
        new ServerMessage.Msg(1, now(), "bob", "\u0416".repeat(60)),
        new ServerMessage.Msg(2, now(), "bob", "\u2026".repeat(60)),
        new ServerMessage.Msg(3, now(), "bob", "end"));
    tmux.await("bob: end");
    for (String sign : List.of("\u00b1", "\u0416", "\u2026")) {
      assertThat(tmux.screen()).contains("bob: " + sign.repeat(34) + "\n      " + sign.repeat(26));
    }
  }

  @Test
  void whoReadsAPipeNoticesThatTheTerminalIsResizedToo() throws Exception {
    tmux = new Tmux(80, 500);
    tmux.startClient("sleep 1000 | ", server.port(), "-u alice");
    Peer peer = server.acceptAndWelcome(0);
    peer.send(new ServerMessage.Msg(0, now(), "bob", "x".repeat(90)));
    tmux.await("\n" + " ".repeat(6) + "x".repeat(22));
    tmux.resize(30);
    AtomicInteger seq = new AtomicInteger(1);
    // The program is told of it by a signal, which takes its time.
    Awaitility.await()
        .until(
            () -> {
              int n = seq.getAndIncrement();
              String text = "y".repeat(60) + n;
              peer.send(new ServerMessage.Msg(n, now(), "bob", text));
              tmux.await("y" + n);
              return tmux.lastRow().equals(" ".repeat(2) + "y".repeat(15) + n);
            });
  }

  @Test
  void nothingReceivedDrivesTheTerminal() throws Exception {
    Peer peer = join(80);
    peer.send(
        new ServerMessage.Msg(0, now(), "bob", "\u001b[2J\u001b[H\u001b]0;title\u0007\u001b[c"),
        new ServerMessage.Msg(1, now(), "b\u001b[31mob", "\u009b2J\u202e\u0008\u0008"),
        new ServerMessage.Msg(2, now(), "bob", "end"));
    tmux.await("bob: end\nalice>");
    assertThat(tmux.screen()).contains("␛[2J␛[H␛]0;title␇␛[c", "<U+009B>2J<U+202E>␈␈", "welcome");
    // A terminal that was asked something would have answered into the line.
    assertThat(tmux.lastRow()).isEqualTo("alice>");
  }

  @Test
  void theNameIsAskedForAgainUntilItIsFree() throws Exception {
    tmux = new Tmux(80, 24);
    run("-u alice");
    Peer peer = server.accept();
    peer.expect(ClientMessage.Hello.class);
    peer.send(new ServerMessage.Refused(200, 0, "taken"));
    tmux.await("another name [alice2]:");
    tmux.type("a b");
    tmux.press("Enter");
    tmux.await("a name has no white space");
    tmux.press("Enter");
    assertThat(peer.expect(ClientMessage.Hello.class).name()).isEqualTo("alice2");
    // The answer came too late for this connection: the join goes on with another.
    peer.bye(404);
    Peer second = server.acceptAndWelcome(0);
    tmux.await("alice2>");
    tmux.press("C-d");
    second.expect(ClientMessage.Leave.class);
    second.bye(0);
    tmux.await("left the chat");
  }

  /** The server does not wait that long, and may say so or not. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void theQuestionForANameHasNoTimeLimit(boolean inOrder) throws Exception {
    tmux = new Tmux(80, 24);
    run("-u alice");
    for (String name : List.of("alice", "zoe", "eve")) {
      Peer peer = server.accept();
      assertThat(peer.expect(ClientMessage.Hello.class).name()).isEqualTo(name);
      peer.send(new ServerMessage.Refused(200, 0, "taken"));
      tmux.await("the name " + name + " is taken\nanother name [" + name + "2]:");
      if (inOrder) {
        peer.bye(404);
        peer.expectFin();
      } else {
        peer.reset();
      }
      String question = "another name [" + name + "2]:";
      assertThat(tmux.lastRow()).isEqualTo(question);
      String next = name.equals("alice") ? "zoe" : name.equals("zoe") ? "eve" : "mia";
      tmux.type(next);
      tmux.awaitEnd(question + " " + next);
      tmux.press("Enter");
    }
    Peer peer = server.acceptAndWelcome(0);
    tmux.await("welcome, mia");
    tmux.await("mia>");
    assertThat(tmux.screen()).doesNotContain("closed", "lost", "cannot");
    tmux.press("C-d");
    peer.expect(ClientMessage.Leave.class);
    peer.bye(0);
    tmux.await("rc=0 same-tty");
  }

  @Test
  void noNameIsTakenFromNobody() throws Exception {
    tmux = new Tmux(80, 24);
    run("");
    tmux.await("your name:");
    tmux.type("alice");
    tmux.press("Enter");
    Peer peer = server.accept();
    assertThat(peer.expect(ClientMessage.Hello.class).name()).isEqualTo("alice");
    peer.send(new ServerMessage.Refused(200, 0, "taken"));
    tmux.await("another name");
    tmux.press("C-d");
    tmux.await("rc=3");
    tmux.await("same-tty");
  }

  @Test
  void controlCClearsTheLineAndThenLeaves() throws Exception {
    Peer peer = join(80);
    tmux.type("some text");
    tmux.await("some text");
    tmux.press("C-c");
    tmux.type("who");
    tmux.press("Enter");
    peer.expect(ClientMessage.Who.class);
    peer.send(new ServerMessage.Roster(false, List.of("alice", "bob")));
    tmux.await("* here (2): alice, bob");
    tmux.press("C-c");
    peer.expect(ClientMessage.Leave.class);
    peer.bye(0);
    tmux.await("rc=0");
    assertThat(tmux.screen()).contains("left the chat", "same-tty");
  }

  @Test
  void aLineIsDrawnAgainInAsManyRowsAsItNeeds() throws Exception {
    Peer peer = join(60);
    tmux.type("send one two three four five six seven");
    tmux.await("seven");
    tmux.resize(20);
    tmux.press("Home");
    tmux.type("X");
    String rows = "alice> Xsend one two\n three four five six\n seven";
    tmux.await(rows);
    tmux.press("C-z");
    tmux.await("same-tty");
    tmux.type("fg");
    tmux.press("Enter");
    Awaitility.await().until(() -> tmux.screen().endsWith(rows));
    // Where the shell's echo of the command wraps depends on the length of our paths.
    assertThat(tmux.screen().replaceAll("\\s", ""))
        .endsWith(("-u alice" + rows).replaceAll("\\s", ""));
    peer.reset();
  }

  /** Dash leaves the terminal as the program does; bash repairs it, which a SIGSTOP needs. */
  @ParameterizedTest
  @CsvSource({"C-z,sh", "TSTP,sh", "C-z,bash", "STOP,bash"})
  void whoStopsTheProgramFindsTheLineAgain(String how, String shell) throws Exception {
    tmux = new Tmux(80, 40);
    tmux.type("exec " + shell + (shell.equals("bash") ? " --norc --noprofile" : ""));
    tmux.press("Enter");
    run("-u alice");
    Peer peer = server.acceptAndWelcome(0);
    tmux.await("alice>");
    tmux.type("send half a tho");
    tmux.press("Left", "Left");
    // What the program has not read when it stops is the shell's.
    Awaitility.await().until(() -> tmux.cursor().startsWith("alice> send half a t".length() + ","));
    if (how.equals("C-z")) {
      tmux.press(how);
    } else {
      tmux.signal(server.port(), how);
    }
    tmux.await("same-tty");
    tmux.type("clear; fg");
    tmux.press("Enter");
    // What was there before the screen was cleared ends in the shell's own.
    tmux.awaitEnd("alice> send half a tho");
    peer.send(new ServerMessage.Msg(0, now(), "bob", "are you there?"));
    tmux.await("bob: are you there?\nalice> send half a tho");
    tmux.type("X");
    tmux.press("Enter");
    assertThat(peer.expect(ClientMessage.Send.class).text()).isEqualTo("half a tXho");
    tmux.press("C-c");
    peer.expect(ClientMessage.Leave.class);
    peer.send(new ServerMessage.Ack(1, 1));
    peer.bye(0);
    tmux.await("left the chat\n$");
    tmux.type("[ \"$tty\" = \"$(stty -g)\" ] && echo as it was found");
    tmux.press("Enter");
    tmux.await("\nas it was found");
  }

  @Test
  void aTerminalAsksForTenEarlierMessages() throws Exception {
    tmux = new Tmux(80, 24);
    run("-u alice");
    Peer peer = server.accept();
    assertThat(peer.expect(ClientMessage.Hello.class).history()).isEqualTo(10);
    peer.welcome("alice", 5, 7);
    peer.send(
        new ServerMessage.Msg(5, now(), "bob", "old"),
        new ServerMessage.Msg(7, now(), "bob", "new"));
    tmux.await("bob: new\nalice>");
    assertThat(tmux.screen()).containsPattern("--- 1 earlier ---\n.*bob: old\n.*bob: new\nalice>");
  }

  @Test
  void leavingAStuckServerDoesNotTakeLong() throws Exception {
    join(80);
    tmux.type("send is anybody there?");
    tmux.press("Enter");
    tmux.type("leave");
    tmux.press("Enter");
    tmux.await("rc=1");
    assertThat(tmux.screen())
        .contains("the server does not answer", "not confirmed: is anybody there?", "same-tty");
  }

  @Test
  void aByeForGoodEndsWithoutAKey() throws Exception {
    Peer peer = join(80);
    tmux.type("half a tho");
    tmux.await("half a tho");
    peer.bye(405);
    tmux.await("rc=1");
    assertThat(tmux.screen())
        .contains("* this name continues in another window", "same-tty")
        .doesNotContain("reconnecting");
  }

  @Test
  void aTextThatCannotBeSentStaysForEditing() throws Exception {
    Peer peer = join(80);
    tmux.type("send a");
    tmux.press("C-v", "Escape");
    tmux.type("b");
    tmux.press("Enter");
    tmux.await("not sent: control characters cannot be sent: U+001B\n");
    tmux.press("BSpace", "BSpace");
    tmux.type("c");
    tmux.press("Enter");
    assertThat(peer.expect(ClientMessage.Send.class).text()).isEqualTo("ac");
  }

  @ParameterizedTest
  @ValueSource(strings = {"leave", "C-d", "INT", "TERM", "HUP"})
  void whoLeavesFindsTheTerminalAsItWas(String how) throws Exception {
    Peer peer = join(80);
    if (how.equals("C-d")) {
      tmux.press("C-d");
    } else if (how.equals("leave")) {
      tmux.type(how);
      tmux.press("Enter");
    } else {
      tmux.type("half a tho");
      tmux.await("half a tho");
      tmux.signal(server.port(), how);
    }
    peer.expect(ClientMessage.Leave.class);
    peer.bye(0);
    tmux.await("left the chat");
    tmux.await("rc=0 same-tty");
  }

  @ParameterizedTest
  @CsvSource({"INT,130", "TERM,143", "HUP,129"})
  void aSecondSignalEndsAtOnceAndTheTerminalIsAsItWas(String signal, int exitCode)
      throws Exception {
    Peer peer = join(80);
    tmux.type("half a tho");
    tmux.await("half a tho");
    Path seen = record();
    ProcessHandle client = tmux.client(server.port());
    new ProcessBuilder("kill", "-" + signal, "" + client.pid()).start().waitFor();
    peer.expect(ClientMessage.Leave.class);
    new ProcessBuilder("kill", "-" + signal, "" + client.pid()).start().waitFor();
    tmux.await("rc=" + exitCode + " same-tty");
    // Else the shell would find it in the mode in which a paste stands between marks.
    Awaitility.await()
        .untilAsserted(() -> assertThat(Files.readString(seen)).contains("\u001b[?2004l"));
  }

  /** Its window is closed, for example. */
  @Test
  void aTerminalThatGoesAwayLeavesTheChat() throws Exception {
    Peer peer = join(80);
    tmux.type("half a tho");
    tmux.await("half a tho");
    ProcessHandle client = tmux.client(server.port());
    tmux.hangUp();
    peer.expect(ClientMessage.Leave.class);
    peer.bye(0);
    client.onExit().get(10, TimeUnit.SECONDS);
  }

  /** Not even a screen that takes nothing more keeps the program alive. */
  @Test
  void aTerminalThatIsStuckHoldsUpNoEnd() throws Exception {
    Peer peer = join(80);
    ProcessHandle client = tmux.client(server.port());
    try (AutoCloseable frozen = tmux.freeze()) {
      for (int i = 0; i < 200; i++) {
        peer.send(new ServerMessage.Msg(i, now(), "bob", "x".repeat(1_000)));
      }
      new ProcessBuilder("kill", "-TERM", "" + client.pid()).start().waitFor();
      peer.expect(ClientMessage.Leave.class);
      peer.bye(0);
      client.onExit().get(10, TimeUnit.SECONDS);
    }
    // What it wrote may have ended within an escape sequence, which takes the next character, and
    // anywhere in a row, which ends within this then.
    Awaitility.await()
        .atMost(15, TimeUnit.SECONDS)
        .until(() -> tmux.screen().replace("\n", ""), screen -> screen.contains("=0 same-tty"));
  }

  /** Such as Ctrl-Space and Ctrl-\, which some terminal drivers know and others leave alone. */
  @Test
  void keysWithoutAMeaningDoNothing() throws Exception {
    Peer peer = join(80);
    tmux.type("send hal");
    tmux.await("send hal");
    tmux.press("C-Space", "C-\\");
    tmux.type("lo");
    tmux.await("send hallo");
    tmux.press("Enter");
    assertThat(peer.expect(ClientMessage.Send.class).text()).isEqualTo("hallo");
  }

  @Test
  void aTextThatIsTooLongStaysForEditing() throws Exception {
    tmux = new Tmux(80, 40);
    run("-u alice");
    Peer peer = server.accept();
    peer.expect(ClientMessage.Hello.class);
    peer.send(
        new ServerMessage.Welcome(
            1, false, 7, new ResumeToken(1, 2), 0, 0, 0, 1, 5, 30, "alice", ""));
    tmux.await("alice>");
    tmux.type("send 123456");
    tmux.press("Enter");
    tmux.await("not sent: longer than 5 bytes\nalice> send 123456");
    tmux.press("BSpace", "Enter");
    assertThat(peer.expect(ClientMessage.Send.class).text()).isEqualTo("12345");
  }

  @Test
  void controlCharactersOfAPasteAreNotSentAndNotObeyed() throws Exception {
    Peer peer = join(80);
    tmux.paste("send a\u001b[2J\u001a\u0003\u0001b\u0015", true);
    tmux.press("Enter");
    tmux.await("not sent: control characters cannot be sent");
    assertThat(tmux.screen()).contains("welcome");
    tmux.press("C-c");
    tmux.paste("send a\tb", true);
    tmux.press("Enter");
    assertThat(peer.expect(ClientMessage.Send.class).text()).matches("a[\t ]+b");
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aPasteOfAThousandLinesLosesNone(boolean inBrackets) throws Exception {
    Peer peer = join(80);
    StringBuilder lines = new StringBuilder();
    for (int i = 1; i <= 1_000; i++) {
      lines.append("send line ").append(i).append('\n');
    }
    tmux.paste(lines.toString(), inBrackets);
    tmux.press("Enter");
    if (inBrackets) {
      tmux.await("1000 lines, each a command: run them all? [y/N]");
      tmux.type("y");
      tmux.press("Enter");
    }
    for (int i = 1; i <= 1_000; i++) {
      assertThat(peer.expect(ClientMessage.Send.class).text()).isEqualTo("line " + i);
    }
    peer.send(new ServerMessage.Ack(999, 1_000));
    tmux.press("C-d");
    peer.expect(ClientMessage.Leave.class);
    peer.bye(0);
    tmux.await("rc=0");
  }

  @Test
  void aPasteOfManyLinesIsSentOnlyIfThatIsMeant() throws Exception {
    Peer peer = join(80);
    tmux.paste("send 1\nsend 2\nsend 3\n", true);
    tmux.press("Enter");
    for (int i = 1; i <= 3; i++) {
      assertThat(peer.expect(ClientMessage.Send.class).text()).isEqualTo("" + i);
    }
    peer.send(new ServerMessage.Ack(2, 3));
    // Only where a line is read again a paste comes in brackets.
    tmux.await("> send 3\n>\nalice>");
    tmux.paste("send 4\nsend 5\nsend 6\nsend 7", true);
    tmux.press("Enter");
    tmux.await("4 lines, each a command: run them all? [y/N]");
    peer.send(new ServerMessage.Msg(3, now(), "bob", "what?"));
    tmux.await("bob: what?");
    tmux.press("Enter");
    tmux.await("[y/N]\nalice> send 4\n> send 5\n> send 6\n> send 7");
    tmux.press("C-c");
    tmux.type("send none of them");
    tmux.press("Enter");
    assertThat(peer.expect(ClientMessage.Send.class).text()).isEqualTo("none of them");
  }

  @Test
  void aTerminalIsUtf8InEveryLocale() throws Exception {
    tmux = new Tmux(80, 40);
    tmux.type("export LC_ALL=C");
    tmux.press("Enter");
    run("-u alice");
    Peer peer = server.acceptAndWelcome(0);
    tmux.await("alice>");
    tmux.type("send \u540d\u524d e\u0301");
    tmux.press("Enter");
    assertThat(peer.expect(ClientMessage.Send.class).text()).isEqualTo("\u540d\u524d e\u0301");
    peer.send(new ServerMessage.Ack(0, 1), new ServerMessage.Msg(1, now(), "bob", "\u524d"));
    tmux.await("bob: \u524d");
  }

  @Test
  void tabOnAnEmptyLineInsertsNothing() throws Exception {
    Peer peer = join(80);
    tmux.press("Tab", "Space", "Tab");
    tmux.type("wh");
    tmux.press("Tab", "Enter");
    peer.expect(ClientMessage.Who.class);
    peer.send(new ServerMessage.Roster(false, List.of("alice")));
    tmux.await("* here (1): alice");
    assertThat(tmux.screen()).contains("alice>  who").doesNotContain("help");
  }

  @Test
  void keysMoveByWholeCharactersAndWhatIsShownIsSent() throws Exception {
    Peer peer = join(80);
    String family = "\ud83d\udc69\u200d\ud83d\udc69\u200d\ud83d\udc67";
    String flag = "\ud83c\udde9\ud83c\uddea";
    String thumb = "\ud83d\udc4d\ud83c\udffd";
    String heart = "\u2764\ufe0f";
    tmux.type("send 1" + family + "2" + flag + "3" + thumb + "4" + heart + "5e\u0301" + "6");
    tmux.await("6");
    // Over 6 and the letter with its accent; away with 5 and the heart.
    tmux.press("Left", "Left", "BSpace", "BSpace");
    tmux.type("a");
    tmux.press("Left", "Left", "Left", "Left", "Left");
    // Between the flag and 2: away with the flag, and again, over 2 and the family.
    tmux.press("DC", "Left", "Left");
    tmux.type("b");
    String rest = "b" + family + "23" + thumb + "4ae\u03016";
    tmux.press("Enter");
    assertThat(peer.expect(ClientMessage.Send.class).text()).isEqualTo("1" + rest);
    tmux.await("alice> send 1" + rest);
  }

  @Test
  void wordsAndLinesAreTakenAwayAtOnce() throws Exception {
    Peer peer = join(80);
    tmux.type("send one two three");
    tmux.press("C-w");
    tmux.type("four");
    tmux.press("Home", "Right", "Right", "Right", "Right", "Right", "DC", "End", "BSpace", "Enter");
    assertThat(peer.expect(ClientMessage.Send.class).text()).isEqualTo("ne two fou");
    tmux.type("send junk");
    tmux.press("C-u");
    tmux.type("send what and more");
    tmux.press("C-Left", "C-Left", "C-k", "BSpace", "Enter");
    assertThat(peer.expect(ClientMessage.Send.class).text()).isEqualTo("what");
  }

  @Test
  void keysThatComeBeforeTheNextPromptMeanTheSame() throws Exception {
    Peer peer = join(80);
    int lines = 60;
    for (int i = 0; i < lines; i++) {
      tmux.press("s", "e", "n", "d", "Space", "a", "Space", "c", "C-Left", "C-k", "b", "Enter");
    }
    for (int i = 0; i < lines; i++) {
      assertThat(peer.expect(ClientMessage.Send.class).text()).isEqualTo("a b");
    }
    peer.send(new ServerMessage.Ack(lines - 1, lines));
    tmux.await("alice>");
    assertThat(tmux.screen()).doesNotContain("^[").doesNotContain("^K");
  }

  @Test
  void historyAndCompletionSaveTyping() throws Exception {
    Peer peer = join(80);
    peer.send(new ServerMessage.Msg(0, now(), "Barbara", "hi"));
    tmux.await("Barbara: hi");
    tmux.type("send hello ba");
    tmux.press("Tab");
    tmux.await("send hello Barbara");
    tmux.press("Enter");
    assertThat(peer.expect(ClientMessage.Send.class).text().strip()).isEqualTo("hello Barbara");
    List<String> speakers = List.of("bart", "baker", "bahar");
    for (int i = 0; i < speakers.size(); i++) {
      peer.send(new ServerMessage.Msg(1 + i, now(), speakers.get(i), "hi"));
      tmux.await(speakers.get(i) + ": hi");
    }
    // Who spoke last comes first, whatever the alphabet or the length says.
    peer.send(new ServerMessage.Msg(4, now(), "Barbara", "hi again"));
    peer.send(new ServerMessage.Msg(5, now(), "baker", "hi again"));
    tmux.await("baker: hi again");
    tmux.type("send to ba");
    for (String next : List.of("baker", "Barbara", "bahar", "bart")) {
      tmux.press("Tab");
      tmux.await("send to " + next);
    }
    tmux.type("hi");
    tmux.press("Enter");
    assertThat(peer.expect(ClientMessage.Send.class).text()).isEqualTo("to bart hi");
    tmux.type("send what!  is \\new");
    tmux.press("Enter");
    assertThat(peer.expect(ClientMessage.Send.class).text()).isEqualTo("what!  is \\new");
    tmux.press("Up", "Up", "Down", "Enter");
    assertThat(peer.expect(ClientMessage.Send.class).text()).isEqualTo("what!  is \\new");
  }

  /** Wherever in the history the line before it was. */
  @Test
  void aLineThatControlCHasClearedBeginsBehindTheHistory() throws Exception {
    Peer peer = join(80);
    for (String text : List.of("one", "two", "three")) {
      tmux.type("send " + text);
      tmux.press("Enter");
      assertThat(peer.expect(ClientMessage.Send.class).text()).isEqualTo(text);
    }
    peer.send(new ServerMessage.Ack(2, 3));
    tmux.press("Up", "Up");
    tmux.awaitEnd("send two");
    tmux.type("fold");
    tmux.awaitEnd("send twofold");
    tmux.press("C-c");
    tmux.awaitEnd("alice>");
    tmux.press("Up");
    tmux.awaitEnd("send three");
    tmux.press("Up");
    tmux.awaitEnd("send two");
    tmux.press("Enter");
    assertThat(peer.expect(ClientMessage.Send.class).text()).isEqualTo("two");
  }

  @Test
  void arrowsWorkInBothOfTheirForms() throws Exception {
    Peer peer = join(80);
    // As they come while no line is read, and as they come else.
    for (String form : List.of("\u001b[", "\u001bO")) {
      tmux.type("send ac" + form + "Db" + form + "Cd");
      tmux.press("Enter");
      assertThat(peer.expect(ClientMessage.Send.class).text()).isEqualTo("abcd");
      tmux.type(form + "A");
      tmux.press("Enter");
      assertThat(peer.expect(ClientMessage.Send.class).text()).isEqualTo("abcd");
      tmux.type("nd it" + form + "Hse" + form + "F!");
      tmux.press("Enter");
      assertThat(peer.expect(ClientMessage.Send.class).text()).isEqualTo("it!");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"", " --no-bell"})
  void onesOwnNameRingsOnceASecondAtMostAndStandsOut(String option) throws Exception {
    tmux = new Tmux(80, 24);
    Path recording = record();
    run("-u alice" + option);
    Peer peer = server.acceptAndWelcome(0);
    tmux.await("alice>");
    for (int i = 0; i < 5; i++) {
      peer.send(new ServerMessage.Msg(i, now(), "bob", "hi Alice, dear alice, " + i));
    }
    tmux.await("hi Alice, dear alice, 4");
    peer.send(new ServerMessage.Msg(5, now(), "bob", "malice"));
    tmux.await("malice");
    Awaitility.await()
        .untilAsserted(() -> assertThat(Files.readString(recording)).contains("malice"));
    String recorded = Files.readString(recording);
    assertThat(recorded.chars().filter(c -> c == 7).count())
        .isBetween(option.isEmpty() ? 1L : 0L, option.isEmpty() ? 2L : 0L);
    String inverse = "\u001b\\[[0-9;]*\\b7\\b[0-9;]*m";
    assertThat(recorded).containsPattern(inverse + "Alice\u001b");
    assertThat(recorded).containsPattern(inverse + "alice\u001b");
    peer.reset();
  }

  @ParameterizedTest
  @ValueSource(strings = {"NO_COLOR=1", "TERM=dumb"})
  void withoutColourThereIsNoEscapeSequence(String variable) throws Exception {
    tmux = new Tmux(80, 24);
    tmux.type("export " + variable);
    tmux.press("Enter");
    Path recording = record();
    run("-u alice");
    Peer peer = server.acceptAndWelcome(0);
    tmux.await("alice>");
    peer.send(new ServerMessage.Msg(0, now(), "bob", "hi alice"));
    tmux.type("who");
    tmux.await("alice> who");
    peer.bye(406);
    tmux.await("rc=1");
    String recorded = Files.readString(recording);
    assertThat(recorded.substring(recorded.indexOf("welcome"))).doesNotContain("\u001b");
  }

  /** It is not prompted for and edited then, but read as it comes from the terminal's driver. */
  @Test
  void whereTheOutputIsNoTerminalThereIsNoPromptAndNoEscapeSequence() throws Exception {
    tmux = new Tmux(80, 200);
    Path out = Files.createTempFile("chat-terminal", ".out");
    out.toFile().deleteOnExit();
    run("> " + out);
    tmux.await("a name is needed: --username NAME or CHAT_USERNAME");
    tmux.await("rc=2 same-tty");
    String modes = tmux.modes();
    run("-u alice > " + out);
    Peer peer = server.acceptAndWelcome(0);
    Path recording = record();
    String fake = "12:00 eve: hi ";
    peer.send(new ServerMessage.Msg(0, now(), "bob", "hi alice " + fake.repeat(9)));
    for (int fill = 50; fill <= 60; fill++) {
      peer.send(new ServerMessage.Refused(199, 0, "x".repeat(fill) + fake.repeat(9)));
    }
    tmux.await("x".repeat(59));
    tmux.type("send x");
    tmux.press("Enter");
    assertThat(peer.expect(ClientMessage.Send.class).text()).isEqualTo("x");
    assertThat(tmux.modes()).isEqualTo(modes);
    peer.send(new ServerMessage.Ack(1, 1));
    tmux.press("C-d");
    peer.expect(ClientMessage.Leave.class);
    assertThat(tmux.screen()).doesNotContain("alice>");
    // What it complains of goes to the terminal, and no row of it begins like another line.
    assertThat(tmux.screen().lines())
        .filteredOn(row -> row.contains("eve"))
        .allMatch(row -> row.startsWith("the server refuses: x") || row.startsWith(" ".repeat(6)));
    peer.bye(0);
    tmux.await("rc=0 same-tty");
    assertThat(Files.readString(recording)).doesNotContain("\u001b");
    assertThat(Files.readString(out))
        .doesNotContain("\u001b", "\u0007", "\r", "alice>")
        .contains(" bob: hi alice " + fake.repeat(9) + "\n")
        .endsWith("left the chat\n");
  }

  @Test
  void whereTheInputIsNoTerminalThereIsNoPromptAndNoEscapeSequence() throws Exception {
    tmux = new Tmux(80, 100);
    tmux.startClient("echo bob | ", server.port(), "");
    tmux.await("a name is needed: --username NAME or CHAT_USERNAME");
    tmux.await("rc=2 same-tty");
    String modes = tmux.modes();
    tmux.startClient("sleep 1000 | ", server.port(), "-u alice");
    Peer peer = server.accept();
    peer.expect(ClientMessage.Hello.class);
    Path recording = record();
    peer.welcome("alice", 0, 0);
    peer.send(new ServerMessage.Msg(0, now(), "bob", "hi alice"));
    tmux.await("bob: hi alice");
    assertThat(tmux.modes()).isEqualTo(modes);
    tmux.signal(server.port(), "TERM");
    peer.expect(ClientMessage.Leave.class);
    peer.bye(0);
    tmux.await("left the chat");
    assertThat(tmux.screen()).doesNotContain("alice>");
    assertThat(Files.readString(recording))
        .contains("left the chat")
        .doesNotContain("\u001b", "\u0007");
  }

  /** From now on. */
  private Path record() throws Exception {
    Path recording = Files.createTempFile("chat-terminal", ".raw");
    recording.toFile().deleteOnExit();
    tmux.record(recording);
    return recording;
  }

  private Peer join(int columns) throws Exception {
    tmux = new Tmux(columns, 40);
    run("-u alice");
    Peer peer = server.acceptAndWelcome(0);
    tmux.await("welcome, alice");
    tmux.await("alice>");
    return peer;
  }

  private void run(String options) throws Exception {
    tmux.startClient(server.port(), options);
  }

  private static int now() {
    return (int) (System.currentTimeMillis() / 1000);
  }
}
