package simplechat.client;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.util.ArrayDeque;
import java.util.Queue;
import org.jspecify.annotations.Nullable;
import simplechat.protocol.ClientMessage;
import simplechat.protocol.FrameDecoder;
import simplechat.protocol.Limits;
import simplechat.protocol.MessageCodec;
import simplechat.protocol.ProtocolException;
import simplechat.protocol.ResumeToken;
import simplechat.protocol.ServerMessage;

/** A server that says what the test tells it to, true or not, and tells what it was sent. */
public final class ScriptedServer implements AutoCloseable {
  private static final int PATIENCE_MILLIS = 10_000;
  private static final int SOON_MILLIS = 20;

  private final ServerSocket listening;

  public ScriptedServer() throws IOException {
    this(0);
  }

  /** On a port that was somebody's just now. */
  public ScriptedServer(int port) throws IOException {
    listening = new ServerSocket(port, 50, InetAddress.getLoopbackAddress());
    listening.setSoTimeout(PATIENCE_MILLIS);
  }

  public int port() {
    return listening.getLocalPort();
  }

  /** The next connection. */
  public Peer accept() throws IOException {
    return new Peer(listening.accept());
  }

  /** The next connection; null if none comes soon. */
  @Nullable Peer acceptSoon() throws IOException {
    listening.setSoTimeout(SOON_MILLIS);
    try {
      return accept();
    } catch (SocketTimeoutException e) {
      return null;
    } finally {
      listening.setSoTimeout(PATIENCE_MILLIS);
    }
  }

  /** The next connection, welcomed to an empty room whose next position is this. */
  public Peer acceptAndWelcome(long next) throws IOException {
    Peer peer = accept();
    peer.welcome(peer.expect(ClientMessage.Hello.class).name(), next, next);
    return peer;
  }

  @Override
  public void close() throws IOException {
    listening.close();
  }

  /** One connection, seen from the server. */
  public static final class Peer implements AutoCloseable {
    private final Socket socket;
    private final Queue<ClientMessage> received = new ArrayDeque<>();
    private final FrameDecoder decoder = new FrameDecoder(UnpooledByteBufAllocator.DEFAULT);

    Peer(Socket socket) throws IOException {
      this.socket = socket;
      socket.setSoTimeout(PATIENCE_MILLIS);
      socket.setTcpNoDelay(true);
    }

    public void welcome(String name, long next, long head) throws IOException {
      send(welcomeOf(name, next, head, 1));
    }

    /** Welcomes a session back to the room of {@link #welcome}. */
    public void welcomeBack(String name, long next, long head, int received) throws IOException {
      ServerMessage.Welcome first = welcomeOf(name, next, head, 1);
      send(
          new ServerMessage.Welcome(
              first.version(),
              true,
              first.epoch(),
              first.token(),
              next,
              head,
              received,
              1,
              first.maxText(),
              first.heartbeat(),
              name,
              ""));
    }

    public static ServerMessage.Welcome welcomeOf(String name, long next, long head, int members) {
      return new ServerMessage.Welcome(
          Limits.VERSION,
          false,
          77,
          new ResumeToken(1, 2),
          next,
          head,
          0,
          members,
          Limits.TEXT_DEFAULT_MAX_BYTES,
          30,
          name,
          "");
    }

    public void send(ServerMessage... messages) throws IOException {
      ByteBuf frames = Unpooled.buffer();
      for (ServerMessage message : messages) {
        MessageCodec.encode(message, frames);
      }
      send(frames);
    }

    public void send(ByteBuf bytes) throws IOException {
      bytes.readBytes(socket.getOutputStream(), bytes.readableBytes());
      socket.getOutputStream().flush();
    }

    /** What the client says next; null at its FIN. */
    public @Nullable ClientMessage receive() throws IOException {
      InputStream in = socket.getInputStream();
      byte[] bytes = new byte[8192];
      while (received.isEmpty()) {
        int count = in.read(bytes);
        if (count < 0) {
          return null;
        }
        decode(Unpooled.wrappedBuffer(bytes, 0, count));
      }
      return received.remove();
    }

    public <T extends ClientMessage> T expect(Class<T> type) throws IOException {
      ClientMessage message = receive();
      if (!type.isInstance(message)) {
        throw new AssertionError("expected " + type.getSimpleName() + ", got " + message);
      }
      return type.cast(message);
    }

    public void expectFin() throws IOException {
      ClientMessage message = receive();
      if (message != null) {
        throw new AssertionError("expected FIN, got " + message);
      }
    }

    /** Answers a LEAVE as a server does, or says another BYE. */
    public void bye(int code) throws IOException {
      send(new ServerMessage.Bye(code, 0, ""));
      socket.shutdownOutput();
    }

    /** Closes by a reset. */
    public void reset() throws IOException {
      socket.setSoLinger(true, 0);
      socket.close();
    }

    @Override
    public void close() throws IOException {
      socket.close();
      decoder.close();
    }

    private void decode(ByteBuf bytes) {
      try {
        decoder.decode(
            bytes,
            new FrameDecoder.Sink() {
              @Override
              public boolean header(int type, int length) {
                return true;
              }

              @Override
              public boolean frame(int type, ByteBuf buffer, int index, int length)
                  throws ProtocolException {
                received.add(MessageCodec.decodeClient(type, buffer, index, length));
                return true;
              }
            });
      } catch (ProtocolException e) {
        throw new AssertionError("the client broke the protocol", e);
      }
    }
  }
}
