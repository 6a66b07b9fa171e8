package simplechat.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
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

  @Test
  void manyShortLinesAreMuchToo() throws Exception {
    AtomicInteger pauses = new AtomicInteger();
    Printer printer = printer(0);
    printer.print(Line.of("what is being read"));
    for (int i = 0; i < 10_000; i++) {
      printer.print(Line.of(""));
      printer.ifFull(pauses::incrementAndGet);
    }
    assertThat(printer.isFull()).isTrue();
    assertThat(pauses).hasValueLessThan(10_000);
    reader.countDown();
    assertThat(printer.finish(() -> 10_000)).isTrue();
    assertThat(printer.isFull()).isFalse();
  }

  /** Of a server that goes on whatever it is told. */
  @Test
  void whatIsTooMuchIsDroppedAndSaidSo() throws Exception {
    CountDownLatch stuck = new CountDownLatch(1);
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    Screen screen = new PlainScreen(Screen.Kind.TALK, new StuckStream(stuck, reader), err);
    Printer printer = new Printer(screen, () -> {}, () -> {});
    printer.print(Line.of("what is being read"));
    assertThat(stuck.await(10, TimeUnit.SECONDS)).isTrue();
    String text = "x".repeat(100_000);
    for (int i = 0; i < 1_000; i++) {
      printer.complain(Line.of(text));
    }
    reader.countDown();
    assertThat(printer.finish(() -> 10_000)).isTrue();
    assertThat(err.size()).isLessThan(5_000_000);
    assertThat(err.toString(StandardCharsets.UTF_8))
        .endsWith("* " + (1_000 - err.size() / 100_000) + " lines were too many to show\n");
  }

  @Test
  void aScreenThatFailsDoesNotCountAsReadAndHoldsNobodyUp() throws Exception {
    CountDownLatch gone = new CountDownLatch(1);
    Screen faulty = new PlainScreen(Screen.Kind.TALK, null, null);
    Printer printer = new Printer(faulty, () -> {}, gone::countDown);
    printer.print(Line.of("the last word"));
    assertThat(gone.await(10, TimeUnit.SECONDS)).isTrue();
    assertThat(printer.finish(() -> 10_000)).isFalse();
  }

  /** Of an output that nobody reads: what went wrong goes another way. */
  @Test
  void whatWentWrongIsToldWhereTheOutputIsStuck() throws Exception {
    CountDownLatch stuck = new CountDownLatch(1);
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    Screen screen = new PlainScreen(Screen.Kind.TALK, new StuckStream(stuck, reader), err);
    Printer printer = new Printer(screen, () -> {}, () -> {});
    printer.print(Line.of("what nobody reads"));
    assertThat(stuck.await(10, TimeUnit.SECONDS)).isTrue();
    printer.print(Line.of("nor this"));
    printer.complain(Line.of("not confirmed: hello"));
    assertThat(printer.finish(() -> 50)).isFalse();
    printer.salvage();
    assertThat(err).hasToString("not confirmed: hello\n");
    reader.countDown();
  }

  /** Nobody reads it until they do. */
  private static final class StuckStream extends OutputStream {
    private final CountDownLatch stuck;
    private final CountDownLatch reader;

    StuckStream(CountDownLatch stuck, CountDownLatch reader) {
      this.stuck = stuck;
      this.reader = reader;
    }

    @Override
    public void write(int one) throws IOException {
      stuck.countDown();
      try {
        reader.await();
      } catch (InterruptedException e) {
        throw new InterruptedIOException();
      }
    }
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
