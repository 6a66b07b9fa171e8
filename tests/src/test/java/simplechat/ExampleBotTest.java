package simplechat;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
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
      Process bot = start("127.0.0.1", "" + proxy.port());
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

  @ParameterizedTest
  @CsvSource({"0,--help", "0,127.0.0.1 --help", "2,-x", "2,127.0.0.1 port", "2,127.0.0.1 1 2"})
  void whoAsksOrErrsIsToldInOneLine(int exit, String arguments) throws Exception {
    Process bot = start(arguments.split(" "));
    try {
      assertThat(bot.waitFor(30, TimeUnit.SECONDS)).isTrue();
      BufferedReader told = exit == 0 ? bot.inputReader() : bot.errorReader();
      assertThat(told.lines()).containsExactly("usage: EchoBot [HOST [PORT]]");
      assertThat(bot.exitValue()).isEqualTo(exit);
    } finally {
      bot.destroyForcibly();
    }
  }

  private static Process start(String... arguments) throws IOException {
    List<String> command =
        new ArrayList<>(
            List.of(
                ProcessHandle.current().info().command().orElseThrow(),
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                Sources.root().resolve("examples/EchoBot.java").toString()));
    command.addAll(List.of(arguments));
    return new ProcessBuilder(command).start();
  }
}
