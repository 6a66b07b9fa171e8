package simplechat.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import simplechat.protocol.ClientMessage.Hello;
import simplechat.protocol.ClientMessage.Leave;
import simplechat.protocol.ClientMessage.Ping;
import simplechat.protocol.ErrorCode;
import simplechat.protocol.ServerMessage.Ack;
import simplechat.protocol.ServerMessage.Bye;
import simplechat.protocol.ServerMessage.Pong;
import simplechat.room.Member;
import simplechat.support.RawPeer;
import simplechat.support.RunningServer;

/** A shutdown whose room takes its time, as one does that waits for Redis. */
class DrainTest {
  private final Slow room = new Slow();

  /** What the room still has to tell others is told, although nobody is here any more. */
  @Test
  void whoHangsUpMeanwhileCutsNothingShort() {
    try (RunningServer server = RunningServer.node(room::open, config -> config)) {
      RawPeer alice = server.join("alice");
      CompletableFuture<Void> drained = server.drain().toCompletableFuture();
      room.began.join();
      alice.close();
      server.awaitConnections(0);
      assertThat(room.closed).isNotDone();
      room.goOn(server);
      drained.join();
      assertThat(room.closed).isDone();
    }
  }

  /** 3.3: no good-bye in order before what was said is confirmed. */
  @Test
  void whoLeavesMeanwhileIsNotToldThatAllIsWellBeforeItIs() {
    try (RunningServer server = RunningServer.node(room::open, config -> config)) {
      RawPeer alice = server.join("alice");
      alice.say("on its way");
      room.said.join();
      server.drain();
      room.began.join();
      alice.send(new Leave());
      assertThat(alice.hasNext(Duration.ofMillis(200))).isFalse();
      room.goOn(server);
      assertThat(alice.next()).isInstanceOf(Ack.class);
      assertThat(alice.expectBye(ErrorCode.SHUTDOWN).retryAfter()).isPositive();
    }
  }

  /** Section 9: when to come back is always said, so that not all come at once. */
  @Test
  void whoJoinsMeanwhileIsToldWhenToComeBack() {
    try (RunningServer server = RunningServer.node(room::open, config -> config)) {
      RawPeer late = server.connect();
      // Answered, so it is one of those that the shutdown finds here.
      late.send(new Ping(1)).expect(Pong.class);
      server.drain();
      room.began.join();
      late.send(new Hello("late", 0));
      assertThat(late.hasNext(Duration.ofMillis(200))).isFalse();
      room.goOn(server);
      Bye bye = late.expectBye(ErrorCode.SHUTDOWN);
      assertThat(bye.retryAfter()).isPositive();
    }
  }

  /** Puts nothing in order until it is told to go on. */
  private static final class Slow extends Announcing {
    final CompletableFuture<Void> said = new CompletableFuture<>();
    final CompletableFuture<Void> began = new CompletableFuture<>();
    final CompletableFuture<Void> closed = new CompletableFuture<>();
    private final Queue<Runnable> later = new ArrayDeque<>();

    void goOn(RunningServer server) {
      server.server().roomLoop().execute(() -> later.forEach(Runnable::run));
    }

    @Override
    public void say(Member member, int sendNo, ByteBuf text, int index, int length) {
      ByteBuf copy = Unpooled.copiedBuffer(text.slice(index, length));
      later.add(() -> super.say(member, sendNo, copy, 0, length));
      said.complete(null);
    }

    @Override
    public void drain(Iterable<Member> here, Runnable done) {
      later.add(() -> super.drain(here, done));
      began.complete(null);
    }

    @Override
    public void close() {
      closed.complete(null);
    }
  }
}
