package simplechat.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine.TypeConversionException;
import simplechat.server.ServerOptions.DurationConverter;
import simplechat.server.ServerOptions.SizeConverter;

class ServerOptionsTest {
  @ParameterizedTest
  @CsvSource({"500ms,PT0.5S", "30s,PT30S", "2m,PT2M", "1h,PT1H", "1.5H,PT1H30M", "7,PT7S"})
  void aTimeHasAUnitOrIsSeconds(String value, Duration time) {
    assertThat(new DurationConverter().convert(value)).isEqualTo(time);
  }

  @ParameterizedTest
  @CsvSource({"4096,4096", "64k,65536", "16m,16777216", "1g,1073741824", "2G,2147483648"})
  void aSizeHasAUnitOrIsBytes(String value, long bytes) {
    assertThat(new SizeConverter().convert(value)).isEqualTo(bytes);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "h", "1d", "1hm", "0.0001s", "9999999999999999h"})
  void whatIsNoTimeIsTold(String value) {
    assertThatThrownBy(() -> new DurationConverter().convert(value))
        .isInstanceOf(TypeConversionException.class)
        .hasMessage("'" + value + "' is not a time such as 500ms, 30s, 2m or 1h");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "g", "1t", "1.5g", "1kg", "9999999999g"})
  void whatIsNoSizeIsTold(String value) {
    assertThatThrownBy(() -> new SizeConverter().convert(value))
        .isInstanceOf(TypeConversionException.class)
        .hasMessage("'" + value + "' is not a size such as 64k, 16m, 1g or bytes");
  }
}
