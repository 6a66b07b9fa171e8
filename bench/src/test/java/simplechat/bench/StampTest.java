package simplechat.bench;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class StampTest {
  @ParameterizedTest
  @CsvSource({
    "0, 0",
    "1, 1",
    "63, 64",
    "4095, 4096",
    "123456789012345, 59999",
    "281474976710655, 16777215"
  })
  void whatIsSetIsReadAndIsPrintable(long nanos, int sender) {
    ByteBuf text = Unpooled.buffer(Stamp.BYTES + 2).writerIndex(Stamp.BYTES + 2);
    Stamp.set(text, 1, nanos, sender);
    assertThat(Stamp.nanos(text, 1)).isEqualTo(nanos);
    assertThat(Stamp.sender(text, 1)).isEqualTo(sender);
    assertThat(text.toString(1, Stamp.BYTES, StandardCharsets.UTF_8)).matches("[0-o]{12}");
    assertThat(text.getByte(0) + text.getByte(Stamp.BYTES + 1)).isZero();
  }
}
