package simplechat.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class JsonTest {
  private static final long SEED = Long.getLong("test.seed", System.nanoTime());

  @Test
  void anObjectIsOneLine() {
    String json =
        new Json("t")
            .put("text", "a \"b\" \\ c\nd\te")
            .put("n", 1L << 62)
            .put("yes", true)
            .put("names", List.of("x", "名"))
            .line()
            .plain();
    assertThat(json)
        .isEqualTo(
            "{\"type\":\"t\",\"text\":\"a \\\"b\\\" \\\\ c\\nd\\te\",\"n\":4611686018427387904,"
                + "\"yes\":true,\"names\":[\"x\",\"名\"]}");
  }

  @Test
  void whatCannotBeSeenIsAnEscape() {
    assertThat(object("\u202ea\u0007\u009b\u200b\u2028\ud83d\ude00"))
        .isEqualTo(
            "{\"type\":\"t\",\"text\":\"\\u202ea\\u0007\\u009b\\u200b\\u2028\\ud83d\\ude00\"}");
    assertThat(object("\ud83d\ude00 \u00e9")).contains("\ud83d\ude00 \u00e9");
  }

  /** The line on screen is the object itself: nothing of it is left for the sanitiser to change. */
  @Test
  void anyTextComesBackAndNothingOfItIsChangedOnItsWay() {
    Random random = new Random(SEED);
    for (int i = 0; i < 20_000; i++) {
      StringBuilder text = new StringBuilder();
      for (int length = random.nextInt(12); length > 0; length--) {
        int codePoint =
            switch (random.nextInt(5)) {
              case 0 -> random.nextInt(0xA0);
              case 1 -> 0x300 + random.nextInt(0x20);
              case 2 -> 0x2000 + random.nextInt(0x70);
              case 3 -> 0x1F300 + random.nextInt(0x300);
              default -> random.nextInt(0x110000);
            };
        if (codePoint < 0xD800 || codePoint > 0xDFFF) {
          text.appendCodePoint(codePoint);
        }
      }
      String json = object(text.toString());
      String as = "-Dtest.seed=" + SEED + ", text " + i;
      assertThat(parsed(json)).as(as).isEqualTo(text.toString());
      String shown = json.substring(1, json.length() - 1);
      assertThat(Sanitiser.text(shown)).as(as).isEqualTo(shown).doesNotContain("\n");
    }
  }

  private static String object(String text) {
    return new Json("t").put("text", text).line().plain();
  }

  /** The text of the object, by the rules of JSON. */
  private static String parsed(String json) {
    String prefix = "{\"type\":\"t\",\"text\":\"";
    assertThat(json).startsWith(prefix).endsWith("\"}");
    StringBuilder text = new StringBuilder();
    for (int i = prefix.length(); i < json.length() - 2; i++) {
      char c = json.charAt(i);
      if (c != '\\') {
        assertThat(c).isNotEqualTo('"').isGreaterThanOrEqualTo(' ');
        text.append(c);
        continue;
      }
      char escaped = json.charAt(++i);
      switch (escaped) {
        case 'n' -> text.append('\n');
        case 't' -> text.append('\t');
        case 'u' -> {
          text.append((char) Integer.parseInt(json.substring(i + 1, i + 5), 16));
          i += 4;
        }
        default -> text.append(escaped);
      }
    }
    return text.toString();
  }
}
