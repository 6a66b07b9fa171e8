package simplechat.room;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import simplechat.protocol.ErrorCode;
import simplechat.protocol.Limits;
import simplechat.protocol.MessageCodec;
import simplechat.protocol.ProtocolException;
import simplechat.protocol.ServerMessage;

/** A connection without a socket: keeps what the room answers, and reads the log by its cursor. */
final class FakeConnection implements MemberConnection {
  private final Pieces pieces =
      new Pieces(Unpooled.wrappedBuffer(new byte[Pieces.answerBytes()]).clear());
  private @Nullable Member member;
  private @Nullable Cursor cursor;
  private ServerMessage.@Nullable Welcome welcome;
  private @Nullable ErrorCode refusal;
  private @Nullable ErrorCode dismissal;

  @Override
  public void welcomed(Member member, Cursor cursor, ServerMessage.Welcome welcome) {
    this.member = member;
    this.cursor = cursor;
    this.welcome = welcome;
  }

  @Override
  public void refused(ErrorCode code, String text) {
    refusal = code;
  }

  @Override
  public void left(long endByte) {
    cursor().stopAt(endByte);
  }

  @Override
  public void leaves() {}

  @Override
  public void dismissed(ErrorCode code, String text) {
    dismissal = code;
  }

  @Override
  public void roster(ServerMessage.Roster part, RosterPlace after) {}

  Member member() {
    return required(member);
  }

  Cursor cursor() {
    return required(cursor);
  }

  ServerMessage.Welcome welcome() {
    return required(welcome);
  }

  @Nullable ErrorCode refusal() {
    return refusal;
  }

  @Nullable ErrorCode dismissal() {
    return dismissal;
  }

  /** What one write would consist of; nothing is taken. */
  Pieces collect() {
    pieces.clear();
    cursor().collect(pieces);
    return pieces;
  }

  /** As a loop does when a segment retires. */
  void forget() {
    pieces.forget();
  }

  /** Takes everything that there is. */
  List<ServerMessage> read() {
    List<ServerMessage> messages = new ArrayList<>();
    while (collect().count() > 0) {
      for (int piece = 0; piece < pieces.count(); piece++) {
        decode(pieces.buffer(piece), pieces.index(piece), pieces.length(piece), messages);
      }
      cursor().taken(pieces, pieces.count(), 0);
    }
    return messages;
  }

  private static void decode(ByteBuf buffer, int index, int length, List<ServerMessage> messages) {
    int at = index;
    while (at < index + length) {
      int bodyBytes = buffer.getUnsignedMedium(at + 1);
      try {
        messages.add(
            MessageCodec.decodeServer(
                buffer.getUnsignedByte(at), buffer, at + Limits.HEADER_BYTES, bodyBytes));
      } catch (ProtocolException e) {
        throw new AssertionError(e);
      }
      at += Limits.HEADER_BYTES + bodyBytes;
    }
  }

  private static <T> T required(@Nullable T value) {
    if (value == null) {
      throw new AssertionError("the room did not welcome it");
    }
    return value;
  }
}
