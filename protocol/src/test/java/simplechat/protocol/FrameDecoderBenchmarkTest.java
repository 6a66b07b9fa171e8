package simplechat.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("slow")
class FrameDecoderBenchmarkTest {
  @Test
  void aMessageThatComesInMakesNoGarbage() throws Exception {
    // Not quite 0: the harness's own is shared by the frames of a call.
    assertThat(Benchmarks.allocatedBytes(FrameDecoderBenchmark.class).get("decode")).isLessThan(1);
  }
}
