package simplechat.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class PositionsTest {
  private static final long REACH = 1L << 31;

  @Test
  void aPositionIsRebuiltFromItsLowBitsAcrossEveryWrap() throws Exception {
    Seed.run(
        random -> {
          long[] edges = {
            0, REACH - 1, REACH, (1L << 32) - 1, 1L << 32, (1L << 33) - 1, 5L << 32, 1L << 62
          };
          for (int i = 0; i < 200_000; i++) {
            long next = edges[random.nextInt(edges.length)] + random.nextInt(5);
            next = random.nextBoolean() ? next : random.nextLong() >>> 1;
            long ahead = random.nextBoolean() ? random.nextInt(5) : random.nextLong(REACH);
            assertThat(Positions.expand(next, (int) (next + ahead))).isEqualTo(next + ahead);
          }
        });
  }

  @Test
  void theReachEndsBefore2To31() throws Exception {
    for (long next : new long[] {0, 7, REACH, (1L << 32) - 1, (1L << 40) + 3}) {
      assertThat(Positions.expand(next, (int) (next + REACH - 1))).isEqualTo(next + REACH - 1);
      for (long wrong : new long[] {next + REACH, next + REACH + 1, next - 1, next - REACH}) {
        assertThatThrownBy(() -> Positions.expand(next, (int) wrong))
            .isInstanceOfSatisfying(
                ProtocolException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.MALFORMED));
      }
    }
  }
}
