package simplechat.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import org.junit.jupiter.api.Test;

class UnconfirmedTest {
  private final Unconfirmed unconfirmed = new Unconfirmed();

  /** The library refuses the 101st, and a script would lose it. */
  @Test
  void aPipeWaitsWithoutAConnectionBeforeTheQueueIsFull() throws Exception {
    unconfirmed.offline(true);
    for (int i = 0; i < 90; i++) {
      assertThat(unconfirmed.awaitRoom()).isTrue();
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
    assertThat(unconfirmed.awaitRoom()).isFalse();
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
                unconfirmed.awaitRoom();
              } catch (InterruptedException e) {
                throw new AssertionError(e);
              }
            });
    pipe.start();
    await().until(() -> pipe.getState() == Thread.State.WAITING);
    return pipe;
  }
}
