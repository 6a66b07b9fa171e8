package simplechat.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import java.util.Set;
import org.jline.utils.Colors;
import org.junit.jupiter.api.Test;

class NameColoursTest {
  @Test
  void eachColourCanBeReadOnBlackAndOnWhite() {
    Set<Integer> colours = new HashSet<>();
    for (int i = 0; i < 1_000; i++) {
      colours.add(NameColours.of("member" + i, 256));
    }
    assertThat(colours).hasSize(12);
    for (int colour : colours) {
      double light = luminance(Colors.DEFAULT_COLORS_256[colour]);
      assertThat((light + 0.05) / 0.05).as("%d on black", colour).isGreaterThan(4);
      assertThat(1.05 / (light + 0.05)).as("%d on white", colour).isGreaterThan(4);
    }
  }

  @Test
  void aNameHasOneColourHoweverItIsWritten() {
    assertThat(NameColours.of("Alice", 256)).isEqualTo(NameColours.of("aLICE", 256));
    assertThat(NameColours.of("alice", 8)).isBetween(1, 7);
  }

  /** Relative luminance, by WCAG 2. */
  private static double luminance(int rgb) {
    return 0.2126 * linear(rgb >> 16 & 255)
        + 0.7152 * linear(rgb >> 8 & 255)
        + 0.0722 * linear(rgb & 255);
  }

  private static double linear(int channel) {
    double value = channel / 255.0;
    return value <= 0.03928 ? value / 12.92 : Math.pow((value + 0.055) / 1.055, 2.4);
  }
}
