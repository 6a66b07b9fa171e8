package simplechat.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class NameOfferTest {
  @Test
  void theNextNumberIsOffered() {
    assertThat(NameOffer.after("bob")).isEqualTo("bob2");
    assertThat(NameOffer.after("bob2")).isEqualTo("bob3");
    assertThat(NameOffer.after("bob9")).isEqualTo("bob10");
    assertThat(NameOffer.after("1")).isEqualTo("12");
  }

  @Test
  void anOfferKeepsTheLimits() {
    assertThat(NameOffer.after("a".repeat(20))).isEqualTo("a".repeat(19) + "2");
    assertThat(NameOffer.after("名".repeat(20))).isEqualTo("名".repeat(19) + "2");
    assertThat(NameOffer.after("99999999999999999999")).hasSizeLessThanOrEqualTo(20);
    for (String name = "名".repeat(20); !name.endsWith("20"); name = NameOffer.after(name)) {
      assertThat(NameOffer.fault(name)).isNull();
    }
  }
}
