package simplechat.redis;

import io.lettuce.core.resource.EventLoopGroupProvider;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.IoEventLoopGroup;
import io.netty.channel.IoHandler;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.kqueue.KQueueIoHandler;
import io.netty.channel.uring.IoUringIoHandler;
import io.netty.util.concurrent.EventExecutorGroup;
import io.netty.util.concurrent.Future;
import io.netty.util.concurrent.GlobalEventExecutor;
import java.util.concurrent.TimeUnit;

/** Lets Lettuce live on the server's event loops, which are not its own to shut down. */
final class SharedLoops implements EventLoopGroupProvider {
  private final EventLoopGroup loops;

  SharedLoops(EventLoopGroup loops) {
    this.loops = loops;
    // Lettuce chooses the kind of its sockets by itself, once, when its classes are loaded: by
    // these.
    prefer("epoll", EpollIoHandler.class);
    prefer("iouring", IoUringIoHandler.class);
    prefer("kqueue", KQueueIoHandler.class);
  }

  private void prefer(String transport, Class<? extends IoHandler> kind) {
    boolean fits = loops instanceof IoEventLoopGroup group && group.isIoType(kind);
    System.setProperty("io.lettuce.core." + transport, Boolean.toString(fits));
  }

  @Override
  public <T extends EventLoopGroup> T allocate(Class<T> type) {
    return type.cast(loops);
  }

  @Override
  public int threadPoolSize() {
    return 1;
  }

  @Override
  public Future<Boolean> release(
      EventExecutorGroup group, long quietPeriod, long timeout, TimeUnit unit) {
    return GlobalEventExecutor.INSTANCE.newSucceededFuture(true);
  }

  @Override
  public Future<Boolean> shutdown(long quietPeriod, long timeout, TimeUnit unit) {
    return GlobalEventExecutor.INSTANCE.newSucceededFuture(true);
  }
}
