package simplechat.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static simplechat.protocol.ErrorCode.TEXT_EMPTY;
import static simplechat.protocol.ErrorCode.TEXT_INVALID;
import static simplechat.protocol.ErrorCode.TEXT_TOO_LONG;

import io.netty.buffer.Unpooled;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TextTest {
  private static final int MAX = 200;

  /** White_Space of Unicode, as far as a text may hold it. */
  private static final String WHITE_SPACE =
      "\t\n \u00A0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200A"
          + "\u2028\u2029\u202F\u205F\u3000";

  private static ErrorCode check(byte[] bytes, int max) {
    return Text.check(Unpooled.wrappedBuffer(bytes), 0, bytes.length, max);
  }

  private static ErrorCode check(String text) {
    ErrorCode verdict = Text.check(text, MAX);
    assertThat(check(Wire.utf8(text), MAX)).isEqualTo(verdict);
    return verdict;
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "x",
        " x ",
        "a\tb\nc",
        "~",
        "\u00A0x",
        "😀",
        "👩‍👩‍👧‍👦",
        "שלום עולם",
        "e\u0301",
        "\u202Ereversed",
        "\u200B",
        "\uFEFF",
        "\uFFFE",
        "\uDBFF\uDFFF",
        "\u0378",
        "\u00A0\u00A1"
      })
  void whatCanBeShownMayBeSent(String text) {
    assertThat(check(text)).isNull();
  }

  @Test
  void aTextOfNothingButWhiteSpaceIsEmpty() {
    assertThat(check("")).isEqualTo(TEXT_EMPTY);
    WHITE_SPACE
        .codePoints()
        .forEach(
            space -> {
              for (int times : new int[] {1, 2, 8, 9, 20}) {
                assertThat(check(Character.toString(space).repeat(times))).isEqualTo(TEXT_EMPTY);
              }
            });
    assertThat(check(WHITE_SPACE)).isEqualTo(TEXT_EMPTY);
    assertThat(check(WHITE_SPACE + ".")).isNull();
  }

  @Test
  void everyCodePointIsJudgedByTheRules() {
    for (int codePoint = 0; codePoint <= Character.MAX_CODE_POINT; codePoint++) {
      if (codePoint < 0xD800 || codePoint > 0xDFFF) {
        ErrorCode verdict = Text.check(Character.toString(codePoint), MAX);
        ErrorCode expected = null;
        if (WHITE_SPACE.indexOf(codePoint) >= 0) {
          expected = TEXT_EMPTY;
        } else if (codePoint < 0x20 || (codePoint >= 0x7F && codePoint <= 0x9F)) {
          expected = TEXT_INVALID;
        }
        if (verdict != expected) {
          assertThat(verdict).as("U+%04X", codePoint).isEqualTo(expected);
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "c0 80", // overlong NUL
        "c1 bf",
        "e0 9f bf", // overlong U+07FF
        "f0 8f bf bf", // overlong U+FFFF
        "ed a0 80", // surrogates
        "ed bf bf",
        "ed a0 bd ed b8 80", // an emoji as two surrogates
        "f4 90 80 80", // above U+10FFFF
        "f5 80 80 80",
        "f8 88 80 80 80",
        "fe",
        "ff",
        "80", // a continuation without a lead
        "bf",
        "c3", // cut short
        "e2 82",
        "f0 9f 98",
        "c3 28", // a lead without a continuation
        "e2 28 a1",
        "e2 82 28",
        "f0 28 8c bc",
        "f0 9f 28 80",
        "f0 9f 98 28",
        "c2 80", // C1
        "c2 9f",
        "c2 85", // next line: white space, and C1
        "7f",
        "1b",
        "0d",
        "00"
      })
  void whatIsNotUtf8OrAControlIsInvalid(String hex) {
    byte[] bytes = HexFormat.of().parseHex(hex.replace(" ", ""));
    for (int before = 0; before < 18; before++) {
      for (int after = 0; after < 18; after++) {
        byte[] text = new byte[before + bytes.length + after];
        Arrays.fill(text, (byte) 'x');
        System.arraycopy(bytes, 0, text, before, bytes.length);
        assertThat(check(text, MAX)).isEqualTo(TEXT_INVALID);
      }
    }
  }

  @Test
  void theLimitIsInBytesAndComesFirst() {
    assertThat(check("x".repeat(MAX))).isNull();
    assertThat(check("x".repeat(MAX + 1))).isEqualTo(TEXT_TOO_LONG);
    assertThat(check("é".repeat(MAX / 2))).isNull();
    assertThat(check("é".repeat(MAX / 2) + "x")).isEqualTo(TEXT_TOO_LONG);
    assertThat(check(" ".repeat(MAX + 1))).isEqualTo(TEXT_TOO_LONG);
    assertThat(check("\0".repeat(MAX + 1))).isEqualTo(TEXT_TOO_LONG);
  }

  @Test
  void aStringWithALoneSurrogateHasNoUtf8() {
    assertThat(Text.encode("a\uD800")).isNull();
    assertThat(Text.encode("\uDC00\uD800")).isNull();
    assertThat(Text.check("\uD83D", MAX)).isEqualTo(TEXT_INVALID);
    assertThat(Text.encode("é😀")).isEqualTo(Wire.utf8("é😀"));
  }

  /** The check looks at eight bytes at once: every byte, at every place of the eight. */
  @Test
  void everyByteIsSeenAtEveryOffset() {
    for (int value = 0; value < 256; value++) {
      for (int offset = 0; offset < 8; offset++) {
        for (int length = offset + 1; length <= 17; length++) {
          for (char filler : new char[] {' ', 'x', '~', '\u0001', '\u007f'}) {
            byte[] text = new byte[length];
            Arrays.fill(text, (byte) filler);
            text[offset] = (byte) value;
            ErrorCode expected = byTheRules(text);
            if (check(text, MAX) != expected) {
              assertThat(check(text, MAX)).as(HexFormat.of().formatHex(text)).isEqualTo(expected);
            }
          }
        }
      }
    }
  }

  @Test
  void onlyTheBytesOfTheTextAreRead() {
    for (String around : new String[] {"\0\0\0\0\0\0\0é", "xxxxxxxxx"}) {
      for (String text : new String[] {"x", "12345678", "1234567", "é", "1234567é", "  "}) {
        byte[] all = Wire.utf8(around + text + around);
        int length = Wire.utf8(text).length;
        ErrorCode verdict =
            Text.check(Unpooled.wrappedBuffer(all), Wire.utf8(around).length, length, MAX);
        assertThat(verdict).isEqualTo(text.isBlank() ? TEXT_EMPTY : null);
      }
    }
    byte[] cut = Wire.utf8("aé");
    assertThat(Text.check(Unpooled.wrappedBuffer(cut), 0, 2, MAX)).isEqualTo(TEXT_INVALID);
  }

  @Test
  void theVerdictIsThatOfAStrictDecoderAndTheRules() throws Exception {
    Seed.run(
        random -> {
          Map<String, Integer> verdicts = new HashMap<>();
          for (int i = 0; i < Seed.times(1_000_000); i++) {
            byte[] text = randomText(random);
            ErrorCode expected = byTheRules(text);
            if (check(text, MAX) != expected) {
              assertThat(check(text, MAX)).as(HexFormat.of().formatHex(text)).isEqualTo(expected);
            }
            verdicts.merge(String.valueOf(expected), 1, Integer::sum);
          }
          assertThat(verdicts.get("TEXT_EMPTY")).isGreaterThan(Seed.times(1_000));
          assertThat(verdicts.get("TEXT_INVALID")).isGreaterThan(Seed.times(10_000));
          assertThat(verdicts.get("null")).isGreaterThan(Seed.times(10_000));
        });
  }

  private static final CharsetDecoder STRICT = StandardCharsets.UTF_8.newDecoder();
  private static final CharBuffer CHARS = CharBuffer.allocate(1_000);

  private static ErrorCode byTheRules(byte[] bytes) {
    CHARS.clear();
    CoderResult result = STRICT.reset().decode(ByteBuffer.wrap(bytes), CHARS, true);
    if (result.isError()) {
      return TEXT_INVALID;
    }
    CHARS.flip();
    boolean blank = true;
    for (int i = 0; i < CHARS.length(); i++) {
      char c = CHARS.charAt(i);
      if ((c < 0x20 && c != '\t' && c != '\n') || (c >= 0x7F && c <= 0x9F)) {
        return TEXT_INVALID;
      }
      blank &= WHITE_SPACE.indexOf(c) >= 0;
    }
    return blank ? TEXT_EMPTY : null;
  }

  private static byte[] randomText(Random random) {
    byte[] text = new byte[random.nextInt(40)];
    int kind = random.nextInt(4);
    int at = 0;
    while (at < text.length) {
      int codePoint =
          switch (kind == 0 ? 0 : random.nextInt(6)) {
            case 0 -> random.nextInt(20) == 0 ? 0x3000 : ' ';
            case 1, 2 -> 0x20 + random.nextInt(0x5F);
            case 3 -> 0x80 + random.nextInt(0x100);
            case 4 -> 0x2000 + random.nextInt(0x1000);
            default -> 0x10000 + random.nextInt(0x100000);
          };
      byte[] encoded = Character.toString(codePoint).getBytes(StandardCharsets.UTF_8);
      for (int i = 0; i < encoded.length && at < text.length; i++) {
        text[at++] = encoded[i];
      }
    }
    if (kind == 1 && text.length > 0) {
      for (int hits = 1 + random.nextInt(2); hits > 0; hits--) {
        text[random.nextInt(text.length)] = (byte) random.nextInt(256);
      }
    }
    return text;
  }
}
