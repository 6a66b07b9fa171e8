package simplechat.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import org.HdrHistogram.Histogram;
import org.junit.jupiter.api.Test;

class ReportTest {
  private static final Workload WORKLOAD =
      new Workload(
          1000,
          10,
          64,
          0,
          16,
          0,
          Duration.ofSeconds(5),
          Duration.ofSeconds(1),
          3,
          true,
          Protocol.chat);

  @Test
  void theMedianStandsBesideTheExtremes() {
    Report report = report(run(3_000_000, 250_000_000), run(1_000_000, -1), run(2_000_000, 0));
    assertThat(report.lines())
        .anyMatch(line -> line.matches("deliveries/s +2,000,000 +1,000,000 +3,000,000"));
  }

  /** M7: without these a figure says nothing. */
  @Test
  void itNamesTheLoadTheMachineAndWhatItDoesNotMeasure() {
    String report = String.join("\n", report(run(1_000_000, 0), run(2_000_000, 0)).lines());
    assertThat(report)
        .contains("1000 members, 10 senders, 64-byte texts", "2 runs after 5 s of warm-up")
        .contains(System.getProperty("os.name") + " " + System.getProperty("os.version"))
        .contains(Runtime.getRuntime().availableProcessors() + " processors")
        .contains("Java " + System.getProperty("java.version"), "; a server")
        .contains("Not measured: ");
  }

  @Test
  void whatCannotBeMeasuredIsNotAFigure() {
    Report report = report(run(1_000_000, -1));
    assertThat(report.lines()).anyMatch(line -> line.matches("CPU \\(cores\\) +\\? +\\? +\\?"));
    assertThat(report.json())
        .contains("\"cpu_us_per_delivery\":null")
        .contains("\"idle_kib_per_member\":null")
        .contains("\"runs\":[{\"deliveries_per_s\":1000000.000000,")
        .endsWith("\"deliveries\":1000000}]}");
  }

  @Test
  void cpuIsSharedByTheDeliveries() {
    assertThat(run(1_000_000, 250_000_000).cpuMicrosPerDelivery()).isEqualTo(0.25);
    assertThat(run(1_000_000, 250_000_000).cores()).isEqualTo(0.25);
  }

  private static Run run(long delivered, long cpuNanos) {
    return new Run(1_000_000_000, 1000, delivered, cpuNanos, -1, new Histogram(3));
  }

  private static Report report(Run... runs) {
    return new Report(WORKLOAD, "a server", 1, -1, -1, -1, List.of(runs), 0);
  }
}
