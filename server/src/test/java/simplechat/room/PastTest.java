package simplechat.room;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import simplechat.protocol.MemberName;
import simplechat.protocol.ResumeToken;
import simplechat.protocol.ServerMessage.Ack;

/** What is remembered of what has left the log, against a plain list of it. */
class PastTest {
  private final List<Run> runs = new ArrayList<>();
  private final Past past = new Past();

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5})
  void countsFromAnyPosition(long seed) throws Exception {
    Random random = new Random(seed);
    long end = seed == 1 ? 0 : random.nextLong(1L << 40);
    for (int i = 0; i < Past.RANGES_MIN; i++) {
      end = add(end + (i == 0 ? 0 : random.nextInt(3) * random.nextInt(2_000)), random);
      assertExactFrom(random.nextLong(end + 2));
      assertExactFrom(end - random.nextLong(Math.min(end, 2_000)));
    }
    assertExactFrom(0);
    for (Run run : runs) {
      assertExactFrom(run.firstPosition());
      assertExactFrom(run.endPosition());
    }
  }

  @Test
  @DisplayName("the oldest are forgotten, and never one of the last 1 000")
  void forgetsTheOldest() throws Exception {
    Random random = new Random(6);
    long end = 0;
    for (int i = 0; i < 10 * Past.RANGES_MIN; i++) {
      end = add(end + 1 + random.nextInt(2_000_000), random);
      int oldest = Math.max(0, runs.size() - Past.RANGES_MIN);
      assertExactFrom(runs.get(oldest).firstPosition());
    }
    assertThat(past.eventsSince(0)).isLessThan(events(runs.get(5 * Past.RANGES_MIN)));
  }

  @Test
  @DisplayName("what others said nothing between is one range, however often it was")
  void joinsWhatIsAdjacent() throws Exception {
    Random random = new Random(7);
    long end = 0;
    for (int i = 0; i < 10 * Past.RANGES_MIN; i++) {
      end = add(end, random);
    }
    assertExactFrom(0);
    assertExactFrom(end / 3);
  }

  /** Adds a run at the position and returns its end. */
  private long add(long position, Random random) throws Exception {
    Member member = new Member(MemberName.of("ann"), new ResumeToken(1, 2));
    Run run = new Run(member, 0, position);
    if (random.nextInt(4) == 0) {
      run.extend(0, 0);
    } else {
      for (int i = random.nextInt(20); i >= 0; i--) {
        run.extend(0, runs.size() + 1);
      }
    }
    runs.add(run);
    past.add(run);
    return run.endPosition();
  }

  private void assertExactFrom(long position) {
    long expected = 0;
    Ack ack = null;
    for (int i = runs.size() - 1; i >= 0 && runs.get(i).endPosition() > position; i--) {
      Run run = runs.get(i);
      expected += run.endPosition() - Math.max(run.firstPosition(), position);
      ack = ack == null && run.sendNo() != 0 ? run.ack() : ack;
    }
    assertThat(past.eventsSince(position)).as("events from %s", position).isEqualTo(expected);
    assertThat(past.ackSince(position)).as("ACK from %s", position).isEqualTo(ack);
  }

  /** All from this run on. */
  private long events(Run first) {
    return runs.subList(runs.indexOf(first), runs.size()).stream()
        .mapToLong(run -> run.endPosition() - run.firstPosition())
        .sum();
  }
}
