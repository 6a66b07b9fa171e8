package simplechat.support;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Tasks that run at once, a thread each; the first failure of any is the failure of all. */
public final class Together implements AutoCloseable {
  private static final long PATIENCE_SECONDS = Load.count(60, 600);

  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final List<Future<?>> running = new ArrayList<>();

  public <T> Future<T> run(Callable<T> task) {
    Future<T> future = threads.submit(task);
    running.add(future);
    return future;
  }

  public void run(Runnable task) {
    running.add(threads.submit(task));
  }

  /** Waits for all of them. */
  public void join() {
    running.forEach(Together::get);
    running.clear();
  }

  public static <T> T get(Future<T> future) {
    try {
      return future.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
    } catch (ExecutionException e) {
      throw new AssertionError(e.getCause().getMessage(), e.getCause());
    } catch (TimeoutException e) {
      throw new AssertionError("not done within " + PATIENCE_SECONDS + " s", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError(e);
    }
  }

  @Override
  public void close() {
    threads.shutdownNow();
  }
}
