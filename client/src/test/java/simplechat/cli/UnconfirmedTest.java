package simplechat.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class UnconfirmedTest {
  private final Unconfirmed unconfirmed = new Unconfirmed();

  /** The library refuses the 101st, and a script would lose it. */
  @Test
  void aPipeWaitsWithoutAConnectionBeforeTheQueueIsFull() throws Exception {
    unconfirmed.offline(true);
    for (int i = 0; i < 90; i++) {
      assertThat(unconfirmed.awaitRoom(() -> false)).isTrue();
      unconfirmed.add("text " + i);
    }
    Thread pipe = waiting();
    unconfirmed.offline(false);
    pipe.join(10_000);
    assertThat(pipe.isAlive()).isFalse();
  }

  @Test
  void aPipeDoesNotWaitForWhatIsOver() throws Exception {
    unconfirmed.offline(true);
    for (int i = 0; i < 90; i++) {
      unconfirmed.add("text " + i);
    }
    Thread pipe = waiting();
    unconfirmed.end();
    pipe.join(10_000);
    assertThat(pipe.isAlive()).isFalse();
    assertThat(unconfirmed.awaitRoom(() -> false)).isFalse();
  }

  /** Else an input that never ends would be held for ever. */
  @Test
  void aPipeWaitsNotForEverForAServerThatAnswersNothing() throws Exception {
    Unconfirmed impatient = new Unconfirmed(Duration.ofMillis(200));
    for (int i = 0; i < 1_000; i++) {
      assertThat(impatient.awaitRoom(() -> false)).isTrue();
      impatient.add("text " + i);
    }
    assertThat(impatient.awaitRoom(() -> false)).isFalse();
    AtomicInteger excuses = new AtomicInteger(5);
    Thread answer =
        new Thread(
            () -> {
              await().until(() -> excuses.get() <= 0);
              impatient.confirm(1);
            });
    answer.start();
    assertThat(impatient.awaitRoom(() -> excuses.decrementAndGet() >= 0 || answer.isAlive()))
        .isTrue();
  }

  @Test
  void onlyLateTextsAreMarkedAndWithoutAConnectionAll() {
    long first = unconfirmed.add("one");
    unconfirmed.add("two");
    assertThat(unconfirmed.marked()).isZero();
    assertThat(unconfirmed.isLate(first)).isTrue();
    assertThat(unconfirmed.marked()).isEqualTo(1);
    unconfirmed.offline(true);
    assertThat(unconfirmed.marked()).isEqualTo(2);
    unconfirmed.confirm(first);
    assertThat(unconfirmed.isLate(first)).isFalse();
    assertThat(unconfirmed.marked()).isEqualTo(1);
  }

  @Test
  void whatIsLostIsListedOnceAndNeverConfirmed() {
    long first = unconfirmed.add("one");
    unconfirmed.lose(first);
    assertThat(unconfirmed.takeLost()).containsExactly("one");
    assertThat(unconfirmed.takeLost()).isEmpty();
    assertThat(unconfirmed.texts()).isEmpty();
    assertThat(unconfirmed.allConfirmed()).isFalse();
  }

  /** A thread that wants to send another text and has to wait. */
  private Thread waiting() {
    Thread pipe =
        new Thread(
            () -> {
              try {
                unconfirmed.awaitRoom(() -> false);
              } catch (InterruptedException e) {
                throw new AssertionError(e);
              }
            });
    pipe.start();
    await().until(() -> pipe.getState() == Thread.State.TIMED_WAITING);
    return pipe;
  }
}
