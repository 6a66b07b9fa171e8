package simplechat.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

/** J2: how many connections the descriptors of a process allow. */
class DescriptorLimitTest {
  @Test
  void someDescriptorsAreKeptForTheRest() {
    assertThat(DescriptorLimit.connections(10_000, 1024)).isEqualTo(896);
    assertThat(DescriptorLimit.connections(896, 1024)).isEqualTo(896);
    assertThat(DescriptorLimit.connections(10, 1024)).isEqualTo(10);
    assertThat(DescriptorLimit.connections(10_000, Long.MAX_VALUE)).isEqualTo(10_000);
    assertThat(DescriptorLimit.connections(10_000, 192)).isEqualTo(64);
  }

  @Test
  void withTooFewItDoesNotStart() {
    assertThatThrownBy(() -> DescriptorLimit.connections(10, 191))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("191")
        .hasMessageContaining("192");
  }
}
