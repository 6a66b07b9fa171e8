package simplechat.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.netty.buffer.Unpooled;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.ServerSocket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import simplechat.client.ScriptedServer.Peer;
import simplechat.protocol.ClientMessage;
import simplechat.protocol.ErrorCode;
import simplechat.protocol.Limits;
import simplechat.protocol.ServerMessage;

class ChatClientTest {
  private final Recorder recorder = new Recorder();
  private ScriptedServer server;

  @BeforeEach
  void listen() throws Exception {
    server = new ScriptedServer();
  }

  @AfterEach
  void stop() throws Exception {
    server.close();
  }

  @Test
  void aJoinIsAHelloAndItsWelcome() throws Exception {
    ChatClient client = connect();
    CompletionStage<ServerMessage.Welcome> welcome = client.join("alice", 10);
    Peer peer = server.accept();
    ClientMessage.Hello hello = peer.expect(ClientMessage.Hello.class);
    assertThat(hello.name()).isEqualTo("alice");
    assertThat(hello.history()).isEqualTo(10);
    peer.welcome("alice", 5, 5);
    assertThat(get(welcome).next()).isEqualTo(5);
    await().untilAsserted(() -> assertThat(recorder.calls).containsExactly("welcome", "live"));
  }

  @Test
  void aRefusedJoinMayBeRepeatedOnTheSameConnection() throws Exception {
    ChatClient client = connect();
    CompletionStage<ServerMessage.Welcome> first = client.join("alice", 0);
    Peer peer = server.accept();
    peer.expect(ClientMessage.Hello.class);
    peer.send(new ServerMessage.Refused(200, 0, "taken"));
    assertThat(refusal(first).reason()).isEqualTo(ErrorCode.NAME_TAKEN);

    CompletionStage<ServerMessage.Welcome> second = client.join("alice2", 0);
    assertThat(peer.expect(ClientMessage.Hello.class).name()).isEqualTo("alice2");
    peer.welcome("alice2", 0, 0);
    assertThat(get(second).name()).isEqualTo("alice2");
  }

  @ParameterizedTest
  @ValueSource(strings = {"half a \ud83d", "256 bytes"})
  void aNameThatNoFrameCanHoldIsRefusedAtOnce(String what) throws Exception {
    ChatClient client = connect();
    String name = what.equals("256 bytes") ? "x".repeat(256) : what;
    assertThat(refusal(client.join(name, 0)).reason()).isEqualTo(ErrorCode.NAME_INVALID);
    join(client, 0);
  }

  @Test
  void noTimeIsLongerThanForever() {
    Duration longest = Duration.ofSeconds(Long.MAX_VALUE);
    ClientOptions options =
        ClientOptions.defaults().withTimeouts(longest, longest).withReturn(longest);
    assertThat(List.of(options.connectTimeout(), options.joinTimeout(), options.returnWithin()))
        .containsOnly(ClientOptions.FOREVER);
  }

  @Test
  void whoWaitsForAMonthConnectsAllTheSame() throws Exception {
    Duration month = Duration.ofDays(30);
    ClientOptions options = ClientOptions.defaults().withTimeouts(month, month);
    join(get(ChatClient.connect("127.0.0.1", server.port(), recorder, options)), 0);
  }

  @Test
  void anUnknownCodeIsJudgedByItsRange() throws Exception {
    ChatClient client = connect();
    CompletionStage<ServerMessage.Welcome> join = client.join("alice", 0);
    Peer peer = server.accept();
    peer.expect(ClientMessage.Hello.class);
    peer.send(new ServerMessage.Refused(299, 0, "some day"));
    assertThat(refusal(join).code()).isEqualTo(299);
    client.join("alice", 0);
    peer.expect(ClientMessage.Hello.class);
    peer.welcome("alice", 0, 0);
    peer.send(new ServerMessage.Refused(199, 0, "carry on"));
    await().untilAsserted(() -> assertThat(recorder.calls).contains("refused 199"));
  }

  @Test
  void aSendIsCompletedByItsAckWithItsPosition() throws Exception {
    ChatClient client = connect();
    Peer peer = join(client, 100);
    CompletionStage<Long> one = client.send("one");
    CompletionStage<Long> two = client.send("two");
    CompletionStage<Long> three = client.send("three");
    assertThat(peer.expect(ClientMessage.Send.class).text()).isEqualTo("one");
    assertThat(peer.expect(ClientMessage.Send.class).text()).isEqualTo("two");
    assertThat(peer.expect(ClientMessage.Send.class).text()).isEqualTo("three");
    peer.send(new ServerMessage.Ack(101, 2), msg(102, "bob", "hi"), new ServerMessage.Ack(103, 3));
    assertThat(get(one)).isEqualTo(100);
    assertThat(get(two)).isEqualTo(101);
    assertThat(get(three)).isEqualTo(103);
    assertThat(client.pendingBytes()).isZero();
    await().untilAsserted(() -> assertThat(recorder.calls).contains("bob@102: hi"));
  }

  @Test
  void aRefusedSendFailsAndKeepsItsNumber() throws Exception {
    ChatClient client = connect();
    Peer peer = join(client, 0);
    CompletionStage<Long> one = client.send("one");
    CompletionStage<Long> two = client.send("two");
    CompletionStage<Long> three = client.send("three");
    for (int i = 0; i < 3; i++) {
      peer.expect(ClientMessage.Send.class);
    }
    peer.send(new ServerMessage.Refused(105, 2, "busy"), new ServerMessage.Ack(1, 3));
    assertThat(get(one)).isEqualTo(0);
    assertThat(refusal(two).reason()).isEqualTo(ErrorCode.BUSY);
    assertThat(get(three)).isEqualTo(1);
  }

  @Test
  void aTextThatBreaksARuleIsRefusedHere() throws Exception {
    ChatClient client = connect();
    Peer peer = join(client, 0);
    assertThat(refusal(client.send(" ")).reason()).isEqualTo(ErrorCode.TEXT_EMPTY);
    assertThat(refusal(client.send("a\u001b")).reason()).isEqualTo(ErrorCode.TEXT_INVALID);
    assertThat(refusal(client.send("\ud800")).reason()).isEqualTo(ErrorCode.TEXT_INVALID);
    String tooLong = "x".repeat(Limits.TEXT_DEFAULT_MAX_BYTES + 1);
    assertThat(refusal(client.send(tooLong)).reason()).isEqualTo(ErrorCode.TEXT_TOO_LONG);
    client.send("ok");
    assertThat(peer.expect(ClientMessage.Send.class).text()).isEqualTo("ok");
  }

  @Test
  void sendsWithoutAnAnswerAreBounded() throws Exception {
    ChatClient client = connect();
    Peer peer = join(client, 0);
    String text = "x".repeat(60_000);
    List<CompletionStage<Long>> sent = new ArrayList<>();
    while (client.pendingBytes() + 2L * text.length() + 128 <= ChatClient.PENDING_MAX_BYTES) {
      sent.add(client.send(text));
    }
    assertThatThrownBy(() -> get(client.send(text))).hasCauseInstanceOf(BacklogFullException.class);
    for (int i = 0; i < sent.size(); i++) {
      peer.expect(ClientMessage.Send.class);
    }
    peer.send(new ServerMessage.Ack(sent.size() - 1, sent.size()));
    assertThat(get(sent.get(sent.size() - 1))).isEqualTo(sent.size() - 1);
    assertThat(client.pendingBytes()).isZero();
    client.send(text);
    peer.expect(ClientMessage.Send.class);
  }

  @Test
  void whatWaitsFailsWhenTheConnectionEnds() throws Exception {
    ChatClient client = connect();
    Peer peer = join(client, 0);
    CompletionStage<Long> sent = client.send("hello");
    CompletionStage<List<String>> who = client.who();
    peer.expect(ClientMessage.Send.class);
    peer.reset();
    assertThatThrownBy(() -> get(sent)).hasCauseInstanceOf(EndedException.class);
    assertThatThrownBy(() -> get(who)).hasCauseInstanceOf(EndedException.class);
    assertThat(goodbye(client).ending()).isEqualTo(Goodbye.Ending.LOST);
    assertThatThrownBy(() -> get(client.send("more"))).hasCauseInstanceOf(EndedException.class);
    assertThat(recorder.calls).endsWith("ended LOST 0");
  }

  @Test
  void whoGathersAllPartsOfTheRoster() throws Exception {
    ChatClient client = connect();
    Peer peer = join(client, 0);
    CompletionStage<List<String>> who = client.who();
    peer.expect(ClientMessage.Who.class);
    peer.send(
        new ServerMessage.Roster(true, List.of("alice", "bob")),
        msg(0, "bob", "in between"),
        new ServerMessage.Roster(false, List.of("carol")));
    assertThat(get(who)).containsExactly("alice", "bob", "carol");
  }

  @Test
  void aRosterThatIsTooLongFailsAndCostsNothingElse() throws Exception {
    ChatClient client = connect();
    Peer peer = join(client, 0);
    List<String> part = Collections.nCopies(500, "bob");
    for (int parts : List.of(200, 201)) {
      CompletionStage<List<String>> who = client.who();
      peer.expect(ClientMessage.Who.class);
      for (int i = 0; i < parts; i++) {
        peer.send(new ServerMessage.Roster(true, part));
      }
      peer.send(new ServerMessage.Roster(false, List.of()));
      if (parts == 200) {
        assertThat(get(who)).hasSize(100_000);
      } else {
        assertThatThrownBy(() -> get(who))
            .hasCauseInstanceOf(BacklogFullException.class)
            .hasMessageContaining("more than 100000 members");
      }
    }
    CompletionStage<List<String>> who = client.who();
    peer.expect(ClientMessage.Who.class);
    peer.send(new ServerMessage.Roster(false, List.of("alice")));
    assertThat(get(who)).containsExactly("alice");
  }

  @Test
  void leavingIsConfirmedByBye() throws Exception {
    ChatClient client = connect();
    Peer peer = join(client, 0);
    CompletionStage<Long> last = client.send("last words");
    CompletionStage<?> left = client.leave();
    peer.expect(ClientMessage.Send.class);
    peer.expect(ClientMessage.Leave.class);
    peer.send(new ServerMessage.Ack(0, 1));
    peer.bye(0);
    peer.expectFin();
    get(left);
    assertThat(get(last)).isZero();
    assertThat(goodbye(client).inOrder()).isTrue();
  }

  @Test
  void aByeEndsEverythingBehindIt() throws Exception {
    ChatClient client = connect();
    Peer peer = join(client, 0);
    peer.send(new ServerMessage.Bye(300, 7, "see you"), msg(0, "bob", "nobody hears this"));
    peer.expectFin();
    peer.close();
    Goodbye goodbye = goodbye(client);
    assertThat(goodbye.says(ErrorCode.SHUTDOWN)).isTrue();
    assertThat(goodbye.retryAfterSeconds()).isEqualTo(7);
    assertThat(recorder.calls).containsExactly("welcome", "live", "ended BYE 300");
  }

  @Test
  void aServerThatNeverClosesAfterByeIsLeftBehind() throws Exception {
    ChatClient client = connect();
    Peer peer = join(client, 0);
    peer.send(new ServerMessage.Bye(405, 0, ""));
    assertThat(goodbye(client).says(ErrorCode.REPLACED)).isTrue();
  }

  @Test
  void aPingIsAnswered() throws Exception {
    ChatClient client = connect();
    Peer peer = join(client, 0);
    peer.send(new ServerMessage.Ping(0xCAFE));
    assertThat(peer.expect(ClientMessage.Pong.class).opaque()).isEqualTo(0xCAFE);
  }

  @Test
  void silenceIsAskedAboutAndThenTheEnd() throws Exception {
    // A clock that moves on by a tick whenever it is looked at.
    AtomicLong clock = new AtomicLong();
    ChatClient client = connect(() -> clock.addAndGet(TimeUnit.MILLISECONDS.toNanos(100)));
    client.join("alice", 0);
    Peer peer = server.accept();
    peer.expect(ClientMessage.Hello.class);
    ServerMessage.Welcome w = Peer.welcomeOf("alice", 0, 0, 1);
    peer.send(
        new ServerMessage.Welcome(
            w.version(), false, 1, w.token(), 0, 0, 0, 1, w.maxText(), 1, "alice", ""));
    peer.expect(ClientMessage.Ping.class);
    peer.send(new ServerMessage.Pong(0));
    peer.expect(ClientMessage.Ping.class);
    assertThat(goodbye(client).ending()).isEqualTo(Goodbye.Ending.LOST);
  }

  @Test
  void aJoinWithoutAnAnswerEnds() throws Exception {
    ClientOptions options =
        ClientOptions.defaults().withTimeouts(Duration.ofSeconds(5), Duration.ofMillis(100));
    ChatClient client = get(ChatClient.connect("127.0.0.1", server.port(), recorder, options));
    assertThatThrownBy(() -> get(client.join("alice", 0)))
        .hasCauseInstanceOf(EndedException.class)
        .hasMessageContaining("no answer");
  }

  @Test
  void anotherKindOfServerIsRecognisedByItsFirstBytes() throws Exception {
    for (String banner : List.of("HTTP/1.1 400 Bad Request\r\n", "SSH-2.0-x\r\n", "220 smtp\r\n")) {
      ChatClient client = connect();
      CompletionStage<ServerMessage.Welcome> join = client.join("alice", 0);
      Peer peer = server.accept();
      peer.send(Unpooled.copiedBuffer(banner, StandardCharsets.US_ASCII));
      assertThatThrownBy(() -> get(join)).hasCauseInstanceOf(EndedException.class);
      assertThat(goodbye(client).code()).isEqualTo(ErrorCode.NOT_CHAT.number());
      peer.close();
    }
  }

  @Test
  void nobodyListeningIsSaidInOneLine() throws Exception {
    int port;
    try (ServerSocket closed = new ServerSocket(0)) {
      port = closed.getLocalPort();
    }
    assertThatThrownBy(() -> get(ChatClient.connect("127.0.0.1", port, recorder)))
        .cause()
        .isInstanceOf(CannotConnectException.class)
        .hasMessage("cannot connect to 127.0.0.1:" + port + ": connection refused");
    assertThatThrownBy(() -> get(ChatClient.connect("::1", port, recorder)))
        .cause()
        .hasMessageStartingWith("cannot connect to [::1]:" + port + ": ");
  }

  @Test
  void aHostThatNobodyKnowsIsSaidInOneLine() {
    // Who asks a dead name server is told after some time.
    ClientOptions options =
        ClientOptions.defaults().withTimeouts(Duration.ofMinutes(1), Duration.ofMinutes(1));
    assertThatThrownBy(
            () ->
                ChatClient.connect("no.such.host.invalid", 8080, recorder, options)
                    .toCompletableFuture()
                    .get(1, TimeUnit.MINUTES))
        .cause()
        .hasMessage("cannot connect to no.such.host.invalid:8080: unknown host");
  }

  @Test
  void aLookUpThatTakesTooLongIsNoAnswer() {
    ClientOptions options =
        ClientOptions.defaults().withTimeouts(Duration.ofMillis(200), Duration.ofMillis(200));
    CompletableFuture<InetAddress[]> addresses = new CompletableFuture<>();
    CompletableFuture<Connection> connected =
        new Connector(
                "silent.example",
                8080,
                options,
                options.loops().next(),
                channel -> {
                  throw new AssertionError("too late");
                },
                host -> addresses.join())
            .connect();
    assertThatThrownBy(() -> get(connected))
        .cause()
        .isInstanceOf(CannotConnectException.class)
        .hasMessage("cannot connect to silent.example:8080: no answer");
    addresses.complete(new InetAddress[] {InetAddress.getLoopbackAddress()});
  }

  @Test
  void aConnectionThatNobodyWaitsForAnyMoreIsClosed() throws Exception {
    EventLoopGroup loops = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
    try {
      CountDownLatch given = new CountDownLatch(1);
      loops.next().execute(() -> await().until(() -> given.getCount() == 0));
      CompletableFuture<ChatClient> connecting =
          ChatClient.connect(
                  "127.0.0.1", server.port(), recorder, ClientOptions.defaults().withLoops(loops))
              .toCompletableFuture();
      connecting.cancel(true);
      given.countDown();
      server.accept().expectFin();
    } finally {
      loops.shutdownGracefully();
    }
  }

  /** A stage is a view: what a caller does with its own future is its own business. */
  @Test
  void whoStopsWaitingStopsNothingElse() throws Exception {
    ChatClient client = connect();
    client.ended().toCompletableFuture().cancel(true);
    CompletableFuture<ServerMessage.Welcome> welcome =
        client.join("alice", 0).toCompletableFuture();
    welcome.cancel(true);
    Peer peer = server.acceptAndWelcome(0);
    await().until(() -> recorder.calls.contains("live"));
    client.send("one").toCompletableFuture().cancel(true);
    peer.expect(ClientMessage.Send.class);
    peer.send(new ServerMessage.Ack(0, 1));
    CompletionStage<Long> two = client.send("two");
    peer.expect(ClientMessage.Send.class);
    peer.reset();
    assertThatThrownBy(() -> get(two)).hasCauseInstanceOf(EndedException.class);
    await()
        .untilAsserted(
            () -> assertThat(recorder.calls).containsExactly("welcome", "live", "ended LOST 0"));
    assertThat(recorder.confirmed).containsExactly("one@0");
  }

  @Test
  void aPortThatCannotBeFailsAsAConnectionDoes() {
    for (String host : List.of("localhost", "127.0.0.1")) {
      assertThatThrownBy(() -> get(ChatClient.connect(host, 70_000, recorder)))
          .cause()
          .isInstanceOf(CannotConnectException.class)
          .hasMessage("cannot connect to " + host + ":70000: port out of range: 70000");
    }
  }

  @Test
  void allAddressesOfANameAreTried() throws Exception {
    // Of these the server is on the last one only.
    InetAddress[] addresses = {
      InetAddress.getByAddress(new byte[] {127, 0, 0, 3}),
      InetAddress.getByAddress(new byte[] {127, 0, 0, 2}),
      InetAddress.getByAddress(new byte[] {127, 0, 0, 1})
    };
    ClientOptions options = ClientOptions.defaults();
    Session session = new Session(recorder, new Outbox());
    Connection connection =
        get(
            new Connector(
                    "three.example",
                    server.port(),
                    options,
                    options.loops().next(),
                    channel -> new Connection(channel, session, options),
                    host -> addresses)
                .connect());
    connection.write(new ClientMessage.Ping(7));
    assertThat(server.accept().expect(ClientMessage.Ping.class).opaque()).isEqualTo(7);
  }

  /** A link-local address means nothing without its interface. */
  @Test
  void theZoneOfAnAddressIsKept() throws Exception {
    Inet6Address scoped = linkLocal();
    assumeTrue(scoped != null, "no interface has an address of its link");
    try (ServerSocket there = new ServerSocket(0, 1, scoped)) {
      there.setSoTimeout(10_000);
      get(ChatClient.connect(scoped.getHostAddress(), there.getLocalPort(), recorder));
      there.accept().close();
    }
  }

  private static @Nullable Inet6Address linkLocal() throws SocketException {
    return NetworkInterface.networkInterfaces()
        .flatMap(NetworkInterface::inetAddresses)
        .filter(InetAddress::isLinkLocalAddress)
        .filter(Inet6Address.class::isInstance)
        .map(Inet6Address.class::cast)
        .findAny()
        .orElse(null);
  }

  @Test
  void positionsAreRebuiltAcrossTheWrap() throws Exception {
    ChatClient client = connect();
    Peer peer = join(client, 0x1_FFFF_FFFFL);
    peer.send(msg(0xFFFF_FFFF, "bob", "before"), msg(0, "bob", "behind"));
    await()
        .untilAsserted(
            () ->
                assertThat(recorder.calls)
                    .containsSequence(
                        "bob@" + 0x1_FFFF_FFFFL + ": before",
                        "bob@" + 0x2_0000_0000L + ": behind"));
  }

  @Test
  void aGapTellsHowMuchIsGoneAndOwnTextsInItAreAcknowledged() throws Exception {
    ChatClient client = connect();
    Peer peer = join(client, 10);
    CompletionStage<Long> sent = client.send("lost in the crowd");
    peer.expect(ClientMessage.Send.class);
    peer.send(new ServerMessage.Gap(20, 9), new ServerMessage.Ack(15, 1), msg(20, "bob", "after"));
    assertThat(get(sent)).isEqualTo(15);
    await().untilAsserted(() -> assertThat(recorder.calls).endsWith("gap 9", "bob@20: after"));
  }

  @Test
  void theReplayIsToldApartFromWhatIsLive() throws Exception {
    ChatClient client = connect();
    client.join("alice", 2);
    Peer peer = server.accept();
    peer.expect(ClientMessage.Hello.class);
    peer.welcome("alice", 5, 8);
    // Position 7 is the member's own coming in, which it is not told.
    peer.send(msg(5, "bob", "old"), msg(6, "bob", "older"), msg(8, "bob", "new"));
    await()
        .untilAsserted(
            () ->
                assertThat(recorder.calls)
                    .containsExactly(
                        "welcome",
                        "bob@5: old (replayed)",
                        "bob@6: older (replayed)",
                        "live",
                        "bob@8: new"));
  }

  @Test
  void aPausedClientReadsNoFurtherThanItHas() throws Exception {
    ChatClient client = connect();
    Peer peer = join(client, 0);
    client.pause();
    // The pause is in effect once what was queued behind it has run.
    get(client.resumePoint());
    peer.send(msg(0, "bob", "first"));
    client.resume();
    await().until(() -> recorder.calls.contains("bob@0: first"));
  }

  /** The server would take it for dead. */
  @Test
  void aPausedClientLetsTheServerHearOfIt() throws Exception {
    ChatClient client = connect();
    CompletionStage<ServerMessage.Welcome> welcome = client.join("alice", 0);
    Peer peer = server.accept();
    peer.expect(ClientMessage.Hello.class);
    ServerMessage.Welcome w = Peer.welcomeOf("alice", 0, 0, 1);
    peer.send(
        new ServerMessage.Welcome(
            w.version(), false, w.epoch(), w.token(), 0, 0, 0, 1, w.maxText(), 1, "alice", ""));
    get(welcome);
    client.pause();
    peer.expect(ClientMessage.Ping.class);
    // Neither the answer that it does not see nor its lack matters.
    peer.expect(ClientMessage.Ping.class);
  }

  @Test
  void theResumePointFollowsTheStream() throws Exception {
    ChatClient client = connect();
    assertThat(get(client.resumePoint())).isNull();
    Peer peer = join(client, 40);
    peer.send(msg(40, "bob", "hi"));
    await().until(() -> recorder.calls.contains("bob@40: hi"));
    assertThat(get(client.resumePoint()).next()).isEqualTo(41);
    assertThat(get(client.resumePoint()).epoch()).isEqualTo(77);
  }

  /** Whatever it throws: an assertion of a test, or what another language checks at no place. */
  @Test
  void aListenerThatThrowsCostsNothing() throws Exception {
    ChatListener faulty =
        new ChatListener() {
          @Override
          public void message(RoomEvent.Message message) {
            if (message.text().equals("fault")) {
              throw new IllegalStateException("a fault in the program");
            }
            throw new AssertionError("a claim of the program");
          }

          @Override
          public void ended(Goodbye goodbye) {
            throw new AssertionError("a claim of the program");
          }
        };
    ChatClient client = get(ChatClient.connect("127.0.0.1", server.port(), faulty));
    Peer peer = join(client, 0);
    peer.send(msg(0, "bob", "fault"), msg(1, "bob", "error"), new ServerMessage.Ping(1));
    peer.expect(ClientMessage.Pong.class);
    peer.bye(400);
    assertThat(goodbye(client).code()).isEqualTo(400);
  }

  @Test
  void closeHangsUpOnAServerThatDoesNotAnswer() throws Exception {
    ChatClient client = connect();
    Peer peer = join(client, 0);
    client.close();
    peer.expect(ClientMessage.Leave.class);
    assertThat(goodbye(client).ending()).isEqualTo(Goodbye.Ending.CLOSED);
  }

  private ChatClient connect() throws Exception {
    return connect(System::nanoTime);
  }

  private ChatClient connect(LongSupplier nanoTime) throws Exception {
    ClientOptions options = ClientOptions.defaults().withClocks(nanoTime, InstantSource.system());
    return get(ChatClient.connect("127.0.0.1", server.port(), recorder, options));
  }

  private Peer join(ChatClient client, long next) throws Exception {
    CompletionStage<ServerMessage.Welcome> welcome = client.join("alice", 0);
    Peer peer = server.acceptAndWelcome(next);
    get(welcome);
    return peer;
  }

  static ServerMessage.Msg msg(int seq, String name, String text) {
    return new ServerMessage.Msg(seq, 1_700_000_000, name, text);
  }

  static <T> T get(CompletionStage<T> stage) throws Exception {
    return stage.toCompletableFuture().get(10, TimeUnit.SECONDS);
  }

  static Goodbye goodbye(ChatClient client) throws Exception {
    return get(client.ended());
  }

  static RefusedException refusal(CompletionStage<?> stage) throws Exception {
    try {
      get(stage);
    } catch (ExecutionException e) {
      assertThat(e).hasCauseInstanceOf(RefusedException.class);
      return (RefusedException) e.getCause();
    }
    throw new AssertionError("not refused");
  }

  /** Notes the calls of a listener as short strings. */
  static final class Recorder implements ChatListener {
    final List<String> calls = new CopyOnWriteArrayList<>();
    final List<String> confirmed = new CopyOnWriteArrayList<>();

    @Override
    public void confirmed(long position, String text) {
      confirmed.add(text + "@" + position);
    }

    @Override
    public void welcome(ServerMessage.Welcome welcome) {
      calls.add("welcome");
    }

    @Override
    public void live() {
      calls.add("live");
    }

    @Override
    public void message(RoomEvent.Message message) {
      calls.add(
          message.name()
              + "@"
              + message.position()
              + ": "
              + message.text()
              + (message.replayed() ? " (replayed)" : ""));
    }

    @Override
    public void joined(RoomEvent.Joined joined) {
      calls.add("joined " + joined.name());
    }

    @Override
    public void left(RoomEvent.Left left) {
      calls.add("left " + left.name() + " " + left.why());
    }

    @Override
    public void gap(long missed) {
      calls.add("gap " + missed);
    }

    @Override
    public void refused(int code, String text) {
      calls.add("refused " + code);
    }

    @Override
    public void lost(Goodbye why) {
      calls.add("lost " + why.ending() + " " + why.code());
    }

    @Override
    public void back(Duration away, long missed) {
      calls.add("back, missed " + missed);
    }

    @Override
    public void ended(Goodbye goodbye) {
      calls.add("ended " + goodbye.ending() + " " + goodbye.code());
    }
  }
}
