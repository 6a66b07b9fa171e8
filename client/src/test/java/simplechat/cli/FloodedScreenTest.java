package simplechat.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import simplechat.client.ScriptedServer;
import simplechat.client.ScriptedServer.Peer;
import simplechat.protocol.ServerMessage;

/**
 * Ten thousand messages a second, and somebody who types meanwhile. The bound of the ordinary build
 * is a generous one, because it may share its machine; with {@code -Dchat.load=full} it is the
 * promised one.
 */
@Tag("slow")
class FloodedScreenTest {
  private static final boolean FULL = "full".equals(System.getProperty("chat.load"));
  private static final int SECONDS = FULL ? 10 : 2;
  private static final long ECHO_MILLIS = FULL ? 100 : 1_000;
  private static final int BATCH = 50;
  private static final int BATCHES_PER_SECOND = 200;

  @Test
  void aKeyEchoesWhileTenThousandMessagesASecondAreShown() throws Exception {
    Path script = Path.of("/usr/bin/script");
    assumeTrue(Files.isExecutable(script), "there is no script to make a terminal");
    try (ScriptedServer server = new ScriptedServer()) {
      List<String> client =
          ClientProgramTest.command(List.of("--port", "" + server.port(), "-u", "ann"), Map.of())
              .command();
      String command = "stty rows 24 cols 80; exec '" + String.join("' '", client) + "'";
      ProcessBuilder builder = new ProcessBuilder("" + script, "-qfec", command, "/dev/null");
      ClientProgramTest.clean(builder);
      builder.environment().put("TERM", "xterm-256color");
      Process terminal = builder.start();
      try {
        watch(terminal, server.acceptAndWelcome(0));
      } finally {
        terminal.destroyForcibly();
      }
    }
  }

  private static void watch(Process terminal, Peer peer) throws Exception {
    Output output = new Output(terminal.getInputStream());
    output.await("ann> ");
    CompletableFuture<Long> flood = CompletableFuture.supplyAsync(() -> flood(peer));
    long[] echoes = new long[SECONDS * 5];
    for (int i = 0; i < echoes.length; i++) {
      // A letter that is in no message and was not typed before.
      String key = Character.toString(0x4E00 + i);
      long began = System.nanoTime();
      output.expect(key);
      terminal.getOutputStream().write(key.getBytes(StandardCharsets.UTF_8));
      terminal.getOutputStream().flush();
      output.await(key);
      echoes[i] = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - began);
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(150));
    }
    long floodMillis = flood.get(60, TimeUnit.SECONDS);
    long sent = System.nanoTime();
    output.await("last");
    long behind = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - sent);
    java.util.Arrays.sort(echoes);
    long median = echoes[echoes.length / 2];
    long worst = echoes[echoes.length - 1];
    String figures =
        "%d messages in %d ms, shown %d ms later; a key echoed after %d ms, at most %d ms"
            .formatted(SECONDS * BATCHES_PER_SECOND * BATCH, floodMillis, behind, median, worst);
    System.out.println("FloodedScreenTest: " + figures);
    // A client that could not keep up would have held the sender back, and would have a tail.
    assertThat(floodMillis).as(figures).isLessThan(SECONDS * 1_000L + ECHO_MILLIS);
    assertThat(behind).as(figures).isLessThan(10 * ECHO_MILLIS);
    assertThat(worst).as(figures).isLessThan(ECHO_MILLIS);
  }

  /** How long it took. */
  private static long flood(Peer peer) {
    long began = System.nanoTime();
    int seq = 0;
    try {
      for (int batch = 0; batch < SECONDS * BATCHES_PER_SECOND; batch++) {
        ServerMessage[] messages = new ServerMessage[BATCH];
        for (int i = 0; i < BATCH; i++) {
          messages[i] = new ServerMessage.Msg(seq, 1, "bob", "message number " + seq);
          seq++;
        }
        peer.send(messages);
        long due = began + (batch + 1) * TimeUnit.SECONDS.toNanos(1) / BATCHES_PER_SECOND;
        LockSupport.parkNanos(due - System.nanoTime());
      }
      peer.send(new ServerMessage.Msg(seq, 1, "bob", "last"));
    } catch (IOException e) {
      throw new AssertionError(e);
    }
    return TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - began);
  }

  /** What a terminal is sent, read as fast as it comes. */
  private static final class Output {
    private final StringBuilder tail = new StringBuilder();
    private String expected = "ann> ";
    private boolean seen;

    Output(InputStream in) {
      Thread reading =
          new Thread(
              () -> {
                char[] chars = new char[64 * 1024];
                try (Reader reader = new InputStreamReader(in, StandardCharsets.UTF_8)) {
                  for (int count = reader.read(chars); count >= 0; count = reader.read(chars)) {
                    add(new String(chars, 0, count));
                  }
                } catch (IOException e) {
                  // The end of the terminal.
                }
              });
      reading.setDaemon(true);
      reading.start();
    }

    private synchronized void add(String text) {
      tail.append(text);
      seen |= tail.indexOf(expected) >= 0;
      notifyAll();
      tail.delete(0, Math.max(0, tail.length() - 100));
    }

    synchronized void expect(String text) {
      expected = text;
      seen = false;
    }

    synchronized void await(String text) throws InterruptedException {
      if (!expected.equals(text)) {
        expect(text);
        seen = tail.indexOf(text) >= 0;
      }
      long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
      while (!seen) {
        assertThat(System.nanoTime()).as("%s is shown", text).isLessThan(until);
        wait(100);
      }
    }
  }
}
