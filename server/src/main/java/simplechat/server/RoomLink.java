package simplechat.server;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;
import simplechat.protocol.ClientMessage;
import simplechat.protocol.ErrorCode;
import simplechat.protocol.MemberName;
import simplechat.protocol.ServerMessage;
import simplechat.protocol.ServerMessage.LeftWhy;
import simplechat.room.Backplane;
import simplechat.room.Cursor;
import simplechat.room.Member;
import simplechat.room.MemberConnection;
import simplechat.room.Room;
import simplechat.room.RosterPlace;

/**
 * Carries what a connection says to the room's loop, and the answers back to the connection's.
 *
 * <p>Where both are one loop these are plain calls, and an answer may come before the question
 * returns. Otherwise the texts of one read travel in one task, and no more than {@link
 * ConnectionLoop#UNDERWAY_MAX_BYTES} of one loop: the room's may be late, and what is under way
 * then is memory, and is not to come over the log at once.
 *
 * <p>Threading: the connection's loop, but for the calls of {@link MemberConnection}, which come on
 * the room's loop.
 */
final class RoomLink implements MemberConnection {
  /**
   * What a batch counts for beside its texts. It keeps the buffer of a read, so that a loop holds
   * 128 of these at most: to count them in full would let too few speak at once.
   */
  private static final int BATCH_BYTES = 2048;

  private final ChatServer server;
  private final ConnectionLoop loop;
  private final Connection connection;
  private final Channel channel;
  private @Nullable Member member;
  private @Nullable List<Sent> batch;
  private int batchBytes;
  private boolean held;

  /** A SEND on its way to the room's loop; no text if it was refused. */
  private record Sent(int sendNo, @Nullable ByteBuf text, int index, int length) {}

  RoomLink(ChatServer server, ConnectionLoop loop, Connection connection, Channel channel) {
    this.server = server;
    this.loop = loop;
    this.connection = connection;
    this.channel = channel;
  }

  void join(MemberName name, int history, ClientMessage.@Nullable Resume resume) {
    onRoom(() -> server.room().join(name, history, resume, this));
  }

  /** True if what is said now must be refused. */
  boolean isBusy() {
    return server.room().pressure() == Backplane.Pressure.REFUSE;
  }

  /** True if who speaks here is to wait, and not to be read, until {@link #eased}. */
  boolean isHeld() {
    if (!held && loop.isCrowded()) {
      held = true;
      loop.hold(this);
    }
    return held;
  }

  void eased() {
    held = false;
    connection.resume();
  }

  /** The name of who speaks here, empty if nobody does any more. */
  String speaker() {
    Member speaker = member;
    return speaker == null ? "" : speaker.name().shown();
  }

  /** The text is read before this returns, or retained until it was. */
  void send(int sendNo, ByteBuf text, int index, int length) {
    Member speaker = member;
    if (speaker != null && isDirect()) {
      server.room().send(speaker, this, sendNo, text, index, length);
    } else {
      batch(new Sent(sendNo, text.retain(), index, length));
    }
    if (!held && server.room().pressure() == Backplane.Pressure.WAIT) {
      held = true;
      loop.hold(this);
    }
  }

  /** Tells the room of a SEND that was refused here. */
  void refusedSend(int sendNo) {
    Member speaker = member;
    if (speaker != null && isDirect()) {
      server.room().refusedSend(speaker, this, sendNo);
    } else {
      batch(new Sent(sendNo, null, 0, 0));
    }
  }

  /** Sends off what has gathered; at the end of each read. */
  void flush() {
    List<Sent> sent = batch;
    Member speaker = member;
    if (sent != null) {
      int bytes = batchBytes;
      batch = null;
      loop.departs(bytes);
      onRoom(
          () -> {
            try {
              if (speaker != null) {
                deliver(server.room(), speaker, sent);
              }
            } finally {
              loop.arrived(bytes);
            }
          });
    }
  }

  /** Asks for the roster, from the start if {@code place} is null. */
  void who(@Nullable RosterPlace place) {
    onRoom(() -> server.room().who(this, place));
  }

  void leave() {
    flush();
    asMember((room, leaving) -> room.leave(leaving, this));
  }

  /** The member is gone, if there is one. */
  void lose(LeftWhy why) {
    flush();
    asMember((room, leaving) -> room.lose(leaving, this, why));
    member = null;
  }

  /** The room needs not be told of the end. */
  void forget() {
    member = null;
  }

  @Override
  public void welcomed(Member joined, Cursor cursor, ServerMessage.Welcome welcome) {
    server.door().joined(channel);
    onLoop(
        () -> {
          member = joined;
          loop.counters().joined(welcome.resumed());
          if (!connection.welcomed(cursor, welcome)) {
            lose(LeftWhy.LOST);
          }
        });
  }

  @Override
  public void refused(ErrorCode code, String text) {
    onLoop(() -> connection.joinRefused(code, text));
  }

  @Override
  public void left(long endByte) {
    onLoop(() -> connection.left(endByte));
  }

  @Override
  public void leaves() {
    behindItsBack(connection::leaves);
  }

  @Override
  public void dismissed(ErrorCode code, String text) {
    behindItsBack(
        () -> {
          forget();
          connection.end(code, text, LeftWhy.REPLACED);
        });
  }

  @Override
  public void roster(ServerMessage.Roster part, RosterPlace after) {
    onLoop(() -> connection.roster(part, after));
  }

  /** Tells the connection that the room writes its LEFT, for which it has not asked. */
  private void behindItsBack(Runnable task) {
    loop.fanOut().dismissalComes();
    onLoop(
        () -> {
          try {
            task.run();
          } finally {
            loop.fanOut().dismissalCame();
          }
        });
  }

  private void deliver(Room room, Member speaker, List<Sent> sent) {
    for (Sent one : sent) {
      ByteBuf text = one.text();
      if (text == null) {
        room.refusedSend(speaker, this, one.sendNo());
      } else {
        room.send(speaker, this, one.sendNo(), text, one.index(), one.length());
        text.release();
      }
    }
  }

  private void batch(Sent sent) {
    if (batch == null) {
      batch = new ArrayList<>();
      batchBytes = BATCH_BYTES;
    }
    batch.add(sent);
    batchBytes += sent.length();
  }

  private void asMember(BiConsumer<Room, Member> task) {
    Member self = member;
    if (self != null) {
      onRoom(() -> task.accept(server.room(), self));
    }
  }

  private boolean isDirect() {
    return server.roomLoop() == loop;
  }

  private void onRoom(Runnable task) {
    if (isDirect()) {
      task.run();
    } else {
      server.roomLoop().execute(task);
    }
  }

  private void onLoop(Runnable task) {
    if (loop.eventLoop().inEventLoop()) {
      task.run();
    } else {
      loop.execute(task);
    }
  }
}
