package simplechat;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import simplechat.support.Crowd;
import simplechat.support.Load;
import simplechat.support.RunningServer;
import simplechat.support.Shape;

/** A thousand members, of whom fifty speak at once, in a process of their own. */
@Tag("slow")
class CrowdTest {
  private static final int SPEAKERS = 50;
  private static final int TEXTS = 200;

  /** "All members MUST see the events of the room in one order." */
  @ParameterizedTest
  @EnumSource
  void aThousandMembersSeeOneOrder(Shape shape) throws IOException, InterruptedException {
    int members = shape == Shape.ONE_LOOP ? 1000 : Load.count(200, 1000);
    for (long seed = 1; seed <= Load.count(1, 5); seed++) {
      try (RunningServer server =
          RunningServer.start(config -> shape.apply(config).maxPending(members))) {
        List<String> lines = Crowd.run(server.address().getPort(), members, SPEAKERS, TEXTS, seed);
        assertThat(lines).as("seed %d", seed).hasSize(2);
        assertThat(lines.get(0)).isEqualTo("members " + members);
        assertThat(lines.get(1)).startsWith("chain " + SPEAKERS * TEXTS + " ");
      }
    }
  }
}
