package simplechat.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.OutputStream;
import java.io.PrintStream;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import simplechat.bench.ScriptedRoom.Fate;
import simplechat.protocol.ErrorCode;

/** That the figures are true, against rooms that lose, delay and break on purpose. */
class CrowdTest {
  private static final Progress SILENT =
      new Progress(new PrintStream(OutputStream.nullOutputStream()), false);

  @Test
  void whatNeverComesIsLostAndTheRestIsCounted() throws Exception {
    try (ScriptedRoom room = new ScriptedRoom(n -> n % 10 == 9 ? Fate.LOST : Fate.DELIVERED);
        Crowd crowd = new Crowd(atRate(1000), List.of(room.address()), null)) {
      crowd.join(SILENT);
      Run run = crowd.run(Duration.ofMillis(300), List.of());
      long lost = crowd.drain();
      assertThat(run.sent()).isBetween(10L, 301L);
      assertThat(lost).isEqualTo(run.sent() / 10);
      assertThat(run.cpuMicrosPerDelivery()).isNaN();
    }
  }

  /** A stall of the room delays what was due meanwhile, also what could not even be said. */
  @Test
  void aStallIsChargedToAllThatWereDueInIt() throws Exception {
    Duration stall = Duration.ofMillis(400);
    try (ScriptedRoom room = new ScriptedRoom(n -> stalled(n == 100, stall));
        Crowd crowd = new Crowd(atRate(1000), List.of(room.address()), null)) {
      crowd.join(SILENT);
      Run run = crowd.run(Duration.ofSeconds(1), List.of());
      // Of a thousand, four hundred were due in the stall, and came from 400 to 0 ms late.
      assertThat(run.latencyMillis(100)).isGreaterThanOrEqualTo(400);
      assertThat(run.latencyMillis(90)).isGreaterThanOrEqualTo(250);
      assertThat(run.latencyMillis(1)).isLessThan(run.latencyMillis(90));
    }
  }

  /** However long nothing is said, and only then. */
  @Test
  void silenceIsAStallOnlyIfSomethingIsOwed() throws Exception {
    Duration patience = Duration.ofMillis(500);
    try (ScriptedRoom room = new ScriptedRoom(n -> Fate.DELIVERED);
        Crowd crowd = new Crowd(atRate(1), List.of(room.address()), null, patience)) {
      crowd.join(SILENT);
      Run run = crowd.run(Duration.ofMillis(2_500), List.of());
      assertThat(run.sent()).isEqualTo(3);
      assertThat(crowd.drain()).isZero();
    }
    try (ScriptedRoom room = new ScriptedRoom(n -> Fate.LOST);
        Crowd crowd = new Crowd(workload(0, 1, 0), List.of(room.address()), null, patience)) {
      crowd.join(SILENT);
      assertThatThrownBy(() -> crowd.run(Duration.ofSeconds(5), List.of()))
          .isInstanceOf(BenchException.class)
          .hasMessage("the server has stalled");
    }
  }

  @Test
  void aSenderHasNoMoreOnTheirWayThanItMay() throws Exception {
    Workload workload = workload(0, 7, 0);
    try (ScriptedRoom room = new ScriptedRoom(n -> Fate.LOST);
        Crowd crowd = new Crowd(workload, List.of(room.address()), null)) {
      crowd.join(SILENT);
      Run run = crowd.run(Duration.ofMillis(100), List.of());
      assertThat(run.sent()).isEqualTo(7);
      assertThat(crowd.drain()).isEqualTo(7);
    }
  }

  @Test
  void aRunOfMessagesIsOverWhenAllHaveCome() throws Exception {
    Workload workload = workload(0, 16, 500);
    try (ScriptedRoom room = new ScriptedRoom(n -> Fate.DELIVERED);
        Crowd crowd = new Crowd(workload, List.of(room.address()), null)) {
      crowd.join(SILENT);
      for (int i = 0; i < 3; i++) {
        Run run = crowd.run(Duration.ZERO, List.of());
        assertThat(run.sent()).isEqualTo(500);
        assertThat(run.delivered()).isEqualTo(500);
      }
      assertThat(crowd.drain()).isZero();
    }
  }

  @Test
  void aRoomThatTakesNobodySaysWhy() throws Exception {
    try (ScriptedRoom room = new ScriptedRoom(ErrorCode.SERVER_FULL);
        Crowd crowd = new Crowd(atRate(10), List.of(room.address()), null)) {
      assertThatThrownBy(() -> crowd.join(SILENT))
          .isInstanceOf(BenchException.class)
          .hasMessageContaining("SERVER_FULL");
    }
  }

  @Test
  void aMemberThatIsLostEndsTheBench() throws Exception {
    try (ScriptedRoom room = new ScriptedRoom(n -> n == 5 ? Fate.CUT : Fate.DELIVERED);
        Crowd crowd = new Crowd(atRate(1000), List.of(room.address()), null)) {
      crowd.join(SILENT);
      assertThatThrownBy(() -> crowd.run(Duration.ofSeconds(5), List.of()))
          .isInstanceOf(BenchException.class)
          .hasMessageContaining("a member was lost");
    }
  }

  private static Fate stalled(boolean now, Duration stall) {
    long end = System.nanoTime() + stall.toNanos();
    while (now && System.nanoTime() < end) {
      LockSupport.parkNanos(end - System.nanoTime());
    }
    return Fate.DELIVERED;
  }

  private static Workload atRate(double rate) {
    return new Workload(
        2, 1, 32, rate, 16, 0, Duration.ZERO, Duration.ofSeconds(1), 1, false, Protocol.chat);
  }

  private static Workload workload(double rate, int outstanding, int messages) {
    return new Workload(
        2,
        1,
        32,
        rate,
        outstanding,
        messages,
        Duration.ZERO,
        Duration.ofSeconds(1),
        1,
        false,
        Protocol.chat);
  }
}
