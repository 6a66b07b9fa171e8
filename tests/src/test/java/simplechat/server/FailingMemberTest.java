package simplechat.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.PooledByteBufAllocator;
import java.lang.reflect.Field;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import simplechat.protocol.ErrorCode;
import simplechat.protocol.ServerMessage.Ack;
import simplechat.protocol.ServerMessage.Joined;
import simplechat.protocol.ServerMessage.Left;
import simplechat.protocol.ServerMessage.Msg;
import simplechat.protocol.ServerMessage.Ping;
import simplechat.support.RawPeer;
import simplechat.support.RunningServer;

/** A fault in the handling of one member is that member's alone. */
class FailingMemberTest {
  /** Nothing that a peer sends makes the server fail, so a member is broken from within. */
  @ParameterizedTest
  @ValueSource(strings = {"passed", "segment"})
  void theOthersGetTheEventAndTheMemberIsAnnouncedOnce(String broken) {
    try (RunningServer server = RunningServer.start().toleratingErrors()) {
      RawPeer alice = server.join("alice");
      RawPeer bob = server.join("bob");
      RawPeer carol = server.join("carol");
      alice.await(Joined.class, joined -> joined.name().equals("carol"));
      ConnectionLoop loop = server.server().roomLoop();
      CompletableFuture.runAsync(() -> breakMember(loop, 1, broken), loop.eventLoop()).join();
      alice.say("hi");
      assertThat(carol.expect(Msg.class).text()).isEqualTo("hi");
      assertThat(carol.expect(Left.class).name()).isEqualTo("bob");
      alice.expect(Ack.class);
      alice.expect(Left.class);
      alice.say("again");
      assertThat(carol.expect(Msg.class).text()).isEqualTo("again");
      carol.expectNothing();
      bob.readToEnd();
      server.awaitMembers(2);
      server.awaitConnections(2);
    }
  }

  /** Netty's own limit of memory, which ends no JVM: it must not end the time of a loop either. */
  @Test
  void whoseSignOfLifeFindsNoMemoryCostsNobodyElseTheirs() throws Exception {
    try (RunningServer server =
            RunningServer.start(config -> config.heartbeat(Duration.ofSeconds(1)))
                .toleratingErrors();
        RawPeer alice = server.join("alice");
        RawPeer bob = server.join("bob")) {
      runOutOfMemoryOnce(server);
      bob.expectBye(ErrorCode.INTERNAL);
      alice.await(Ping.class);
    }
  }

  /** D5: the last code of all that a good-bye can have. */
  @Test
  void whoseHandlingFailsIsToldAlthoughItGoesOnSending() {
    try (RunningServer server =
        RunningServer.start(config -> config.loops(1).heartbeat(Duration.ofSeconds(1)))
            .toleratingErrors()) {
      RawPeer bob = server.join("bob");
      runOutOfMemoryOnce(server);
      server.awaitMembers(0);
      bob.expectByeWhileSending(ErrorCode.INTERNAL);
    }
  }

  private static void runOutOfMemoryOnce(RunningServer server) {
    ConnectionLoop loop = server.server().roomLoop();
    AtomicBoolean out = new AtomicBoolean(true);
    ByteBufAllocator scarce =
        new PooledByteBufAllocator(true) {
          @Override
          protected ByteBuf newDirectBuffer(int initialCapacity, int maxCapacity) {
            if (out.compareAndSet(true, false)) {
              throw new OutOfMemoryError("as Netty's");
            }
            return super.newDirectBuffer(initialCapacity, maxCapacity);
          }
        };
    CompletableFuture.runAsync(() -> set(loop, "allocator", scarce), loop.eventLoop()).join();
  }

  private static void set(Object owner, String name, Object value) {
    try {
      field(owner, name).set(owner, value);
    } catch (IllegalAccessException e) {
      throw new AssertionError(e);
    }
  }

  private static void breakMember(ConnectionLoop loop, int index, String fieldOfCursor) {
    Outbound outbound = (Outbound) get(loop.connections().get(index), "outbound");
    loop.fanOut().fallBack(outbound);
    Object cursor = get(outbound, "cursor");
    try {
      field(cursor, fieldOfCursor).set(cursor, null);
    } catch (IllegalAccessException e) {
      throw new AssertionError(e);
    }
  }

  private static Object get(Object owner, String name) {
    try {
      return field(owner, name).get(owner);
    } catch (IllegalAccessException e) {
      throw new AssertionError(e);
    }
  }

  private static Field field(Object owner, String name) {
    try {
      Field field = owner.getClass().getDeclaredField(name);
      field.setAccessible(true);
      return field;
    } catch (NoSuchFieldException e) {
      throw new AssertionError(e);
    }
  }
}
