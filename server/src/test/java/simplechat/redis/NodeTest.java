package simplechat.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import simplechat.room.Arrival;
import simplechat.room.Member;
import simplechat.room.Room;
import simplechat.room.RoomSettings;

class NodeTest {
  private static final String NOBODY_THERE = "redis://127.0.0.1:1";

  private final Deque<Runnable> ticks = new ArrayDeque<>();
  private boolean faulty;

  /** The lease depends on it. */
  @Test
  void aTickThatFailsIsNotTheLast() {
    MultiThreadIoEventLoopGroup loops =
        new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
    LettuceClient client = new LettuceClient(NOBODY_THERE, loops);
    Room room =
        new Room(
            new RoomSettings(1 << 20, 65_536, Duration.ZERO, Duration.ZERO, 1, "", 0),
            UnpooledByteBufAllocator.DEFAULT,
            this::execute,
            InstantSource.system(),
            System::nanoTime);
    try {
      RedisSettings settings =
          new RedisSettings(
              NOBODY_THERE, "chat", 100, RedisSettings.LEASE, Duration.ofMinutes(2), 65_536);
      Node node =
          new Node(
              settings,
              client,
              this::execute,
              System::nanoTime,
              new Outbox(),
              new Follower(room.ledger(), new Nobody()),
              new Faulty());
      node.start();
      faulty = true;
      assertThatThrownBy(ticks.remove()::run).hasMessage("a fault");
      assertThat(ticks).hasSize(1);
    } finally {
      client.close();
      loops.shutdownGracefully();
      room.free();
    }
  }

  /** Only what is put off is of interest: what a link does comes at once, from elsewhere. */
  private void execute(Runnable task, long delayNanos) {
    if (delayNanos > 0) {
      ticks.add(task);
    }
  }

  private static final class Nobody implements Follower.Desk {
    @Override
    public @Nullable Arrival arrival(long number) {
      return null;
    }

    @Override
    public void orphan(Member member) {}
  }

  private final class Faulty implements Life {
    @Override
    public void ticked() {
      if (faulty) {
        throw new IllegalStateException("a fault");
      }
    }

    @Override
    public void sending(long number, List<Request> call) {}

    @Override
    public void done(long number, Request request, long result) {}

    @Override
    public void takenUnseen(long number, Request request, long end) {}

    @Override
    public void forgotten(Request request) {}

    @Override
    public void renamed(String why) {}

    @Override
    public void looked(long end) {}

    @Override
    public void moved() {}
  }
}
