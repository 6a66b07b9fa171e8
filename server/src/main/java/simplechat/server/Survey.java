package simplechat.server;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import simplechat.room.LinkStatus;
import simplechat.room.Room;
import simplechat.room.RoomStatus;
import simplechat.status.ServerMetrics;

/**
 * Asks the room and then each event loop for its figures, and adds them up. Nothing is kept for
 * that but plain counters, and nothing is computed when nobody asks.
 *
 * <p>Threading: any; what is asked is answered on the loop that it is about.
 */
final class Survey {
  private static final int PERCENTILE = 99;

  private final ConnectionLoop roomLoop;
  private final Collection<ConnectionLoop> loops;
  private final Room room;
  private final LongSupplier directBytes;
  private final CompletionStage<Void> closed;

  /** What one loop answers: its counters so far, and how far each of its members is behind. */
  record Report(LoopCounters counters, int open, LongStream lagBytes) {}

  /**
   * @param closed completes when the loops have ended, and anybody may look at what they left
   */
  Survey(
      ConnectionLoop roomLoop,
      Collection<ConnectionLoop> loops,
      Room room,
      LongSupplier directBytes,
      CompletionStage<Void> closed) {
    this.roomLoop = roomLoop;
    this.loops = loops;
    this.room = room;
    this.directBytes = directBytes;
    this.closed = closed;
  }

  CompletionStage<Integer> members() {
    return ask(roomLoop, room::members);
  }

  CompletionStage<ServerMetrics> ask() {
    return ask(roomLoop, room::status).thenCompose(this::askLoops);
  }

  private CompletionStage<ServerMetrics> askLoops(RoomStatus status) {
    List<CompletableFuture<Report>> reports = new ArrayList<>();
    for (ConnectionLoop loop : loops) {
      reports.add(ask(loop, () -> loop.report(status.endByte())).toCompletableFuture());
    }
    return CompletableFuture.allOf(reports.toArray(CompletableFuture[]::new))
        .thenApply(
            all -> sum(status, reports.stream().map(report -> report.getNow(null)).toList()));
  }

  private <T> CompletionStage<T> ask(ConnectionLoop loop, Supplier<T> question) {
    CompletableFuture<T> answer = new CompletableFuture<>();
    if (!loop.execute(() -> answer.complete(question.get()))) {
      closed.thenRun(() -> answer.complete(question.get()));
    }
    return answer;
  }

  private ServerMetrics sum(RoomStatus status, List<Report> reports) {
    LoopCounters sum = new LoopCounters();
    reports.forEach(report -> sum.add(report.counters()));
    Runtime runtime = Runtime.getRuntime();
    return new ServerMetrics(
        sum.connections(reports.stream().mapToInt(Report::open).sum()),
        new ServerMetrics.InRoom(
            status.members(),
            status.lost(),
            status.tokens(),
            sum.joins(),
            sum.returns(),
            status.messages(),
            status.logStart(),
            status.logEnd(),
            status.logBytes()),
        sum.traffic(),
        lag(reports.stream().flatMapToLong(Report::lagBytes).toArray()),
        sum.delay(),
        new ServerMetrics.Memory(
            directBytes.getAsLong(), runtime.totalMemory() - runtime.freeMemory()),
        shared(status.link()),
        0);
  }

  private static ServerMetrics.@Nullable Shared shared(@Nullable LinkStatus link) {
    return link == null
        ? null
        : new ServerMetrics.Shared(
            link.up(),
            link.waitingTexts(),
            link.waitingBytes(),
            Duration.ofNanos(link.callNanos()),
            link.skipped(),
            link.returns());
  }

  private static ServerMetrics.Lag lag(long[] bytes) {
    if (bytes.length == 0) {
      return new ServerMetrics.Lag(0, 0);
    }
    Arrays.sort(bytes);
    int p99 = (int) Math.ceil(bytes.length * (PERCENTILE / 100.0)) - 1;
    return new ServerMetrics.Lag(bytes[bytes.length - 1], bytes[p99]);
  }
}
