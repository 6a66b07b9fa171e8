package simplechat.server;

import com.code_intelligence.jazzer.api.BugDetectors;
import com.code_intelligence.jazzer.api.SilentCloseable;
import com.code_intelligence.jazzer.junit.FuzzTest;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.net.SocketException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import simplechat.protocol.ClientMessage;
import simplechat.protocol.ErrorCode;
import simplechat.protocol.FrameDecoder;
import simplechat.protocol.MessageCodec;
import simplechat.protocol.ProtocolException;
import simplechat.protocol.ServerMessage;

/**
 * Whatever a connection sends to a server, and however it is cut: what comes back is whole frames
 * of a server, it ends when its input has ended, no fault of the server is among its last words,
 * and somebody else is answered as before.
 *
 * <p>The first byte says in which steps the rest is sent, and whether behind a HELLO; at the end
 * the side is closed. The normal build replays the corpus in {@code src/test/resources}. A real
 * run:
 *
 * <pre>
 *   JAZZER_FUZZ=1 mvn -pl server -am test -Dtest=ConnectionFuzzTest \
 *     -Dsurefire.failIfNoSpecifiedTests=false -Djazzer.max_duration=10m
 * </pre>
 */
class ConnectionFuzzTest {
  private static final int JOINS = 0x80;
  private static final int STEP = 0x1F;
  private static final int PATIENCE_MILLIS = 5000;
  private static ChatServer server;

  @BeforeAll
  static void start() {
    ServerConfig config =
        ServerConfig.defaults().toBuilder().port(0).loops(2).maxText(1024).build();
    server = ChatServer.start(config).toCompletableFuture().join();
  }

  @AfterAll
  static void stop() {
    server.drain().toCompletableFuture().join();
  }

  @FuzzTest(maxDuration = "60s")
  void session(byte[] data) throws IOException, ProtocolException {
    if (data.length == 0) {
      return;
    }
    // Jazzer takes any connection for a forgery.
    try (SilentCloseable network = BugDetectors.allowNetworkConnections()) {
      talk(data);
    }
  }

  private static void talk(byte[] data) throws IOException, ProtocolException {
    try (Socket peer = connect()) {
      if ((data[0] & JOINS) != 0) {
        peer.getOutputStream().write(bytes(new ClientMessage.Hello("fuzz", 3)));
      }
      int step = 1 + (data[0] & STEP) * 8;
      try {
        for (int from = 1; from < data.length; from += step) {
          peer.getOutputStream().write(data, from, Math.min(step, data.length - from));
        }
        peer.shutdownOutput();
      } catch (SocketException e) {
        throw new AssertionError("reset while it was sending", e);
      }
      readToEnd(peer);
    }
    try (Socket other = connect()) {
      other.getOutputStream().write(bytes(new ClientMessage.Ping(1)));
      other.shutdownOutput();
      if (readToEnd(other) != 1) {
        throw new AssertionError("a PING was not answered");
      }
    }
  }

  /** Returns how many frames came. */
  private static int readToEnd(Socket peer) throws IOException, ProtocolException {
    FrameDecoder decoder = new FrameDecoder(new UnpooledByteBufAllocator(false));
    Answers answers = new Answers();
    InputStream in = peer.getInputStream();
    byte[] buffer = new byte[4096];
    for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
      decoder.decode(Unpooled.wrappedBuffer(buffer, 0, count), answers);
    }
    if (decoder.heldBytes() > 0) {
      throw new AssertionError("the stream ends inside a frame");
    }
    return answers.count;
  }

  private static Socket connect() throws IOException {
    Socket socket = new Socket(server.address().getAddress(), server.address().getPort());
    socket.setSoTimeout(PATIENCE_MILLIS);
    return socket;
  }

  private static byte[] bytes(ClientMessage message) {
    ByteBuf out = Unpooled.buffer();
    MessageCodec.encode(message, out);
    return ByteBufUtil.getBytes(out);
  }

  private static final class Answers implements FrameDecoder.Sink {
    private int count;
    private boolean over;

    @Override
    public boolean header(int type, int length) {
      return true;
    }

    @Override
    public boolean frame(int type, ByteBuf buffer, int index, int length) throws ProtocolException {
      if (over) {
        throw new AssertionError("a frame behind BYE");
      }
      ServerMessage message = MessageCodec.decodeServer(type, buffer, index, length);
      count++;
      if (message instanceof ServerMessage.Bye bye) {
        over = true;
        if (bye.code() == ErrorCode.INTERNAL.number()) {
          throw new AssertionError("the server failed");
        }
      }
      return true;
    }

    @Override
    public boolean skipped(int type, int length) {
      return true;
    }
  }
}
