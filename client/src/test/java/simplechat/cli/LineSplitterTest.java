package simplechat.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class LineSplitterTest {
  private final List<String> told = new ArrayList<>();

  @Test
  void theLastLineCountsWithoutItsEnd() throws Exception {
    assertThat(split("one\ntwo\r\n\nlast", 100)).containsExactly("one", "two", "", "last");
    assertThat(split("one\n", 100)).containsExactly("one");
    assertThat(split("", 100)).isEmpty();
  }

  @Test
  void aLineThatIsTooLongIsToldAndTheNextOneCounts() throws Exception {
    assertThat(split("1234567890\n12345678901\nok", 10))
        .containsExactly("1234567890", "line 2 longer than 10 bytes", "ok");
    assertThat(split("x".repeat(100_000), 10)).containsExactly("line 1 longer than 10 bytes");
  }

  @Test
  void aLineThatIsNotUtf8IsToldAndTheNextOneCounts() throws Exception {
    byte[] bytes = "a\nb\nc".getBytes(StandardCharsets.UTF_8);
    bytes[2] = (byte) 0xFF;
    assertThat(split(bytes, 10)).containsExactly("a", "line 2 not valid UTF-8", "c");
  }

  @Test
  void aCharacterMayLieAcrossTwoReads() throws Exception {
    String text = "x".repeat(8191) + "é";
    assertThat(split(text, 10_000)).containsExactly(text);
  }

  @Test
  void aByteOrderMarkIsSkippedAtTheBeginAndNowhereElse() throws Exception {
    assertThat(split("\ufeffone\n\ufefftwo", 10)).containsExactly("one", "\ufefftwo");
    assertThat(split("\ufeff", 10)).containsExactly("");
  }

  private List<String> split(String text, int maxBytes) throws Exception {
    return split(text.getBytes(StandardCharsets.UTF_8), maxBytes);
  }

  private List<String> split(byte[] bytes, int maxBytes) throws Exception {
    told.clear();
    new LineSplitter(
            new ByteArrayInputStream(bytes),
            maxBytes,
            new LineSplitter.Receiver() {
              @Override
              public void line(String line) {
                told.add(line);
              }

              @Override
              public void unusable(long number, String why) {
                told.add("line " + number + " " + why);
              }
            })
        .run();
    return told;
  }
}
