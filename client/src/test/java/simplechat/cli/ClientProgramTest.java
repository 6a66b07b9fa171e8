package simplechat.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.netty.buffer.Unpooled;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.BindException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneId;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import simplechat.client.ScriptedServer;
import simplechat.client.ScriptedServer.Peer;
import simplechat.protocol.ClientMessage;
import simplechat.protocol.Limits;
import simplechat.protocol.RoomKey;
import simplechat.protocol.ServerMessage;

/** The program as a process, with pipes for its streams. */
@Tag("slow")
@Execution(ExecutionMode.CONCURRENT)
class ClientProgramTest {
  private static final boolean FULL = "full".equals(System.getProperty("chat.load"));
  private static final int EXIT_SECONDS = 20;

  private ScriptedServer server;
  private final List<Running> running = new ArrayList<>();

  @BeforeEach
  void listen() throws IOException {
    server = new ScriptedServer();
  }

  @AfterEach
  void stop() throws IOException {
    running.forEach(program -> program.process.destroyForcibly());
    server.close();
  }

  @Test
  void aScriptIsSentConfirmedAndLeft() throws Exception {
    Running program = start("-u", "alice");
    program.type("send hello  world\r\nSEND 名前\nsend last");
    program.endInput();
    Peer peer = server.acceptAndWelcome(0);
    assertThat(peer.expect(ClientMessage.Send.class).text()).isEqualTo("hello  world");
    assertThat(peer.expect(ClientMessage.Send.class).text()).isEqualTo("名前");
    assertThat(peer.expect(ClientMessage.Send.class).text()).isEqualTo("last");
    peer.expect(ClientMessage.Leave.class);
    peer.send(new ServerMessage.Ack(2, 3));
    peer.bye(0);
    assertThat(program.exitCode()).isZero();
    assertThat(program.out())
        .isEqualTo("* welcome, alice: nobody else is here yet\nleft the chat\n");
    assertThat(program.err()).isEmpty();
  }

  @Test
  void whatIsReceivedIsMadeHarmless() throws Exception {
    Running program = start("-u", "alice");
    Peer peer = server.acceptAndWelcome(0);
    String evil = "\u001b]0;x\u0007\u202e\u2028\u009b";
    peer.send(
        new ServerMessage.Msg(0, 1, evil, evil + "\n12:00 eve: hi"),
        new ServerMessage.Joined(1, 1, 2, ServerMessage.JoinedHow.JOINED, evil),
        new ServerMessage.Left(2, 1, 1, ServerMessage.LeftWhy.LOST, evil),
        new ServerMessage.Refused(199, 0, evil),
        new ServerMessage.Bye(499, 0, evil));
    peer.close();
    assertThat(program.exitCode()).isEqualTo(1);
    String all = program.out() + program.err();
    assertThat(all).contains("␛]0;x␇<U+202E><U+2028><U+009B>").contains("\n      12:00 eve: hi\n");
    assertThat(HarmfulCharacters.in(all)).isEmpty();
    assertThat(all).doesNotContain("Exception");
  }

  @Test
  void anUnconfirmedMessageIsListed() throws Exception {
    Running program = start("-u", "alice");
    program.type("send one\nsend two\n");
    Peer peer = server.acceptAndWelcome(0);
    peer.expect(ClientMessage.Send.class);
    peer.expect(ClientMessage.Send.class);
    peer.send(new ServerMessage.Ack(0, 1));
    peer.bye(406);
    assertThat(program.exitCode()).isEqualTo(1);
    assertThat(program.err()).isEqualTo("* you were removed from the chat\nnot confirmed: two\n");
  }

  @Test
  void aRefusedMessageIsShownWithTheReason() throws Exception {
    Running program = start("-u", "alice");
    program.type("send one\n");
    Peer peer = server.acceptAndWelcome(0);
    peer.expect(ClientMessage.Send.class);
    peer.send(new ServerMessage.Refused(105, 1, "busy"));
    program.endInput();
    peer.expect(ClientMessage.Leave.class);
    peer.bye(0);
    assertThat(program.exitCode()).isEqualTo(1);
    assertThat(program.err()).isEqualTo("not sent: busy: one\n");
  }

  @Test
  void aLineThatCannotBeSentIsRefusedAndTheNextOneCounts() throws Exception {
    Running program = start("-u", "alice");
    Peer peer = server.acceptAndWelcome(0);
    program.type("send a\u001bb\nsend " + "x".repeat(70_000) + "\nsnd x\nsend\nsend ok\nhelp\n");
    program.endInput();
    assertThat(peer.expect(ClientMessage.Send.class).text()).isEqualTo("ok");
    peer.expect(ClientMessage.Leave.class);
    peer.send(new ServerMessage.Ack(0, 1));
    peer.bye(0);
    assertThat(program.exitCode()).isEqualTo(1);
    assertThat(program.err())
        .isEqualTo(
            """
            not sent: control characters cannot be sent: U+001B
            not sent: longer than 65536 bytes
            unknown command 'snd' - use: send <message>, who, leave, help
            usage: send <message>
            """);
  }

  @Test
  void anInputOfAnySizeAndEncodingIsSentAsItIsOrRefusedInOneLine() throws Exception {
    Running program = start("-u", "alice");
    Peer peer = server.acceptAndWelcome(0);
    program.type("\ufeffsend one\n");
    program.process.getOutputStream().write(new byte[] {'s', 'e', 'n', 'd', ' ', -1, '\n'});
    byte[] endless = "x".repeat(1024 * 1024).getBytes(StandardCharsets.US_ASCII);
    for (int i = 0; i < 10; i++) {
      program.process.getOutputStream().write(endless);
    }
    program.type("\nsend two");
    program.endInput();
    assertThat(peer.expect(ClientMessage.Send.class).text()).isEqualTo("one");
    assertThat(peer.expect(ClientMessage.Send.class).text()).isEqualTo("two");
    peer.expect(ClientMessage.Leave.class);
    peer.send(new ServerMessage.Ack(1, 2));
    peer.bye(0);
    assertThat(program.exitCode()).isEqualTo(1);
    assertThat(program.err())
        .isEqualTo(
            """
            not sent: line 2 is not valid UTF-8
            not sent: line 3 is longer than 1048640 bytes
            """);
  }

  @Test
  void anAnswerToWhoIsPrintedBeforeTheNextLineCounts() throws Exception {
    Running program = start("-u", "alice");
    program.type("who\nleave\nsend never");
    Peer peer = server.acceptAndWelcome(0);
    peer.expect(ClientMessage.Who.class);
    peer.send(new ServerMessage.Roster(false, List.of("bob", "alice")));
    peer.expect(ClientMessage.Leave.class);
    peer.bye(0);
    peer.expectFin();
    assertThat(program.exitCode()).isZero();
    assertThat(program.out()).contains("* here (2): alice, bob\nleft the chat\n");
  }

  @Test
  void aPipeIsReadNoFasterThanItsLinesAreConfirmed() throws Exception {
    Running program = start("-u", "alice");
    Thread typing =
        new Thread(
            () -> {
              try {
                program.type("send x\n".repeat(3_000));
                program.endInput();
              } catch (IOException e) {
                throw new AssertionError(e);
              }
            });
    typing.start();
    Peer peer = server.acceptAndWelcome(0);
    // A thousand wait at most, so the answers decide when the rest comes.
    for (int i = 1; i <= 3_000; i++) {
      peer.expect(ClientMessage.Send.class);
      if (i % 1_000 == 0) {
        if (i < 3_000) {
          peer.send(new ServerMessage.Ping(i));
          peer.expect(ClientMessage.Pong.class);
        }
        peer.send(new ServerMessage.Ack(i - 1, i));
      }
    }
    peer.expect(ClientMessage.Leave.class);
    peer.bye(0);
    assertThat(program.exitCode()).isZero();
    typing.join();
  }

  /** The same by the clock on the wall: half a minute behind the last confirmation. */
  @Test
  @EnabledIfSystemProperty(named = "chat.load", matches = "full")
  void aPipeIsWaitedForHalfAMinute() throws Exception {
    Running program = start("-u", "alice");
    program.type("send one\nsend two");
    program.endInput();
    Peer peer = server.acceptAndWelcome(0);
    peer.expect(ClientMessage.Send.class);
    peer.expect(ClientMessage.Send.class);
    peer.expect(ClientMessage.Leave.class);
    assertThat(program.process.waitFor(20, TimeUnit.SECONDS)).isFalse();
    peer.send(new ServerMessage.Ack(0, 1));
    long confirmed = System.nanoTime();
    assertThat(program.process.waitFor(40, TimeUnit.SECONDS)).isTrue();
    assertThat((System.nanoTime() - confirmed) / 1_000_000_000.0).isBetween(28.0, 33.0);
    assertThat(program.exitCode()).isEqualTo(1);
    assertThat(program.err()).isEqualTo("* the server does not answer\nnot confirmed: two\n");
  }

  @Test
  void refusedAtTheDoorIsThree() throws Exception {
    Running program = start("-u", "alice");
    program.type("bob\nbob\n");
    Peer peer = server.accept();
    peer.expect(ClientMessage.Hello.class);
    peer.send(new ServerMessage.Refused(200, 0, "taken"));
    peer.expectFin();
    assertThat(program.exitCode()).isEqualTo(3);
    assertThat(program.err()).isEqualTo("the name alice is taken\n");

    // Of a server that has other rules than this program.
    Running unwanted = start("-u", "al.ice");
    Peer older = server.accept();
    assertThat(older.expect(ClientMessage.Hello.class).name()).isEqualTo("al.ice");
    older.send(new ServerMessage.Refused(201, 0, "a name has no dots"));
    older.expectFin();
    assertThat(unwanted.exitCode()).isEqualTo(3);
    assertThat(unwanted.out()).isEmpty();
    assertThat(unwanted.err()).isEqualTo("join refused: a name has no dots\n");

    Running second = start("-u", "alice");
    Peer full = server.accept();
    full.expect(ClientMessage.Hello.class);
    full.bye(301);
    assertThat(second.exitCode()).isEqualTo(3);
    assertThat(second.err()).isEqualTo("the server is full\n");
  }

  @Test
  void aWrongServerIsSaidInOneLine() throws Exception {
    Running program = start("-u", "alice");
    Peer peer = server.accept();
    peer.send(Unpooled.copiedBuffer("HTTP/1.1 400 Bad Request\r\n\r\n", StandardCharsets.US_ASCII));
    assertThat(program.exitCode()).isEqualTo(1);
    assertThat(program.err()).isEqualTo("127.0.0.1:" + server.port() + " is not a chat server\n");
  }

  @ParameterizedTest
  @CsvSource({"127.0.0.1,127.0.0.1", "::1,[::1]", "[::1],[::1]"})
  void nobodyListeningIsSaidInOneLine(String host, String shown) throws Exception {
    int port;
    try (ServerSocket closed = new ServerSocket(0, 1, InetAddress.getByName(host))) {
      port = closed.getLocalPort();
    } catch (BindException e) {
      assumeTrue(host.equals(shown), "there is no IPv6 here");
      throw e;
    }
    long began = System.nanoTime();
    Running program = launch(List.of("--host", host, "--port", "" + port, "-u", "alice"), Map.of());
    assertThat(program.exitCode()).isEqualTo(1);
    assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(atMost(5));
    assertThat(program.out()).isEmpty();
    assertThat(program.err())
        .isEqualTo("cannot connect to " + shown + ":" + port + ": connection refused\n");
  }

  /** At any step: before there is a connection, before it is safe, and before the welcome. */
  @ParameterizedTest
  @CsvSource({
    "cannot connect to 127.0.0.1:%d: no answer,",
    "cannot connect to 127.0.0.1:%d: no answer to the TLS handshake,--tls",
    "cannot join at 127.0.0.1:%d: no answer to the join,"
  })
  void aServerThatIsSilentIsNotWaitedForLong(String why, @Nullable String option) throws Exception {
    List<Socket> queue = new ArrayList<>();
    try (ServerSocket silent = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      int port = silent.getLocalPort();
      if (why.endsWith("no answer")) {
        fill(silent, queue);
      }
      List<String> options = new ArrayList<>(List.of("--port", "" + port, "-u", "alice"));
      if (option != null) {
        options.add(option);
      }
      long began = System.nanoTime();
      Running program = launch(options, Map.of());
      assertThat(program.exitCode()).isEqualTo(1);
      assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(atMost(10));
      assertThat(program.out()).isEmpty();
      assertThat(program.err()).isEqualTo(why.formatted(port) + "\n");
    } finally {
      for (Socket waiting : queue) {
        waiting.close();
      }
    }
  }

  /** Connects until nobody else can, because they are not taken from where they wait. */
  private static void fill(ServerSocket silent, List<Socket> queue) throws IOException {
    try {
      while (queue.size() < 100) {
        Socket next = new Socket();
        queue.add(next);
        next.connect(silent.getLocalSocketAddress(), 300);
      }
    } catch (SocketTimeoutException e) {
      return;
    }
    assumeTrue(false, "here whoever is not accepted is answered all the same");
  }

  /** In a build that may share its machine it is no more than a bound. */
  private static Duration atMost(int seconds) {
    return Duration.ofSeconds(FULL ? seconds : EXIT_SECONDS);
  }

  @Test
  void retryGoesOnUntilTheServerLetsOneIn() throws Exception {
    int port = server.port();
    server.close();
    Running program = launch(List.of("--port", "" + port, "-u", "alice", "--retry"), Map.of());
    program.awaitErr("connection refused - trying again\n");
    server = new ScriptedServer(port);
    Peer full = server.accept();
    full.expect(ClientMessage.Hello.class);
    full.send(new ServerMessage.Bye(301, 1, ""));
    full.close();
    Peer silent = server.accept();
    silent.expect(ClientMessage.Hello.class);
    silent.reset();
    Peer peer = server.acceptAndWelcome(0);
    program.endInput();
    peer.expect(ClientMessage.Leave.class);
    peer.bye(0);
    assertThat(program.exitCode()).isZero();
    assertThat(program.err())
        .isEqualTo("cannot connect to 127.0.0.1:" + port + ": connection refused - trying again\n");
  }

  @Test
  void retryEndsWhenItIsToldTo() throws Exception {
    int port = server.port();
    server.close();
    Map<String, String> retry = Map.of("CHAT_RETRY", "true");
    Running program = launch(List.of("--port", "" + port, "-u", "alice"), retry);
    program.awaitErr("trying again\n");
    program.process.destroy();
    assertThat(program.exitCode()).isEqualTo(143);
    assertThat(program.err().lines()).hasSize(1);
  }

  @Test
  void retryDoesNotArgueWithAWrongServer() throws Exception {
    Running program = start("-u", "alice", "--retry");
    server.accept().bye(406);
    assertThat(program.exitCode()).isEqualTo(1);
    assertThat(program.err()).isEqualTo("you were removed from the chat\n");
  }

  @Test
  void wrongOptionsAreUsageErrorsAndConnectNowhere() throws Exception {
    assertUsage("--port is a number from 1 to 65535, not '0'", "-u", "a", "--port", "0");
    assertUsage("--port is a number from 1 to 65535, not 'abc'", "-u", "a", "--port", "abc");
    assertUsage("'a b' cannot be a name: a name has no white space", "-u", "a b");
    assertUsage("a name is needed: --username NAME or CHAT_USERNAME");
    assertUsage("--history is a number from 0 to 65535, not '-1'", "-u", "a", "--history=-1");
    assertUsage("Unknown option: '--colour'", "--colour");
    assertUsage("'hello' is no option", "hello");
  }

  @Test
  void aWrongVariableIsNamedAndAnEmptyOneIsNone() throws Exception {
    assertUsageOf("CHAT_PORT is a number from 1 to 65535, not 'abc'", "CHAT_PORT", "abc");
    assertUsageOf("CHAT_HOST is empty", "CHAT_HOST", " ");
    assertUsageOf("CHAT_RETRY is true or false, not 'yes'", "CHAT_RETRY", "yes");
    assertUsageOf("CHAT_USERNAME: 'a b' cannot be a name", "CHAT_USERNAME", "a b");
    Running program =
        launch(
            List.of("-u", "alice", "--port", "" + server.port()),
            Map.of("CHAT_PORT", "abc", "CHAT_HOST", "", "CHAT_RETRY", ""));
    server.accept();
    program.process.destroy();
  }

  @Test
  void theEnvironmentStandsInForWhatIsNotGiven() throws Exception {
    Map<String, String> environment = new HashMap<>();
    environment.put("CHAT_HOST", "[127.0.0.1]");
    environment.put("CHAT_PORT", "" + server.port());
    environment.put("CHAT_USERNAME", "bob");
    launch(List.of(), environment);
    assertThat(server.accept().expect(ClientMessage.Hello.class).name()).isEqualTo("bob");
    environment.remove("CHAT_USERNAME");
    assertUsage(
        "a name is needed: --username NAME or CHAT_USERNAME", launch(List.of(), environment));
  }

  @Test
  void flagsGoBeforeTheEnvironment() throws Exception {
    Map<String, String> others =
        Map.of("CHAT_HOST", "nowhere.invalid", "CHAT_PORT", "1", "CHAT_USERNAME", "bob");
    List<String> flags =
        List.of("--host", "127.0.0.1", "--port", "" + server.port(), "-u", "alice", "--history=3");
    launch(flags, others);
    ClientMessage.Hello hello = server.accept().expect(ClientMessage.Hello.class);
    assertThat(hello.name()).isEqualTo("alice");
    assertThat(hello.history()).isEqualTo(3);
    // One flag leaves the others to the environment.
    launch(
        List.of("-p", "" + server.port()),
        Map.of("CHAT_HOST", "127.0.0.1", "CHAT_PORT", "1", "CHAT_USERNAME", "bob"));
    assertThat(server.accept().expect(ClientMessage.Hello.class).name()).isEqualTo("bob");
  }

  @Test
  void aPipeAsksForNoEarlierMessages() throws Exception {
    start("-u", "alice");
    assertThat(server.accept().expect(ClientMessage.Hello.class).history()).isZero();
  }

  @Test
  void earlierMessagesStandBehindALineThatCountsThem() throws Exception {
    Running program = start("-u", "alice", "--history", "10");
    Peer peer = server.accept();
    assertThat(peer.expect(ClientMessage.Hello.class).history()).isEqualTo(10);
    peer.welcome("alice", 5, 8);
    int now = (int) (System.currentTimeMillis() / 1000);
    peer.send(
        new ServerMessage.Msg(5, now, "bob", "one"),
        new ServerMessage.Msg(6, now, "bob", "two"),
        new ServerMessage.Gap(20, 11),
        new ServerMessage.Msg(20, now, "bob", "three"),
        new ServerMessage.Bye(406, 0, ""));
    peer.close();
    program.exitCode();
    assertThat(program.out().replaceAll("\\d\\d:\\d\\d ", ""))
        .endsWith("--- 2 earlier ---\nbob: one\nbob: two\n* you missed 11 events\nbob: three\n");
  }

  @ParameterizedTest
  @CsvSource({"TERM,143", "INT,130", "HUP,129"})
  void aSignalLeavesAndASecondOneEnds(String signal, int exitCode) throws Exception {
    Running program = start("-u", "alice");
    Peer peer = server.acceptAndWelcome(0);
    program.awaitOut("welcome");
    program.signal(signal);
    peer.expect(ClientMessage.Leave.class);
    peer.bye(0);
    assertThat(program.exitCode()).isZero();

    int ended = stopTwice(signal);
    for (int i = 0; i < 4 && ended == 1; i++) {
      // The machine was so busy that a silent server had been waited for long enough by then.
      ended = stopTwice(signal);
    }
    assertThat(ended).isEqualTo(exitCode);
  }

  private int stopTwice(String signal) throws Exception {
    Running stuck = start("-u", "bob");
    Peer silent = server.acceptAndWelcome(0);
    stuck.awaitOut("welcome");
    stuck.signal(signal);
    silent.expect(ClientMessage.Leave.class);
    stuck.signal(signal);
    return stuck.exitCode();
  }

  @Test
  void aClosedOutputLeaves() throws Exception {
    Running program = start("-u", "alice");
    Peer peer = server.acceptAndWelcome(0);
    program.awaitOut("welcome");
    program.process.getInputStream().close();
    peer.send(new ServerMessage.Msg(0, 1, "bob", "is anybody there?"));
    peer.expect(ClientMessage.Leave.class);
    peer.bye(0);
    assertThat(program.exitCode()).isZero();
    assertThat(program.err()).isEmpty();
  }

  /** Which is no reader that has gone. */
  @Test
  void aFullDiskIsAnError() throws Exception {
    assumeTrue(Files.exists(Path.of("/dev/full")), "no /dev/full here");
    ProcessBuilder builder =
        command(List.of("--port", "" + server.port(), "-u", "alice"), Map.of());
    Running program = new Running(builder.redirectOutput(new File("/dev/full")));
    running.add(program);
    Peer peer = server.acceptAndWelcome(0);
    peer.expect(ClientMessage.Leave.class);
    peer.bye(0);
    assertThat(program.exitCode()).isEqualTo(1);
    assertThat(program.err()).startsWith("cannot write: ").hasLineCount(1);
  }

  @Test
  void inputAndOutputAreUtf8InEveryLocale() throws Exception {
    Running program =
        launch(
            List.of("-u", "alice", "--port", "" + server.port()),
            Map.of("LC_ALL", "POSIX", "JAVA_TOOL_OPTIONS", "-Dfile.encoding=ISO-8859-1"));
    program.type("send 名前\n");
    Peer peer = server.acceptAndWelcome(0);
    assertThat(peer.expect(ClientMessage.Send.class).text()).isEqualTo("名前");
    peer.send(new ServerMessage.Ack(0, 1), new ServerMessage.Msg(1, 1, "bob", "前"));
    program.awaitOut("bob: 前");
  }

  @Test
  void helpAndVersionAnswerOnStdout() throws Exception {
    Running help = launch(List.of("--help"), Map.of());
    assertThat(help.exitCode()).isZero();
    assertThat(help.out()).contains("--username", "CHAT_HOST").doesNotContain("\u001b");
    Running version = launch(List.of("--version"), Map.of());
    assertThat(version.exitCode()).isZero();
    assertThat(version.out()).startsWith("Simple Chat");
  }

  /** The lines of both members are the same, each its own message and its coming included. */
  @Test
  void aLogHasThePositionsOfTheRoomAndIsItsOwnersAlone(@TempDir Path dir) throws Exception {
    Path log = dir.resolve("a.log");
    Running program = start("-u", "alice", "--log", log.toString(), "--quiet");
    Peer peer = server.accept();
    peer.expect(ClientMessage.Hello.class);
    peer.welcome("alice", 0, 6);
    peer.send(
        new ServerMessage.Msg(4, 1, "bob", "before"),
        new ServerMessage.Msg(6, 1, "bob", "one\n7 eve: \u001b[2Jtwo"),
        new ServerMessage.Joined(7, 1, 3, ServerMessage.JoinedHow.JOINED, "carol"));
    program.type("send mine\n");
    peer.expect(ClientMessage.Send.class);
    peer.send(
        new ServerMessage.Ack(8, 1),
        new ServerMessage.Left(9, 1, 2, ServerMessage.LeftWhy.LOST, "carol"),
        new ServerMessage.Gap(12, 2));
    program.endInput();
    peer.expect(ClientMessage.Leave.class);
    peer.bye(0);
    assertThat(program.exitCode()).isZero();
    assertThat(program.out()).doesNotContain("carol");
    assertThat(Files.readString(log))
        .isEqualTo(
            """
            --- room 000000000000004d ---
            4 bob: before
            5 * alice joined
            6 bob: one
                  7 eve: ␛[2Jtwo
            7 * carol joined
            8 alice: mine
            9 * carol lost connection
            --- 2 missed ---
            """);
    assertThat(Files.getPosixFilePermissions(log))
        .isEqualTo(PosixFilePermissions.fromString("rw-------"));
  }

  /** Nor does anybody else read on in a file that was everybody's. */
  @Test
  void aLogThatWasThereIsItsOwnersAloneToo(@TempDir Path dir) throws Exception {
    Path log = Files.writeString(dir.resolve("a.log"), "of another day\n");
    Files.setPosixFilePermissions(log, PosixFilePermissions.fromString("rw-r--r--"));
    Running program = start("-u", "alice", "--log", log.toString());
    program.endInput();
    Peer peer = server.acceptAndWelcome(0);
    peer.expect(ClientMessage.Leave.class);
    peer.bye(0);
    assertThat(program.exitCode()).isZero();
    assertThat(Files.readString(log)).startsWith("of another day\n--- room ");
    assertThat(Files.getPosixFilePermissions(log))
        .isEqualTo(PosixFilePermissions.fromString("rw-------"));
  }

  @Test
  void aLogThatCannotBeWrittenIsSaidBeforeAnybodyIsTold(@TempDir Path dir) throws Exception {
    Running program = start("-u", "alice", "--log", "/no/such/directory/a.log");
    assertThat(program.exitCode()).isEqualTo(1);
    assertThat(program.err())
        .isEqualTo("cannot write the log /no/such/directory/a.log: no such directory\n");
    Running second = start("-u", "alice", "--log", dir.toString());
    assertThat(second.exitCode()).isEqualTo(1);
    assertThat(second.err()).isEqualTo("cannot write the log " + dir + ": Is a directory\n");
  }

  @Test
  void forProgramsEachLineIsAnObjectAndNothingElseIsPrinted() throws Exception {
    Running program = start("-u", "alice", "--json");
    program.type("who\nsend \u540d\nhelp\nsnd\n");
    Peer peer = server.acceptAndWelcome(5);
    peer.expect(ClientMessage.Who.class);
    peer.send(new ServerMessage.Roster(false, List.of("alice", "bob")));
    peer.expect(ClientMessage.Send.class);
    peer.send(
        new ServerMessage.Ack(5, 1),
        new ServerMessage.Msg(6, 1, "bob", "a\n\u202e\"b\""),
        new ServerMessage.Joined(7, 1, 3, ServerMessage.JoinedHow.CAME_BACK, "carol"),
        new ServerMessage.Left(8, 1, 2, ServerMessage.LeftWhy.SLOW, "carol"),
        new ServerMessage.Gap(12, 3));
    program.endInput();
    peer.expect(ClientMessage.Leave.class);
    peer.bye(0);
    assertThat(program.exitCode()).isZero();
    String event = "\"time\":\"1970-01-01T00:00:01Z\",\"replayed\":false,";
    assertThat(program.out().lines())
        .containsExactly(
            "{\"type\":\"welcome\",\"name\":\"alice\",\"members\":1,"
                + "\"room\":\"000000000000004d\",\"position\":5,\"resumed\":false}",
            "{\"type\":\"roster\",\"names\":[\"alice\",\"bob\"]}",
            "{\"type\":\"sent\",\"position\":5,\"text\":\"\u540d\"}",
            "{\"type\":\"message\",\"position\":6,"
                + event
                + "\"name\":\"bob\",\"text\":\"a\\n\\u202e\\\"b\\\"\"}",
            "{\"type\":\"joined\",\"position\":7,"
                + event
                + "\"name\":\"carol\",\"members\":3,\"back\":true}",
            "{\"type\":\"left\",\"position\":8,"
                + event
                + "\"name\":\"carol\",\"members\":2,\"why\":\"slow\"}",
            "{\"type\":\"gap\",\"missed\":3}",
            "{\"type\":\"end\",\"left\":true,\"code\":0,\"text\":\"\"}");
    assertThat(program.err()).startsWith("unknown command 'snd'");
  }

  @Test
  void oneMessageIsSentAndItsEndIsTheRoomHavingIt() throws Exception {
    Running program = send(List.of("-u", "alice", "--", "hello", "-world"));
    Peer peer = server.acceptAndWelcome(0);
    assertThat(peer.expect(ClientMessage.Send.class).text()).isEqualTo("hello -world");
    peer.expect(ClientMessage.Leave.class);
    peer.send(new ServerMessage.Ack(0, 1));
    peer.bye(0);
    assertThat(program.exitCode()).isZero();
    assertThat(program.out() + program.err()).isEmpty();
  }

  @Test
  void withoutTextTheStandardInputIsTheMessage() throws Exception {
    Running program = send(List.of("-u", "alice"));
    program.type("one\r\n\ttwo\n");
    program.endInput();
    Peer peer = server.acceptAndWelcome(0);
    assertThat(peer.expect(ClientMessage.Send.class).text()).isEqualTo("one\n\ttwo");
    peer.expect(ClientMessage.Leave.class);
    peer.send(new ServerMessage.Refused(105, 1, "busy"));
    peer.bye(0);
    assertThat(program.exitCode()).isEqualTo(1);
    assertThat(program.out()).isEmpty();
    assertThat(program.err()).isEqualTo("not sent: busy: one␊␉two\n");
  }

  /** It is how somebody is spoken to, and no file whose words stand there instead. */
  @Test
  void whatBeginsWithAnAtIsAWord(@TempDir Path dir) throws Exception {
    Path file = Files.writeString(dir.resolve("secret"), "what nobody may know");
    Running program = send(List.of("-u", "alice", "@" + file, "@@bob", "@" + dir));
    Peer peer = server.acceptAndWelcome(0);
    assertThat(peer.expect(ClientMessage.Send.class).text())
        .isEqualTo("@" + file + " @@bob @" + dir);
    peer.send(new ServerMessage.Ack(0, 1));
    peer.bye(0);
    assertThat(program.exitCode()).isZero();
  }

  /** Not even if it shrinks below the limit where its line ends become those of the room. */
  @Test
  void anInputThatIsTooLongIsNotSentInPart() throws Exception {
    Running program = send(List.of("-u", "alice"));
    program.type("x\r\n".repeat(Limits.TEXT_MAX_BYTES / 3 + 10));
    program.endInput();
    assertThat(program.exitCode()).isEqualTo(2);
    assertThat(program.err()).startsWith("the text is longer than 1048576 bytes\n");
  }

  @Test
  void aSignalEndsTheReadingOfAMessage() throws Exception {
    Running program = send(List.of("-u", "alice"));
    // More than a pipe takes by itself, so it is being read.
    program.type("half a thought, ".repeat(10_000));
    program.process.toHandle().destroy();
    assertThat(program.exitCode()).isEqualTo(143);
    assertThat(program.out() + program.err()).isEmpty();
  }

  @Test
  void aMessageThatCannotBeSentIsUsage() throws Exception {
    Running blank = send(List.of("-u", "alice", " "));
    assertThat(blank.exitCode()).isEqualTo(2);
    assertThat(blank.err()).isEqualTo("there is nothing to send\ntry: chat send --help\n");
    Running broken = send(List.of("-u", "alice"));
    broken.process.getOutputStream().write(new byte[] {'a', -1});
    broken.endInput();
    assertThat(broken.exitCode()).isEqualTo(2);
    assertThat(broken.err()).startsWith("the text is not valid UTF-8\n");
  }

  /** Who pipes what a program has printed in colours sees no such character. */
  @Test
  void aControlCharacterThatCannotBeSentIsNamed() throws Exception {
    Running program = send(List.of("-u", "alice", "a\tb\n\u001b[31mc\u0007"));
    Peer peer = server.acceptAndWelcome(0);
    peer.expect(ClientMessage.Leave.class);
    peer.bye(0);
    assertThat(program.exitCode()).isEqualTo(1);
    assertThat(program.err()).isEqualTo("not sent: control characters cannot be sent: U+001B\n");
  }

  @Test
  void aRefusedSenderIsToldByTheExitCode() throws Exception {
    Running program = send(List.of("-u", "alice", "hello"));
    Peer peer = server.accept();
    peer.expect(ClientMessage.Hello.class);
    peer.send(new ServerMessage.Refused(200, 0, "taken"));
    assertThat(program.exitCode()).isEqualTo(3);
    assertThat(program.err()).isEqualTo("the name alice is taken\n");
  }

  @Test
  void aDateStandsWhereTheDayChanges() throws Exception {
    Running program =
        launch(List.of("-u", "alice", "--port", "" + server.port()), Map.of("TZ", "UTC"));
    Peer peer = server.acceptAndWelcome(0);
    int midnight = 20_000 * 86_400;
    peer.send(
        new ServerMessage.Msg(0, midnight - 61, "bob", "late"),
        new ServerMessage.Msg(1, midnight - 1, "bob", "good night"),
        new ServerMessage.Left(2, midnight, 1, ServerMessage.LeftWhy.LEFT, "bob"),
        new ServerMessage.Msg(3, midnight + 60, "eve", "up early"));
    program.endInput();
    peer.expect(ClientMessage.Leave.class);
    peer.bye(0);
    assertThat(program.exitCode()).isZero();
    assertThat(program.out())
        .isEqualTo(
            """
            * welcome, alice: nobody else is here yet
            --- 2024-10-03 ---
            2024-10-03 23:58 bob: late
            2024-10-03 23:59 bob: good night
            --- 2024-10-04 ---
            2024-10-04 00:00 * bob left
            2024-10-04 00:01 eve: up early
            left the chat
            """);
  }

  @ParameterizedTest
  @ValueSource(strings = {"Pacific/Kiritimati", "America/St_Johns"})
  void timesAreThoseOfTheReader(String zone) throws Exception {
    Running program =
        launch(List.of("-u", "alice", "--port", "" + server.port()), Map.of("TZ", zone));
    Peer peer = server.acceptAndWelcome(0);
    Instant now = Instant.now();
    ZonedDateTime there = now.atZone(ZoneId.of(zone));
    peer.send(
        new ServerMessage.Msg(0, (int) now.getEpochSecond(), "bob", "now"),
        new ServerMessage.Msg(
            1, (int) Instant.parse("2024-10-03T11:15:00Z").getEpochSecond(), "bob", "then"));
    program.endInput();
    peer.expect(ClientMessage.Leave.class);
    peer.bye(0);
    assertThat(program.exitCode()).isZero();
    String time = DateTimeFormatter.ofPattern("HH:mm", Locale.ROOT).format(there);
    if (there.toLocalDate().equals(LocalDate.now(there.getZone()))) {
      assertThat(program.out()).contains("\n" + time + " bob: now\n");
    }
    assertThat(program.out())
        .contains(" bob: now\n")
        .contains(
            zone.startsWith("Pacific")
                ? "\n--- 2024-10-04 ---\n2024-10-04 01:15 bob: then\n"
                : "\n--- 2024-10-03 ---\n2024-10-03 08:45 bob: then\n");
  }

  private Running send(List<String> options) throws IOException {
    List<String> all = new ArrayList<>(List.of("--port", "" + server.port()));
    all.addAll(options);
    return launch(SendMain.class, all, Map.of());
  }

  private void assertUsage(String message, String... options) throws Exception {
    assertUsage(message, launch(List.of(options), Map.of()));
  }

  private void assertUsageOf(String message, String variable, String value) throws Exception {
    boolean named = variable.equals("CHAT_USERNAME");
    assertUsage(
        message, launch(named ? List.of() : List.of("-u", "alice"), Map.of(variable, value)));
  }

  private static void assertUsage(String message, Running program) throws Exception {
    assertThat(program.exitCode()).isEqualTo(2);
    assertThat(program.out()).isEmpty();
    assertThat(program.err()).startsWith(message).endsWith("try: chat client --help\n");
  }

  @Test
  void theKeyIsShownAtTheDoorAndNowhereElse(@TempDir Path dir) throws Exception {
    Running keyed =
        launch(List.of("--port", "" + server.port(), "-u", "alice"), Map.of("CHAT_KEY", "s3cret"));
    Peer peer = server.accept();
    assertThat(peer.expect(ClientMessage.Hello.class).key())
        .isEqualTo(new RoomKey("s3cret".getBytes(StandardCharsets.UTF_8)));
    peer.send(new ServerMessage.Refused(202, 0, "wrong key"));
    assertThat(keyed.exitCode()).isEqualTo(3);
    assertThat(keyed.out()).isEmpty();
    assertThat(keyed.err()).isEqualTo("join refused: wrong key\n");
    Path file = Files.writeString(dir.resolve("room.key"), "s3cret\n");
    launch(
        List.of("--port", "" + server.port(), "-u", "alice"),
        Map.of("CHAT_KEY_FILE", file.toString(), "CHAT_KEY", "another"));
    assertThat(server.accept().expect(ClientMessage.Hello.class).key())
        .isEqualTo(new RoomKey("s3cret".getBytes(StandardCharsets.UTF_8)));
    Running shown = start("-u", "alice", "--key", "s3cret");
    assertThat(shown.exitCode()).isEqualTo(2);
    assertThat(shown.err()).contains("--key-file").doesNotContain("s3cret");
  }

  private Running start(String... options) throws IOException {
    List<String> all = new ArrayList<>(List.of("--port", "" + server.port()));
    all.addAll(List.of(options));
    return launch(all, Map.of());
  }

  private Running launch(List<String> options, Map<String, String> environment) throws IOException {
    return launch(ClientMain.class, options, environment);
  }

  private Running launch(Class<?> main, List<String> options, Map<String, String> environment)
      throws IOException {
    Running program = new Running(command(main, options, environment));
    running.add(program);
    return program;
  }

  static ProcessBuilder command(List<String> options, Map<String, String> environment) {
    return command(ClientMain.class, options, environment);
  }

  private static ProcessBuilder command(
      Class<?> main, List<String> options, Map<String, String> environment) {
    List<String> command =
        new ArrayList<>(
            List.of(
                ProcessHandle.current().info().command().orElseThrow(),
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                // As the launcher starts it.
                "-Xmx48m",
                "-cp",
                System.getProperty("java.class.path"),
                main.getName()));
    command.addAll(options);
    ProcessBuilder builder = new ProcessBuilder(command);
    clean(builder);
    builder.environment().putAll(environment);
    return builder;
  }

  /** Without what would have the program do or say something else than it does by itself. */
  static void clean(ProcessBuilder builder) {
    Set<String> options =
        Set.of("JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS", "JDK_JAVA_OPTIONS", "JAVA_OPTS", "NO_COLOR");
    builder
        .environment()
        .keySet()
        .removeIf(name -> name.startsWith("CHAT_") || options.contains(name));
  }

  /** A program that runs, and what it has printed so far. */
  static final class Running {
    final Process process;
    private final File err = File.createTempFile("chat-client", ".err");
    private final StringBuilder out = new StringBuilder();
    private final BufferedReader lines;

    Running(ProcessBuilder builder) throws IOException {
      err.deleteOnExit();
      process = builder.redirectError(err).start();
      lines =
          new BufferedReader(
              new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
    }

    void type(String text) throws IOException {
      OutputStream in = process.getOutputStream();
      in.write(text.getBytes(StandardCharsets.UTF_8));
      in.flush();
    }

    void signal(String name) throws Exception {
      assertThat(new ProcessBuilder("kill", "-" + name, "" + process.pid()).start().waitFor())
          .isZero();
    }

    void endInput() throws IOException {
      process.getOutputStream().close();
    }

    void awaitOut(String part) throws IOException {
      while (out.indexOf(part) < 0) {
        String line = lines.readLine();
        if (line == null) {
          throw new AssertionError("'" + part + "' is not in: " + out);
        }
        out.append(line).append('\n');
      }
    }

    void awaitErr(String part) {
      Awaitility.await().untilAsserted(() -> assertThat(err()).contains(part));
    }

    int exitCode() throws Exception {
      if (!process.waitFor(EXIT_SECONDS, TimeUnit.SECONDS)) {
        throw new AssertionError("still running, printed: " + out);
      }
      return process.exitValue();
    }

    String out() throws IOException {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        out.append(line).append('\n');
      }
      return out.toString();
    }

    String err() throws IOException {
      return Files.readString(err.toPath());
    }
  }
}
