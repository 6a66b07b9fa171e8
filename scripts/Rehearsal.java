import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.List;
import simplechat.protocol.ClientMessage;
import simplechat.protocol.FrameDecoder;
import simplechat.protocol.Limits;
import simplechat.protocol.MessageCodec;
import simplechat.protocol.ProtocolException;
import simplechat.protocol.ResumeToken;
import simplechat.protocol.ServerMessage;

/**
 * A room with one visitor at a time, who may do everything once: so that archive.sh can see which
 * classes a conversation needs. It prints its port, and ends after as many visits as it is told.
 *
 * <p>Run from its source, so that the programs do not carry it.
 */
class Rehearsal {
  private static final int PATIENCE_MILLIS = 20_000;

  public static void main(String[] args) throws Exception {
    try (ServerSocket listening = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      listening.setSoTimeout(PATIENCE_MILLIS);
      System.out.println(listening.getLocalPort());
      for (int visits = Integer.parseInt(args[0]); visits > 0; visits--) {
        try (Socket visitor = listening.accept()) {
          visitor.setSoTimeout(PATIENCE_MILLIS);
          play(visitor);
        }
      }
    }
  }

  private static void play(Socket visitor) throws Exception {
    FrameDecoder decoder = new FrameDecoder(UnpooledByteBufAllocator.DEFAULT);
    ByteBuf answers = Unpooled.buffer();
    byte[] read = new byte[4096];
    for (int count = visitor.getInputStream().read(read);
        count >= 0;
        count = visitor.getInputStream().read(read)) {
      decoder.decode(Unpooled.wrappedBuffer(read, 0, count), new Answers(answers));
      answers.readBytes(visitor.getOutputStream(), answers.readableBytes());
      answers.clear();
    }
  }

  private record Answers(ByteBuf out) implements FrameDecoder.Sink {
    @Override
    public boolean header(int type, int length) {
      return true;
    }

    @Override
    public boolean frame(int type, ByteBuf buffer, int index, int length) throws ProtocolException {
      ClientMessage message = MessageCodec.decodeClient(type, buffer, index, length);
      if (message instanceof ClientMessage.Hello hello) {
        answer(
            new ServerMessage.Welcome(
                Limits.VERSION,
                false,
                1,
                new ResumeToken(1, 2),
                0,
                2,
                0,
                2,
                Limits.TEXT_DEFAULT_MAX_BYTES,
                30,
                hello.name(),
                ""),
            new ServerMessage.Msg(0, 0, "bob", "welcome, " + hello.name()),
            new ServerMessage.Joined(2, 0, 3, ServerMessage.JoinedHow.JOINED, "eve"),
            new ServerMessage.Left(3, 0, 2, ServerMessage.LeftWhy.LEFT, "eve"));
      } else if (message instanceof ClientMessage.Send) {
        answer(new ServerMessage.Ack(4, 1));
      } else if (message instanceof ClientMessage.Who) {
        answer(new ServerMessage.Roster(false, List.of("archive", "bob")));
      } else if (message instanceof ClientMessage.Leave) {
        answer(new ServerMessage.Bye(0, 0, ""));
      }
      return true;
    }

    private void answer(ServerMessage... messages) {
      for (ServerMessage message : messages) {
        MessageCodec.encode(message, out);
      }
    }
  }
}
