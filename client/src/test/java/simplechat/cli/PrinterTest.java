package simplechat.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class PrinterTest {
  private final CountDownLatch reader = new CountDownLatch(1);
  private final AtomicInteger looks = new AtomicInteger();

  /** As often as it is looked at, a part has gone out: patience without end, and in the end all. */
  @Test
  void whatGoesOutSlowlyIsWaitedFor() throws Exception {
    Printer printer = printer(5);
    printer.print(Line.of("the last word"));
    assertThat(printer.finish(() -> 0)).isTrue();
    assertThat(looks).hasValueGreaterThanOrEqualTo(5);
  }

  @Test
  void whatDoesNotGoOutIsNot() throws Exception {
    Printer printer = printer(0);
    printer.print(Line.of("the last word"));
    assertThat(printer.finish(() -> 50)).isFalse();
    reader.countDown();
    assertThat(printer.finish(() -> 10_000)).isTrue();
  }

  /** Of which a reader takes a part at each look, the last of so many, or none until it reads. */
  private Printer printer(int parts) {
    Screen screen =
        new Screen() {
          @Override
          public void show(List<Item> items) {
            try {
              reader.await();
            } catch (InterruptedException e) {
              Thread.currentThread().interrupt();
            }
          }

          @Override
          public long progress() {
            if (parts == 0) {
              return 0;
            }
            int look = looks.incrementAndGet();
            if (look == parts) {
              reader.countDown();
            }
            return look;
          }

          @Override
          public void prompt(String prompt) {}

          @Override
          public void ring() {}
        };
    return new Printer(screen, () -> {}, () -> {});
  }
}
