package simplechat.room;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import simplechat.protocol.Benchmarks;

@Tag("slow")
class RoomLogBenchmarkTest {
  @Test
  void aDeliveryMakesNoGarbage() throws Exception {
    Map<String, Double> bytes = Benchmarks.allocatedBytes(RoomLogBenchmark.class);
    // Not quite 0: each turn has a run, and now and then a segment is new, shared by all.
    assertThat(bytes.get("deliver")).isLessThan(1);
    assertThat(bytes.get("append")).isLessThan(2);
  }
}
