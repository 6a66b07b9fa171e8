package simplechat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import simplechat.client.ChatClient;
import simplechat.client.ChatListener;
import simplechat.client.ClientOptions;
import simplechat.client.Goodbye;
import simplechat.client.RoomEvent;
import simplechat.protocol.ServerMessage.Welcome;
import simplechat.support.Load;
import simplechat.support.Proxy;
import simplechat.support.Proxy.Fate;
import simplechat.support.RunningServer;

/** A dropped connection is an event of no consequence: the client library on a bad way. */
@Tag("slow")
class CutTest {
  private static final Duration PATIENCE = Duration.ofSeconds(Load.count(60, 900));

  /** Cuts may come as fast as they like: by this clock each is long after the one before. */
  private static final int CLOCK_SPEED = 500;

  /** Of a log that keeps everything, and of one that forgets while somebody is away. */
  @ParameterizedTest
  @ValueSource(ints = {16 << 20, 128 << 10})
  void cutsAtRandomBytesLoseNothingAndRepeatNothing(int logBytes) {
    int cuts = Load.count(150, logBytes > 1 << 20 ? 10_000 : 2_000);
    int speakers = Load.count(10, 40);
    Load.seeded(
        random -> {
          try (RunningServer server =
                  RunningServer.start(
                      config ->
                          config
                              .logBytes(logBytes)
                              .maxText(1_024)
                              .heartbeat(Duration.ofMinutes(10)));
              Proxy proxy = new Proxy(server.address())) {
            Room room = new Room(server.address().getPort());
            List<Speaker> members = new ArrayList<>();
            for (int i = 0; i < speakers; i++) {
              members.add(new Speaker(room, "member" + i, proxy.port()));
            }
            proxy.fates(() -> fate(random));
            proxy.cut(Proxy.End.RESET);
            members.forEach(Speaker::begin);
            await("cuts").atMost(PATIENCE).until(() -> proxy.ended() >= cuts);
            proxy.fates(() -> Fate.CALM);
            members.forEach(member -> member.stopping = true);
            await("quiet")
                .atMost(PATIENCE)
                .untilAsserted(() -> assertThat(members).allMatch(Speaker::isQuiet));
            long end = room.say("the end");
            await("the end")
                .atMost(PATIENCE)
                .untilAsserted(() -> assertThat(members).allMatch(member -> member.saw(end)));
            members.forEach(Speaker::check);
            long gaps = members.stream().mapToLong(member -> member.missedBefore.size()).sum();
            if (logBytes >= 1 << 20) {
              assertThat(gaps).as("gaps in a room that keeps everything").isZero();
            } else if (Load.isFull()) {
              // So few cuts as in an ordinary build need not lead behind what is forgotten.
              assertThat(gaps).as("gaps in a room that forgets").isPositive();
            }
            members.forEach(Speaker::leave);
            room.leave();
          }
        });
  }

  /** "T all back within 15 s, at most 1 200 connects/s, none tries more than once per second." */
  @Test
  @EnabledIfSystemProperty(
      named = "chat.load",
      matches = "full") // measures, as long as it is alone
  void aCrowdThatIsCutAtOnceComesBackWithoutAStampede() {
    int members = Load.count(200, 2_000);
    try (RunningServer server = RunningServer.start();
        Proxy proxy = new Proxy(server.address())) {
      int descriptors = RunningServer.descriptors();
      List<ChatClient> clients = new ArrayList<>();
      AtomicInteger back = new AtomicInteger();
      ClientOptions options = ClientOptions.defaults().withReturn(Duration.ofMinutes(1));
      for (int i = 0; i < members; i++) {
        ChatListener counting =
            new ChatListener() {
              @Override
              public void back(Duration away, long missed) {
                assertThat(missed).isZero();
                back.incrementAndGet();
              }
            };
        ChatClient client = get(ChatClient.connect("127.0.0.1", proxy.port(), counting, options));
        get(client.join("member" + i, 0));
        clients.add(client);
      }
      int before = proxy.acceptedNanos().size();
      long cut = System.nanoTime();
      proxy.cut(Proxy.End.RESET);
      await("all back").atMost(Duration.ofSeconds(15)).until(back::get, is -> is == members);
      List<Long> accepted = proxy.acceptedNanos();
      assertThat(accepted).hasSize(before + members);
      long[] tries = accepted.stream().skip(before).mapToLong(at -> at - cut).sorted().toArray();
      assertThat(busiestSecond(tries)).isLessThanOrEqualTo(Load.count(150, 1_200));
      assertThat(tries[tries.length - 1]).isLessThan(TimeUnit.SECONDS.toNanos(3));
      clients.forEach(ChatClient::close);
      server.awaitMembers(0);
      // Each client had a thread and its descriptors, which take a while to go when all end at
      // once.
      await("clients gone")
          .atMost(Duration.ofSeconds(30))
          .until(RunningServer::descriptors, now -> now <= descriptors + 5);
    }
  }

  private static int busiestSecond(long[] nanos) {
    return IntStream.range(0, nanos.length)
        .map(
            from ->
                (int)
                    Arrays.stream(nanos, from, nanos.length)
                        .filter(at -> at < nanos[from] + TimeUnit.SECONDS.toNanos(1))
                        .count())
        .max()
        .orElseThrow();
  }

  /** Most are cut within a few messages, some in the HELLO or the WELCOME, some without a word. */
  private static Fate fate(Random random) {
    Proxy.End end =
        random.nextInt(20) == 0
            ? Proxy.End.SILENCE
            : random.nextBoolean() ? Proxy.End.RESET : Proxy.End.FIN;
    int most = random.nextInt(4) == 0 ? 120 : 20_000;
    int slice = random.nextBoolean() ? 1 + random.nextInt(50) : Integer.MAX_VALUE;
    int pauseMillis = slice > 10 && random.nextInt(4) == 0 ? 1 : 0;
    return random.nextBoolean()
        ? new Fate(end, random.nextInt(most / 10), Long.MAX_VALUE, slice, pauseMillis)
        : new Fate(end, Long.MAX_VALUE, random.nextInt(most), slice, pauseMillis);
  }

  private static ClientOptions options() {
    return ClientOptions.defaults()
        .withReturn(ClientOptions.FOREVER)
        .withJitter(() -> 0)
        .withClocks(() -> System.nanoTime() * CLOCK_SPEED, InstantSource.system());
  }

  private static <T> T get(CompletionStage<T> stage) {
    return stage.toCompletableFuture().orTimeout(20, TimeUnit.SECONDS).join();
  }

  /** What really happened, seen by a member on a good way: every event by its position. */
  private static final class Room implements ChatListener {
    final ConcurrentSkipListMap<Long, RoomEvent> events = new ConcurrentSkipListMap<>();
    private final ChatClient client;

    Room(int port) {
      client = get(ChatClient.connect("127.0.0.1", port, this));
      get(client.join("witness", 0));
    }

    long say(String text) {
      return get(client.send(text));
    }

    void leave() {
      get(client.leave());
    }

    @Override
    public void message(RoomEvent.Message message) {
      events.put(message.position(), message);
    }

    @Override
    public void joined(RoomEvent.Joined joined) {
      events.put(joined.position(), joined);
    }

    @Override
    public void left(RoomEvent.Left left) {
      events.put(left.position(), left);
    }

    @Override
    public void gap(long missed) {
      throw new AssertionError("the witness misses " + missed);
    }
  }

  /** A member on a bad way that speaks all the time, and notes everything that it is told. */
  private static final class Speaker implements ChatListener {
    private static final int OUTSTANDING_MAX = 8;
    private static final String PADDING = "and more ".repeat(20);

    final Room room;
    final String name;
    final ChatClient client;
    final long start;
    final List<String> sent = new CopyOnWriteArrayList<>();
    final List<Long> confirmedAt = new CopyOnWriteArrayList<>();
    final List<RoomEvent> seen = new CopyOnWriteArrayList<>();
    final List<String> faults = new CopyOnWriteArrayList<>();
    final AtomicInteger outstanding = new AtomicInteger();

    /** Events missed before the one that is seen next, of which all GAPs so far told. */
    final ConcurrentSkipListMap<Integer, Long> missedBefore = new ConcurrentSkipListMap<>();

    volatile boolean stopping;
    private volatile boolean away;
    private long missedAway;

    Speaker(Room room, String name, int port) {
      this.room = room;
      this.name = name;
      client = get(ChatClient.connect("127.0.0.1", port, this, options()));
      start = get(client.join(name, 0)).next();
    }

    /** Each confirmation is followed by the next text. */
    void begin() {
      for (int i = 0; i < OUTSTANDING_MAX; i++) {
        speak();
      }
    }

    private void speak() {
      outstanding.incrementAndGet();
      synchronized (sent) {
        String text = name + " says " + sent.size() + " " + PADDING;
        sent.add(text);
        client
            .send(text)
            .whenComplete(
                (position, failure) -> {
                  outstanding.decrementAndGet();
                  if (failure != null) {
                    faults.add(text + ": " + failure);
                  } else {
                    confirmedAt.add(position);
                  }
                  if (!stopping) {
                    // Not at once: the test measures cuts, not speed.
                    CompletableFuture.delayedExecutor(10, TimeUnit.MILLISECONDS)
                        .execute(this::speak);
                  }
                });
      }
    }

    boolean isQuiet() {
      return outstanding.get() == 0 && !away;
    }

    boolean saw(long position) {
      return !seen.isEmpty() && seen.get(seen.size() - 1).position() >= position;
    }

    void leave() {
      // A way that was still to be cut may be cut now, and then there is nothing to come back for.
      client.leave();
      get(client.ended());
    }

    void check() {
      assertThat(faults).isEmpty();
      assertThat(
              room.events.values().stream()
                  .filter(this::isMine)
                  .map(event -> ((RoomEvent.Message) event).text()))
          .as("what the room has of " + name)
          .containsExactlyElementsOf(sent);
      List<Long> places =
          room.events.values().stream().filter(this::isMine).map(RoomEvent::position).toList();
      assertThat(confirmedAt).as("where " + name + " was told to be").hasSameSizeAs(places);
      for (int i = 0; i < places.size(); i++) {
        // Of texts in a GAP only the last place is known, and of those on both sides of several
        // returns only that nothing of anybody else lies between.
        boolean told =
            missedBefore.isEmpty()
                ? noneElseBetween(places.get(i), confirmedAt.get(i))
                : confirmedAt.get(i) >= places.get(i);
        assertThat(told).as("%s %d: %s is %s", name, i, places.get(i), confirmedAt.get(i)).isTrue();
      }
      long expected = start;
      for (int i = 0; i < seen.size(); i++) {
        RoomEvent event = seen.get(i);
        long between =
            event.position() < expected
                ? -1
                : room.events.subMap(expected, event.position()).values().stream()
                    .filter(this::concernsMe)
                    .count();
        assertThat(between)
            .as("%s missed before %s, the %d.", name, event, i)
            .isEqualTo(missedBefore.getOrDefault(i, 0L));
        if (event instanceof RoomEvent.Message message && !message.name().equals("witness")) {
          assertThat(message.text())
              .isEqualTo(((RoomEvent.Message) room.events.get(event.position())).text());
        }
        expected = event.position() + 1;
      }
    }

    private boolean noneElseBetween(long one, long other) {
      return room.events.subMap(Math.min(one, other), Math.max(one, other) + 1).values().stream()
          .noneMatch(this::concernsMe);
    }

    private boolean isMine(RoomEvent event) {
      return event instanceof RoomEvent.Message message && message.name().equals(name);
    }

    private boolean concernsMe(RoomEvent event) {
      String who = "";
      if (event instanceof RoomEvent.Message message) {
        who = message.name();
      } else if (event instanceof RoomEvent.Joined joined) {
        who = joined.name();
      } else if (event instanceof RoomEvent.Left left) {
        who = left.name();
      }
      return !who.equals(name);
    }

    @Override
    public void message(RoomEvent.Message message) {
      seen.add(message);
    }

    @Override
    public void joined(RoomEvent.Joined joined) {
      seen.add(joined);
    }

    @Override
    public void left(RoomEvent.Left left) {
      seen.add(left);
    }

    @Override
    public void gap(long missed) {
      missedBefore.merge(seen.size(), missed, Long::sum);
      missedAway += missed;
    }

    @Override
    public void lost(Goodbye why) {
      away = true;
      missedAway = 0;
    }

    @Override
    public void welcome(Welcome welcome) {
      if (away && !welcome.resumed()) {
        faults.add("not resumed");
      }
    }

    @Override
    public void back(Duration since, long missed) {
      away = false;
      if (missed < missedAway) {
        faults.add("told of " + missed + ", not " + missedAway);
      }
    }

    @Override
    public void ended(Goodbye goodbye) {
      if (!goodbye.inOrder()) {
        faults.add("ended: " + goodbye);
      }
    }
  }
}
