package simplechat.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.Unpooled;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import simplechat.client.Extreme;
import simplechat.client.Noise;
import simplechat.client.ScriptedServer;
import simplechat.client.ScriptedServer.Peer;
import simplechat.protocol.ClientMessage;
import simplechat.protocol.ErrorCode;
import simplechat.protocol.ServerMessage;

/** No server brings the program to anything but a documented exit code, and nothing to a screen. */
@Tag("slow")
class HostileRoomTest {
  private static final long SEED = Long.getLong("test.seed", System.nanoTime());
  private static final int AT_ONCE = 40;
  private static final long CLOCK_SPEED = 100;
  private static final long MEMORY_BYTES = 64L * 1024 * 1024;

  /** One run of the program. */
  private record Result(int exitCode, String printed) {}

  @Test
  void randomSessionsEndWithADocumentedExitCode() throws Exception {
    int sessions = Noise.sessions();
    ExecutorService programs = Executors.newFixedThreadPool(AT_ONCE);
    Map<Integer, Integer> exitCodes = new TreeMap<>();
    try {
      List<Callable<Result>> runs = new ArrayList<>();
      for (int i = 0; i < sessions; i++) {
        Random random = new Random(SEED + i);
        runs.add(() -> run(random));
      }
      List<Future<Result>> results = programs.invokeAll(runs);
      for (int i = 0; i < sessions; i++) {
        String session = "-Dtest.seed=" + (SEED + i) + " -Dtest.sessions=1";
        Result result = results.get(i).get();
        exitCodes.merge(result.exitCode, 1, Integer::sum);
        assertThat(result.exitCode).as(session).isIn(ExitCode.OK, ExitCode.ERROR, ExitCode.REFUSED);
        assertThat(HarmfulCharacters.in(result.printed)).as(session).isEmpty();
        assertThat(result.printed)
            .as(session)
            .doesNotContain("Exception", "\tat ", "internal error");
      }
    } finally {
      programs.shutdownNow();
    }
    Awaitility.await("the threads of all programs end")
        .untilAsserted(
            () ->
                assertThat(Thread.getAllStackTraces().keySet())
                    .extracting(Thread::getName)
                    .doesNotContain("chat-printer", "chat-input"));
    System.gc();
    long used = Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
    System.out.println(
        "HostileRoomTest: %d sessions, exit codes %s, %d MiB of heap in use afterwards"
            .formatted(sessions, exitCodes, used >> 20));
    assertThat(used).isLessThan(MEMORY_BYTES);
    assertThat(exitCodes).containsKey(ExitCode.ERROR);
  }

  private static Result run(Random random) throws Exception {
    try (ScriptedServer server = new ScriptedServer()) {
      // The common pool has a thread a core, and these wait.
      Thread serving = new Thread(() -> serve(server, random));
      serving.start();
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      boolean json = random.nextBoolean();
      Settings settings =
          new Settings(
              "127.0.0.1",
              server.port(),
              Admission.FREE,
              "alice",
              5,
              true,
              false,
              false,
              json,
              false);
      Visit visit =
          new Visit(
              settings,
              new Transcript(Clock.systemUTC()),
              new PipeInput(new ByteArrayInputStream(script(random))),
              new PlainScreen(json ? Screen.Kind.RECORD : Screen.Kind.TALK, out, out),
              new Interrupts(() -> {}),
              // So that its tries are more than a second apart, and nobody waits for one.
              Visit.PIPE
                  .withReturn(Duration.ofSeconds(2))
                  .withJitter(new Extreme(false))
                  .withClocks(() -> System.nanoTime() * CLOCK_SPEED, InstantSource.system()),
              System::nanoTime);
      int exitCode = visit.run();
      return new Result(exitCode, out.toString(StandardCharsets.UTF_8));
    }
  }

  private static byte[] script(Random random) {
    StringBuilder script = new StringBuilder();
    for (int i = random.nextInt(5); i > 0; i--) {
      script.append(random.nextInt(3) == 0 ? "who\n" : "send text " + i + "\n");
    }
    return script.toString().getBytes(StandardCharsets.UTF_8);
  }

  /** Noise for whoever comes; who comes back is sent away for good at some time. */
  private static void serve(ScriptedServer server, Random random) {
    try (server) {
      for (int visit = 0; ; visit++) {
        try (Peer peer = server.accept()) {
          if (visit > 0 && random.nextInt(3) > 0) {
            peer.bye(ErrorCode.REMOVED.number());
            drain(peer);
            return;
          }
          meet(peer, random);
        }
      }
    } catch (IOException e) {
      // The program is gone.
    }
  }

  private static void meet(Peer peer, Random random) throws IOException {
    if (random.nextInt(5) == 0) {
      peer.reset();
      return;
    }
    if (random.nextInt(10) == 0) {
      byte[] bytes = new byte[random.nextInt(200)];
      random.nextBytes(bytes);
      peer.send(Unpooled.wrappedBuffer(bytes));
    }
    if (!(peer.receive() instanceof ClientMessage.Hello)) {
      return;
    }
    int manner = random.nextInt(10);
    if (manner == 0) {
      peer.send(new ServerMessage.Refused(200 + random.nextInt(5), 0, "no"));
    } else if (manner > 1) {
      peer.welcome("alice", 0, random.nextInt(3));
    }
    // Without noise it is a loss, after which the program comes back.
    if (manner < 7) {
      peer.send(Noise.frames(random, 0));
    }
    switch (random.nextInt(4)) {
      case 0 -> peer.reset();
      case 1 -> peer.bye(random.nextInt(450));
      case 2 -> peer.bye(0);
      default -> {}
    }
  }

  private static void drain(Peer peer) throws IOException {
    while (peer.receive() != null) {
      // Until it hangs up.
    }
  }
}
