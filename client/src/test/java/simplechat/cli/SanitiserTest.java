package simplechat.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import simplechat.client.Noise;

class SanitiserTest {
  private static final long SEED = Long.getLong("test.seed", System.nanoTime());
  private static final int STRINGS = Noise.times(1_000_000);

  @Test
  void controlCharactersAreShown() {
    assertThat(Sanitiser.text("a\u001b[2Jb")).isEqualTo("a␛[2Jb");
    assertThat(Sanitiser.text("\r\n\t\u0007\u007f")).isEqualTo("␍␊␉␇␡");
    assertThat(Sanitiser.text("\u009b31m")).isEqualTo("<U+009B>31m");
  }

  @Test
  void whatHidesOrReordersIsShown() {
    assertThat(Sanitiser.text("a\u202eb")).isEqualTo("a<U+202E>b");
    assertThat(Sanitiser.text("\u2066\u2069\u200e\u061c"))
        .isEqualTo("<U+2066><U+2069><U+200E><U+061C>");
    assertThat(Sanitiser.text("\u200b\u2060\ufeff\u00ad"))
        .isEqualTo("<U+200B><U+2060><U+FEFF><U+00AD>");
    assertThat(Sanitiser.text("\u2028\u2029")).isEqualTo("<U+2028><U+2029>");
    assertThat(Sanitiser.text("\udb40\udc41")).isEqualTo("<U+E0041>");
    assertThat(Sanitiser.text("\u3164\u115f\u034f")).isEqualTo("<U+3164><U+115F><U+034F>");
    assertThat(Sanitiser.text("\ud800")).isEqualTo("<U+D800>");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "hello, world",
        "Grüße, Ζωή, Привет, 名前, שלום, مرحبا",
        "👩‍👩‍👧 ❤️ 1️⃣ 👍🏽 🏳️‍🌈",
        "👩🏽‍💻 🕵🏽‍♂️ ☺️ ↔️ 🏴‍☠️ ❤️‍🔥 ™️ 🇩🇪 *️⃣",
        "e\u0301",
        "\ud83e\udee0 is newer than the tables of JDK 17"
      })
  void whatPeopleWriteStays(String text) {
    assertThat(Sanitiser.text(text)).isEqualTo(text);
  }

  @Test
  void joinersOutsideAnEmojiAreShown() {
    assertThat(Sanitiser.text("a\u200db")).isEqualTo("a<U+200D>b");
    assertThat(Sanitiser.text("👩\u200d")).isEqualTo("👩<U+200D>");
    assertThat(Sanitiser.text("a\ufe0f 1\ufe0f")).isEqualTo("a<U+FE0F> 1<U+FE0F>");
    assertThat(Sanitiser.text("←\ufe0f ←\u200d→ 🕅\u200d❤"))
        .isEqualTo("←<U+FE0F> ←<U+200D>→ 🕅<U+200D>❤");
  }

  @Test
  void aLetterCarriesOnlySoManyMarks() {
    String shown = Sanitiser.text("a" + "\u0301".repeat(20));
    assertThat(shown).startsWith("a" + "\u0301".repeat(8) + "<U+0301>");
  }

  @Test
  void aNameIsNeverMoreThanAName() {
    assertThat(Sanitiser.name("Zoë_1.x-名前")).isEqualTo("Zoë_1.x-名前");
    assertThat(Sanitiser.name("अमिता")).isEqualTo("अमिता");
    assertThat(Sanitiser.name("\u093f\u092e")).isEqualTo("<U+093F>\u092e");
    assertThat(Sanitiser.name("bob: hi")).isEqualTo("bob<U+003A><U+0020>hi");
    assertThat(Sanitiser.name("* bob")).isEqualTo("<U+002A><U+0020>bob");
    assertThat(Sanitiser.name("")).isEqualTo("<>");
    assertThat(Sanitiser.name("\u115f")).isEqualTo("<U+115F>");
    assertThat(Sanitiser.name("a".repeat(1_000_000))).isEqualTo("a".repeat(20) + "…");
  }

  /** At any place: alone, in a word, and on each side of an emoji. */
  @Test
  void nothingDangerousComesThroughWhereverItStands() {
    // Of the planes between, in which nothing is assigned but ideographs, not every one.
    for (int c = 0; c <= Character.MAX_CODE_POINT; c += c < 0x20000 || c >> 12 == 0xE0 ? 1 : 16) {
      String text = Character.toString(c);
      for (String around :
          List.of(text, "a" + text + "b", "👩" + text + "👩", "a👩" + text + "b")) {
        assertHarmless(Sanitiser.text(around), around);
        assertHarmless(Sanitiser.name(around), around);
      }
    }
  }

  /** Of what may be in it, each behind each, so that many are emoji and most nearly are. */
  @Test
  void nothingDangerousComesThroughWhatIsNearlyAnEmoji() {
    Random random = new Random(SEED);
    List<String> pieces =
        List.of(
            "\u200d",
            "\ufe0f",
            "\ufe0e",
            "\u20e3",
            "1",
            "a",
            "👩",
            "❤",
            "←",
            "\u2b1a",
            "\ud83c\udffd",
            "\ud83c\udde9",
            "\ud83c\udc00",
            "e\u0301",
            "\udb40\udc67",
            "©");
    for (int i = 0; i < STRINGS / 10; i++) {
      StringBuilder text = new StringBuilder();
      for (int length = random.nextInt(7); length >= 0; length--) {
        text.append(pieces.get(random.nextInt(pieces.size())));
      }
      assertHarmless(Sanitiser.text(text.toString()), text.toString());
    }
  }

  @Test
  void nothingDangerousComesThroughARandomString() {
    Random random = new Random(SEED);
    for (int i = 0; i < STRINGS; i++) {
      String text = randomString(random);
      String shown = Sanitiser.text(text);
      assertHarmless(shown, text);
      if (!Sanitiser.text(shown).equals(shown)) {
        throw new AssertionError("seed " + SEED + ": not the same twice: " + shown);
      }
      String name = Sanitiser.name(text);
      assertHarmless(name, text);
      if (name.indexOf(' ') >= 0 || name.indexOf(':') >= 0 || name.indexOf('*') >= 0) {
        throw new AssertionError("seed " + SEED + ": " + name);
      }
    }
  }

  private static void assertHarmless(String shown, String original) {
    List<String> harmful = HarmfulCharacters.in(shown);
    if (!harmful.isEmpty() || shown.indexOf('\n') >= 0) {
      throw new AssertionError(
          "seed %d: %s of %s".formatted(SEED, harmful, original.codePoints().boxed().toList()));
    }
  }

  private static String randomString(Random random) {
    StringBuilder text = new StringBuilder();
    for (int i = random.nextInt(12); i > 0; i--) {
      switch (random.nextInt(8)) {
        case 0 -> text.append((char) random.nextInt(0x100));
        case 1 -> text.append((char) (0x2000 + random.nextInt(0x70)));
        case 2 -> text.appendCodePoint(0xE0000 + random.nextInt(0x1000));
        case 3 -> text.appendCodePoint(0x1F300 + random.nextInt(0x300));
        case 4 -> text.append('\u200d');
        case 5 -> text.append('\ufe0f');
        case 6 -> text.append((char) random.nextInt(0x10000));
        default -> text.appendCodePoint(random.nextInt(Character.MAX_CODE_POINT + 1));
      }
    }
    return text.toString();
  }
}
