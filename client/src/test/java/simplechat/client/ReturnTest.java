package simplechat.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static simplechat.client.ChatClientTest.get;
import static simplechat.client.ChatClientTest.goodbye;
import static simplechat.client.ChatClientTest.msg;
import static simplechat.client.ChatClientTest.refusal;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import simplechat.client.ChatClientTest.Recorder;
import simplechat.client.ScriptedServer.Peer;
import simplechat.protocol.ClientMessage;
import simplechat.protocol.ErrorCode;
import simplechat.protocol.ResumeToken;
import simplechat.protocol.ServerMessage;

/** A member whose connection is lost comes back by itself, and nothing is lost or said twice. */
class ReturnTest {
  private static final long EPOCH = 77;
  private static final Duration HOUR = Duration.ofHours(1);

  private final Recorder recorder = new Recorder();
  private final AtomicLong millis = new AtomicLong();
  private final AtomicLong sleptMillis = new AtomicLong();
  private ScriptedServer server;
  private ChatClient client;

  @BeforeEach
  void listen() throws Exception {
    server = new ScriptedServer();
  }

  @AfterEach
  void stop() throws Exception {
    if (client != null) {
      client.close();
    }
    server.close();
  }

  @Test
  void aLostMemberComesBackToWhereItWas() throws Exception {
    Peer peer = join(100);
    peer.send(msg(100, "bob", "one"));
    await().until(() -> recorder.calls.contains("bob@100: one"));
    peer = cut(peer);
    ClientMessage.Hello hello = peer.expect(ClientMessage.Hello.class);
    assertThat(hello.name()).isEqualTo("alice");
    assertThat(hello.resume())
        .isEqualTo(new ClientMessage.Resume(new ResumeToken(1, 2), EPOCH, 101));
    peer.welcomeBack("alice", 101, 104, 0);
    // 102 and 103 are its own going and coming, which it is not told.
    peer.send(msg(101, "bob", "two"), msg(104, "bob", "three"));
    await()
        .untilAsserted(
            () ->
                assertThat(recorder.calls)
                    .containsExactly(
                        "welcome",
                        "live",
                        "bob@100: one",
                        "lost LOST 0",
                        "welcome",
                        "bob@101: two (replayed)",
                        "back, missed 0",
                        "live",
                        "bob@104: three"));
  }

  @Test
  void whatTheServerDidNotTakeIsSentAgainOnceAndInOrder() throws Exception {
    Peer peer = join(0);
    List<CompletionStage<Long>> sent = new ArrayList<>();
    for (int i = 1; i <= 4; i++) {
      sent.add(client.send("text " + i));
      peer.expect(ClientMessage.Send.class);
    }
    peer.send(new ServerMessage.Ack(0, 1));
    get(sent.get(0));
    peer = cut(peer);
    peer.expect(ClientMessage.Hello.class);
    peer.welcomeBack("alice", 1, 4, 2);
    assertThat(peer.expect(ClientMessage.Send.class).text()).isEqualTo("text 3");
    assertThat(peer.expect(ClientMessage.Send.class).text()).isEqualTo("text 4");
    CompletionStage<Long> fifth = client.send("text 5");
    peer.expect(ClientMessage.Ping.class);
    assertThat(peer.expect(ClientMessage.Send.class).text()).isEqualTo("text 5");
    peer.send(new ServerMessage.Ack(1, 2), new ServerMessage.Ack(6, 5));
    assertThat(get(sent.get(1))).isEqualTo(1);
    assertThat(get(sent.get(2))).isEqualTo(4);
    assertThat(get(sent.get(3))).isEqualTo(5);
    assertThat(get(fifth)).isEqualTo(6);
    assertThat(client.pendingBytes()).isZero();
  }

  /** The server passes own texts on both sides of the return at once and says one ACK for all. */
  @Test
  void oneAckMayCoverTextsOfBothConnections() throws Exception {
    Peer peer = join(10);
    CompletionStage<Long> one = client.send("one");
    CompletionStage<Long> two = client.send("two");
    peer.expect(ClientMessage.Send.class);
    peer = cut(peer);
    peer.expect(ClientMessage.Hello.class);
    peer.welcomeBack("alice", 10, 13, 1);
    assertThat(peer.expect(ClientMessage.Send.class).text()).isEqualTo("two");
    peer.send(new ServerMessage.Ack(13, 2));
    assertThat(get(one)).isEqualTo(10);
    assertThat(get(two)).isEqualTo(13);
  }

  @Test
  void aNewSessionRepeatsNothingAndSaysWhatIsNotKnown() throws Exception {
    Peer peer = join(0);
    CompletionStage<Long> sent = client.send("one");
    peer.expect(ClientMessage.Send.class);
    peer = cut(peer);
    peer.expect(ClientMessage.Hello.class);
    CompletionStage<Long> queued = client.send("two");
    get(client.resumePoint());
    peer.welcome("alice", 500, 500);
    assertThatThrownBy(() -> get(sent)).hasCauseInstanceOf(EndedException.class);
    assertThatThrownBy(() -> get(queued)).hasCauseInstanceOf(EndedException.class);
    CompletionStage<Long> first = client.send("three");
    assertThat(peer.expect(ClientMessage.Send.class).text()).isEqualTo("three");
    peer.send(new ServerMessage.Ack(500, 1));
    assertThat(get(first)).isEqualTo(500);
    assertThat(recorder.calls).containsExactly("welcome", "live", "lost LOST 0", "welcome", "live");
  }

  @Test
  void historyThatWasToldIsNotToldAgainInTheSameRoom() throws Exception {
    Peer peer = join(100);
    peer.send(msg(100, "bob", "told"));
    await().until(() -> recorder.calls.contains("bob@100: told"));
    peer = cut(peer);
    peer.expect(ClientMessage.Hello.class);
    peer.welcome("alice", 100, 104);
    peer.send(msg(100, "bob", "told"), msg(102, "bob", "new"), msg(104, "bob", "live"));
    await().until(() -> recorder.calls.contains("bob@104: live"));
    assertThat(recorder.calls)
        .containsOnlyOnce("bob@102: new (replayed)")
        .doesNotContain("bob@100: told (replayed)");
  }

  @Test
  void aHundredTextsWaitForTheConnectionAndNoMore() throws Exception {
    Peer peer = join(0);
    peer = cut(peer);
    List<CompletionStage<Long>> sent = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      sent.add(client.send("text " + i));
    }
    assertThatThrownBy(() -> get(client.send("one too many")))
        .hasCauseInstanceOf(BacklogFullException.class);
    assertThatThrownBy(() -> get(client.who())).hasCauseInstanceOf(EndedException.class);
    peer.expect(ClientMessage.Hello.class);
    peer.welcomeBack("alice", 0, 2, 0);
    for (int i = 0; i < 100; i++) {
      assertThat(peer.expect(ClientMessage.Send.class).text()).isEqualTo("text " + i);
    }
    peer.send(new ServerMessage.Ack(101, 100));
    assertThat(get(sent.get(0))).isEqualTo(2);
    assertThat(get(sent.get(99))).isEqualTo(101);
    assertThat(client.pendingBytes()).isZero();
    CompletionStage<Long> after = client.send("after");
    peer.expect(ClientMessage.Ping.class);
    peer.expect(ClientMessage.Send.class);
    peer.send(new ServerMessage.Ack(102, 101));
    assertThat(get(after)).isEqualTo(102);
  }

  @Test
  void whatIsMissedIsCountedExactly() throws Exception {
    Peer peer = join(0);
    peer = cut(peer);
    peer.expect(ClientMessage.Hello.class);
    peer.welcomeBack("alice", 0, 50, 0);
    peer.send(new ServerMessage.Gap(39, 37), msg(39, "bob", "kept"), msg(50, "bob", "live"));
    await().until(() -> recorder.calls.contains("bob@50: live"));
    assertThat(recorder.calls)
        .containsSubsequence(
            "lost LOST 0",
            "welcome",
            "gap 37",
            "bob@39: kept (replayed)",
            "back, missed 37",
            "live",
            "bob@50: live");
  }

  /** Behind the GAP the server would say nothing of a text in it, which it has. */
  @Test
  void aCutBetweenAGapAndItsAckLosesNeither() throws Exception {
    Peer peer = join(0);
    CompletionStage<Long> sent = client.send("one");
    peer.expect(ClientMessage.Send.class);
    peer.send(new ServerMessage.Gap(39, 37));
    await().until(() -> recorder.calls.contains("gap 37"));
    peer = cut(peer);
    assertThat(peer.expect(ClientMessage.Hello.class).resume().next()).isZero();
    peer.welcomeBack("alice", 0, 50, 1);
    peer.send(new ServerMessage.Gap(42, 40), new ServerMessage.Ack(5, 1), msg(50, "bob", "live"));
    assertThat(get(sent)).isEqualTo(5);
    await().until(() -> recorder.calls.contains("bob@50: live"));
    assertThat(recorder.calls)
        .containsSubsequence("gap 37", "lost LOST 0", "welcome", "gap 3", "back, missed 3", "live");
  }

  /** What a PONG overtakes is not all of the replay. */
  @Test
  void theReplayIsOverWhenAnAnswerFollowsItDirectly() throws Exception {
    Peer peer = join(0);
    peer = cut(peer);
    peer.expect(ClientMessage.Hello.class);
    peer.welcomeBack("alice", 0, 9, 0);
    int first = peer.expect(ClientMessage.Ping.class).opaque();
    peer.send(msg(3, "bob", "three"), new ServerMessage.Pong(first));
    int second = peer.expect(ClientMessage.Ping.class).opaque();
    assertThat(recorder.calls).endsWith("welcome", "bob@3: three (replayed)");
    peer.send(new ServerMessage.Pong(second));
    await().until(() -> recorder.calls.contains("back, missed 0"));
  }

  @Test
  void aRefusalThatWasLostWithItsConnectionIsFoundOut() throws Exception {
    Peer peer = join(0);
    CompletionStage<Long> one = client.send("one");
    peer.expect(ClientMessage.Send.class);
    peer = cut(peer);
    peer.expect(ClientMessage.Hello.class);
    peer.welcomeBack("alice", 0, 2, 1);
    peer.send(msg(2, "bob", "live"));
    assertThat(refusal(one).reason()).isEqualTo(ErrorCode.BUSY);
  }

  /** Nothing comes in the room that would tell that the replay is over. */
  @Test
  void aRefusalThatWasLostIsNotTakenForTheNextConfirmation() throws Exception {
    Peer peer = join(0);
    CompletionStage<Long> one = client.send("one");
    peer.expect(ClientMessage.Send.class);
    peer = cut(peer);
    peer.expect(ClientMessage.Hello.class);
    peer.welcomeBack("alice", 0, 2, 1);
    peer.send(new ServerMessage.Pong(peer.expect(ClientMessage.Ping.class).opaque()));
    CompletionStage<Long> two = client.send("two");
    peer.expect(ClientMessage.Send.class);
    peer.send(new ServerMessage.Ack(2, 2));
    assertThat(refusal(one).reason()).isEqualTo(ErrorCode.BUSY);
    assertThat(get(two)).isEqualTo(2);
  }

  /** Else a queue of questions would grow in its memory. */
  @Test
  void aServerThatReadsNoQuestionGetsNoOther() throws Exception {
    Peer peer = join(0);
    peer = cut(peer);
    peer.expect(ClientMessage.Hello.class);
    peer.welcomeBack("alice", 0, 1L << 40, 0);
    int first = peer.expect(ClientMessage.Ping.class).opaque();
    for (int i = 0; i < 20; i++) {
      peer.send(msg(i, "bob", "text " + i), new ServerMessage.Pong(first));
    }
    await().until(() -> recorder.calls.contains("bob@19: text 19 (replayed)"));
    client.send("last");
    // The first answer was true, and is followed by the second question.
    peer.expect(ClientMessage.Ping.class);
    assertThat(peer.expect(ClientMessage.Send.class).text()).isEqualTo("last");
  }

  /** Who has not been told yet could not have waited, so none of it is refused. */
  @Test
  void theLimitOfWhatMayWaitCountsFromWhenTheLossWasTold() throws Exception {
    List<CompletionStage<Long>> sent = new CopyOnWriteArrayList<>();
    CompletableFuture<ChatClient> speaker = new CompletableFuture<>();
    ChatListener listener =
        new ChatListener() {
          @Override
          public void lost(Goodbye why) {
            CompletableFuture.runAsync(
                    () -> {
                      for (int i = 0; i < 2 * Session.AWAY_MAX; i++) {
                        sent.add(speaker.join().send("text " + i));
                      }
                    })
                .join();
          }
        };
    client = get(ChatClient.connect("127.0.0.1", server.port(), listener, options(HOUR)));
    speaker.complete(client);
    Peer peer = join(client, 0);
    peer.reset();
    await().until(() -> sent.size() == 2 * Session.AWAY_MAX);
    get(client.resumePoint());
    assertThat(sent).noneMatch(text -> text.toCompletableFuture().isDone());
  }

  @ParameterizedTest
  @ValueSource(ints = {300, 301, 302, 303, 304, 399})
  void aMemberThatIsSentAwayForNowComesBack(int code) throws Exception {
    Peer peer = join(0);
    millis.addAndGet(1_000);
    peer.bye(code);
    peer.close();
    server.accept().expect(ClientMessage.Hello.class);
    assertThat(recorder.calls).contains("lost BYE " + code);
  }

  @ParameterizedTest
  @ValueSource(ints = {400, 402, 405, 406, 499})
  void aMemberThatIsSentAwayForGoodStaysAway(int code) throws Exception {
    Peer peer = join(0);
    millis.addAndGet(1_000);
    peer.bye(code);
    peer.close();
    assertThat(goodbye(client).code()).isEqualTo(code);
    assertThat(recorder.calls).endsWith("live", "ended BYE " + code);
  }

  @Test
  void whoWasNeverAMemberDoesNotComeBack() throws Exception {
    client = connect(Duration.ofHours(1));
    CompletionStage<ServerMessage.Welcome> join = client.join("alice", 0);
    Peer peer = server.accept();
    peer.expect(ClientMessage.Hello.class);
    peer.bye(301);
    peer.close();
    assertThatThrownBy(() -> get(join)).hasCauseInstanceOf(EndedException.class);
    assertThat(goodbye(client).says(ErrorCode.SERVER_FULL)).isTrue();
  }

  @Test
  void whoseNameWasTakenMeanwhileIsToldSo() throws Exception {
    Peer peer = join(0);
    CompletionStage<Long> sent = client.send("one");
    peer.expect(ClientMessage.Send.class);
    peer = cut(peer);
    peer.expect(ClientMessage.Hello.class);
    peer.send(new ServerMessage.Refused(200, 0, "taken"));
    peer.expectFin();
    assertThat(goodbye(client).ending()).isEqualTo(Goodbye.Ending.REFUSED);
    assertThat(goodbye(client).code()).isEqualTo(200);
    assertThatThrownBy(() -> get(sent)).hasCauseInstanceOf(EndedException.class);
  }

  @Test
  void whoFindsNoWayBackInTimeGivesUp() throws Exception {
    Peer peer = join(0, Duration.ofMillis(300));
    CompletionStage<Long> sent = client.send("one");
    peer.expect(ClientMessage.Send.class);
    server.close();
    millis.addAndGet(1_000);
    peer.reset();
    assertThatThrownBy(() -> get(sent)).hasCauseInstanceOf(EndedException.class);
    assertThat(goodbye(client).ending()).isEqualTo(Goodbye.Ending.LOST);
    assertThat(recorder.calls).endsWith("lost LOST 0", "ended LOST 0");
  }

  @Test
  void whoLeavesWhileAwayIsGoneAtOnceIfNothingWaits() throws Exception {
    Peer peer = join(0);
    server.close();
    peer.reset();
    await().until(() -> recorder.calls.contains("lost LOST 0"));
    CompletionStage<?> left = client.leave();
    assertThatThrownBy(() -> get(left)).hasCauseInstanceOf(EndedException.class);
    assertThat(goodbye(client).ending()).isEqualTo(Goodbye.Ending.CLOSED);
  }

  @Test
  void whoLeavesWithTextsThatWaitDeliversThemFirst() throws Exception {
    Peer peer = join(0);
    CompletionStage<Long> one = client.send("one");
    CompletionStage<?> left = client.leave();
    peer.expect(ClientMessage.Send.class);
    peer.expect(ClientMessage.Leave.class);
    peer = cut(peer);
    assertThat(refusal(client.send("two")).reason()).isEqualTo(ErrorCode.UNEXPECTED);
    peer.expect(ClientMessage.Hello.class);
    peer.welcomeBack("alice", 0, 2, 0);
    assertThat(peer.expect(ClientMessage.Send.class).text()).isEqualTo("one");
    peer.expect(ClientMessage.Leave.class);
    peer.send(new ServerMessage.Ack(2, 1));
    peer.bye(0);
    peer.close();
    assertThat(get(one)).isEqualTo(2);
    get(left);
  }

  @Test
  void closeWaitsForNoWayBack() throws Exception {
    Peer peer = join(0);
    server.close();
    CompletionStage<Long> sent = client.send("one");
    peer.expect(ClientMessage.Send.class);
    peer.reset();
    await().until(() -> recorder.calls.contains("lost LOST 0"));
    client.close();
    assertThat(goodbye(client).ending()).isEqualTo(Goodbye.Ending.CLOSED);
    assertThatThrownBy(() -> get(sent)).hasCauseInstanceOf(EndedException.class);
  }

  /** However warmly it welcomes, and whatever chance says. */
  @Test
  void aServerThatHangsUpIsNotTriedTwiceInASecond() throws Exception {
    long began = System.nanoTime();
    client = connect(Duration.ofHours(1), bound -> 0, System::nanoTime);
    Peer peer = join(client, 0);
    peer.reset();
    for (int i = 1; i <= 2; i++) {
      peer = server.accept();
      assertThat(Duration.ofNanos(System.nanoTime() - began))
          .isGreaterThan(Duration.ofMillis(1_000 * i - 10));
      peer.expect(ClientMessage.Hello.class);
      peer.welcomeBack("alice", 0, 2, 0);
      peer.reset();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"another room", "another place", "too much taken", "confirmed lost"})
  void aWelcomeBackThatCannotBeIsALie(String lie) throws Exception {
    Peer peer = join(0);
    CompletionStage<Long> sent = client.send("one");
    peer.expect(ClientMessage.Send.class);
    if (lie.equals("confirmed lost")) {
      peer.send(new ServerMessage.Ack(0, 1));
      get(sent);
    }
    peer = cut(peer);
    long next = peer.expect(ClientMessage.Hello.class).resume().next();
    switch (lie) {
      case "another room" -> {
        ServerMessage.Welcome w = Peer.welcomeOf("alice", next, 9, 1);
        peer.send(
            new ServerMessage.Welcome(
                w.version(), true, 78, w.token(), next, 9, 0, 1, w.maxText(), 30, "alice", ""));
      }
      case "another place" -> peer.welcomeBack("alice", next + 1, 9, 0);
      case "too much taken" -> peer.welcomeBack("alice", next, 9, 2);
      default -> peer.welcomeBack("alice", next, 9, 0);
    }
    assertThat(goodbye(client).ending()).isEqualTo(Goodbye.Ending.VIOLATION);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void whoReadsNothingComesBackAllTheSame(boolean fromTheDoorOn) throws Exception {
    Peer peer = join(0);
    peer.reset();
    await().until(() -> recorder.calls.contains("lost LOST 0"));
    if (!fromTheDoorOn) {
      client.pause();
    }
    Peer next = server.accept();
    next.expect(ClientMessage.Hello.class);
    if (fromTheDoorOn) {
      client.pause();
      get(client.resumePoint());
    }
    next.welcomeBack("alice", 0, 2, 0);
    await().until(() -> recorder.calls.subList(3, recorder.calls.size()).contains("welcome"));
    next.send(msg(2, "bob", "hi"));
    client.resume();
    await().until(() -> recorder.calls.contains("bob@2: hi"));
  }

  @Test
  void whoWakesUpAsksWhetherTheServerIsStillThere() throws Exception {
    Peer peer = join(0);
    // Only a member looks for sleeps.
    await().until(() -> client.resumePoint().toCompletableFuture().get() != null);
    sleptMillis.addAndGet(3_600_000);
    peer.expect(ClientMessage.Ping.class);
    millis.addAndGet(1_000);
    // It is not, although the connection looks as before.
    Peer next = server.accept();
    next.expect(ClientMessage.Hello.class);
    next.welcomeBack("alice", 0, 2, 0);
    // Of the replay, and then of the sleep.
    next.expect(ClientMessage.Ping.class);
    sleptMillis.addAndGet(3_600_000);
    next.send(new ServerMessage.Pong(next.expect(ClientMessage.Ping.class).opaque()));
    next.send(msg(2, "bob", "good morning"));
    await().until(() -> recorder.calls.contains("bob@2: good morning"));
  }

  @Test
  void whoWakesUpDoesNotWaitForTheRestOfItsWait() throws Exception {
    // The shortest waits and then the longest, of 8 s; it is under way when it wakes up.
    AtomicInteger tries = new AtomicInteger();
    client = connect(Duration.ofHours(1), bound -> tries.incrementAndGet() < 3 ? 0 : bound - 1);
    Peer peer = join(client, 0);
    for (int i = 0; i < 3; i++) {
      millis.addAndGet(1_000);
      peer.reset();
      peer = i < 2 ? server.accept() : peer;
    }
    await().until(() -> tries.get() == 3);
    long before = System.nanoTime();
    sleptMillis.addAndGet(3_600_000);
    server.accept();
    assertThat(Duration.ofNanos(System.nanoTime() - before)).isLessThan(Duration.ofSeconds(5));
  }

  /** Who says it then knows that it has to wait. */
  @Test
  void whatIsSaidWhenALossIsToldIsBounded() throws Exception {
    List<CompletionStage<Long>> said = new CopyOnWriteArrayList<>();
    ChatListener talkative =
        new ChatListener() {
          @Override
          public void lost(Goodbye why) {
            for (int i = 1; i <= Session.AWAY_MAX + 2; i++) {
              said.add(client.send("text " + i));
            }
          }
        };
    client = get(ChatClient.connect("127.0.0.1", server.port(), talkative, options(HOUR)));
    join(client, 0).reset();
    Peer peer = server.accept();
    for (CompletionStage<Long> tooMany : said.subList(Session.AWAY_MAX, Session.AWAY_MAX + 2)) {
      assertThatThrownBy(() -> get(tooMany))
          .hasCauseInstanceOf(BacklogFullException.class)
          .hasMessageContaining("100 messages wait for the connection");
    }
    peer.expect(ClientMessage.Hello.class);
    peer.welcomeBack("alice", 0, 2, 0);
    for (int i = 1; i <= Session.AWAY_MAX; i++) {
      assertThat(peer.expect(ClientMessage.Send.class).text()).isEqualTo("text " + i);
    }
  }

  /** Cuts the connection when nothing keeps the client from trying again at once. */
  private Peer cut(Peer peer) throws Exception {
    millis.addAndGet(1_000);
    peer.reset();
    Peer next = server.accept();
    await().until(() -> recorder.calls.contains("lost LOST 0"));
    return next;
  }

  private Peer join(long next) throws Exception {
    return join(next, HOUR);
  }

  private Peer join(long next, Duration within) throws Exception {
    client = connect(within);
    return join(client, next);
  }

  private Peer join(ChatClient joining, long next) throws Exception {
    CompletionStage<ServerMessage.Welcome> welcome = joining.join("alice", 0);
    Peer peer = server.acceptAndWelcome(next);
    get(welcome);
    return peer;
  }

  /** Of which only numbers below a bound are asked. */
  private interface Chance extends RandomGenerator {
    @Override
    long nextLong(long bound);

    @Override
    default long nextLong() {
      throw new UnsupportedOperationException();
    }
  }

  private ChatClient connect(Duration within) throws Exception {
    return connect(within, bound -> 0);
  }

  private ChatClient connect(Duration within, Chance jitter) throws Exception {
    return connect(within, jitter, () -> TimeUnit.MILLISECONDS.toNanos(millis.get()));
  }

  private ChatClient connect(Duration within, Chance jitter, LongSupplier nanoTime)
      throws Exception {
    ClientOptions options =
        options(within)
            .withJitter(jitter)
            .withClocks(nanoTime, () -> Instant.ofEpochMilli(millis.get() + sleptMillis.get()));
    return get(ChatClient.connect("127.0.0.1", server.port(), recorder, options));
  }

  private static ClientOptions options(Duration within) {
    return ClientOptions.defaults().withReturn(within);
  }
}
