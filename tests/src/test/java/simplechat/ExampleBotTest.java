package simplechat;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import simplechat.protocol.ServerMessage.Msg;
import simplechat.support.Proxy;
import simplechat.support.RawPeer;
import simplechat.support.RunningServer;

/** The bot of {@code examples}, started from its source as its comment says. */
@Tag("slow")
class ExampleBotTest {
  @Test
  void theBotAnswersAndSurvivesACut() throws Exception {
    try (RunningServer server = RunningServer.start();
        Proxy proxy = new Proxy(server.address())) {
      Process bot = start(proxy.port());
      try (BufferedReader out = bot.inputReader(StandardCharsets.UTF_8)) {
        assertThat(out.readLine()).isEqualTo("echo is in the chat");
        RawPeer alice = server.join("alice");
        assertThat(alice.await(Msg.class).text()).isEqualTo("welcome, alice!");
        alice.say("echo hello");
        assertThat(alice.await(Msg.class).text()).isEqualTo("hello");
        proxy.cut(Proxy.End.RESET);
        assertThat(out.readLine()).isEqualTo("lost, looking for a way back");
        alice.say("just talking", "echo are you back?");
        assertThat(alice.await(Msg.class).text()).isEqualTo("are you back?");
      } finally {
        bot.destroy();
        assertThat(bot.waitFor(10, TimeUnit.SECONDS)).isTrue();
      }
    }
  }

  private static Process start(int port) throws IOException {
    return new ProcessBuilder(
            ProcessHandle.current().info().command().orElseThrow(),
            "-XX:TieredStopAtLevel=1",
            "-cp",
            System.getProperty("java.class.path"),
            Sources.root().resolve("examples/EchoBot.java").toString(),
            "127.0.0.1",
            "" + port)
        .redirectError(ProcessBuilder.Redirect.DISCARD)
        .start();
  }
}
