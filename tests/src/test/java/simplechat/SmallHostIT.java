package simplechat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import simplechat.protocol.ServerMessage.Ack;
import simplechat.protocol.ServerMessage.Bye;
import simplechat.protocol.ServerMessage.Msg;
import simplechat.support.RawPeer;
import simplechat.support.ServerProcess;

/**
 * The server's jar as Java starts it by itself, where it thinks to have 256 MiB and one CPU, and
 * where nothing can be written but /tmp.
 */
class SmallHostIT {
  private static final String READ_ONLY =
      "mount --make-rprivate / && mount --bind /tmp /tmp"
          + " && mount -o remount,ro,bind / && exec \"$@\"";
  private static final List<String> UNSHARED = List.of("unshare", "-r", "-m", "sh", "-c");
  private static final long MEMORY_MIB = 256;

  @Test
  void itWorksWithTheDefaultsOfJava() throws Exception {
    List<String> command = new ArrayList<>(UNSHARED);
    command.addAll(List.of(READ_ONLY, "sh", ServerProcess.java()));
    command.addAll(List.of("-XX:MaxRAM=" + MEMORY_MIB + "m", "-XX:ActiveProcessorCount=1"));
    command.addAll(List.of("-jar", "" + Sources.root().resolve("server/target/chat-server.jar")));
    command.addAll(List.of("--port", "0"));
    assumeTrue(mayUnshare(), "no namespaces of our own here");
    try (ServerProcess server = ServerProcess.run(Map.of(), command)) {
      List<RawPeer> members = new ArrayList<>();
      for (int i = 0; i < 100; i++) {
        RawPeer member = RawPeer.connect(server.address());
        member.join("m" + i);
        members.add(member);
      }
      // More than the log holds.
      for (int i = 0; i < 300; i++) {
        members.get(0).say("x".repeat(65_536)).await(Ack.class);
        members.get(1).await(Msg.class);
      }
      assertThat(residentMib(server.pid())).isLessThan(MEMORY_MIB - 32);
      server.signal("TERM");
      members.get(1).await(Bye.class);
      members.forEach(RawPeer::close);
      assertThat(server.exit()).as("%s", server.log()).isZero();
      assertThat(server.log()).noneMatch(line -> line.contains(" ERROR "));
    }
  }

  private static boolean mayUnshare() throws InterruptedException {
    List<String> command = new ArrayList<>(UNSHARED);
    command.addAll(List.of(READ_ONLY, "sh", "true"));
    try {
      return new ProcessBuilder(command).start().waitFor() == 0;
    } catch (IOException e) {
      return false;
    }
  }

  private static long residentMib(long pid) throws IOException {
    return Files.readAllLines(Path.of("/proc/" + pid + "/status")).stream()
            .filter(line -> line.startsWith("VmHWM:"))
            .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")))
            .findFirst()
            .orElseThrow()
        / 1024;
  }
}
