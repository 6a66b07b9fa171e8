package simplechat.support;

import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * One TCP connection that knows no more of the protocol than where a frame ends. It shares no code
 * with what it tests.
 *
 * <p>Threading: one thread at a time. What waits, waits 5 s and then says for what.
 */
public final class BytePeer implements AutoCloseable {
  private static final Duration PATIENCE = Duration.ofSeconds(5);

  private final Socket tcp;
  private final Socket socket;
  private final DataInputStream in;

  private BytePeer(Socket tcp, Socket socket) throws IOException {
    this.tcp = tcp;
    this.socket = socket;
    this.in = new DataInputStream(new BufferedInputStream(socket.getInputStream()));
  }

  public static BytePeer connect(InetSocketAddress address) {
    try {
      Socket socket = new Socket();
      socket.setTcpNoDelay(true);
      socket.connect(address, (int) PATIENCE.toMillis());
      socket.setSoTimeout((int) PATIENCE.toMillis());
      return new BytePeer(socket, TestTls.over(socket));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  public void send(byte[] bytes) {
    send(bytes, 0, bytes.length);
  }

  public void send(byte[] bytes, int from, int to) {
    try {
      socket.getOutputStream().write(bytes, from, to - from);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Each byte in a segment of its own, as far as the kernel leaves it so. */
  public void dribble(byte[] bytes) {
    for (int i = 0; i < bytes.length; i++) {
      send(bytes, i, i + 1);
    }
  }

  /** The next frame with its header; null at the end of the stream, which must not tear a frame. */
  public byte @Nullable [] frame(String awaited) {
    try {
      int type = in.read();
      if (type < 0) {
        return null;
      }
      byte[] rest = in.readNBytes(3);
      if (rest.length < 3) {
        throw new AssertionError("a header cut short, awaited " + awaited);
      }
      int header = type << 24 | (rest[0] & 0xFF) << 16 | (rest[1] & 0xFF) << 8 | (rest[2] & 0xFF);
      byte[] body = new byte[header & 0xFFFFFF];
      in.readFully(body);
      return ByteBuffer.allocate(4 + body.length).putInt(header).put(body).array();
    } catch (EOFException e) {
      throw new AssertionError("a frame cut short, awaited " + awaited, e);
    } catch (SocketTimeoutException e) {
      throw new AssertionError("nothing for " + PATIENCE + ", awaited " + awaited, e);
    } catch (IOException e) {
      throw new AssertionError("the connection broke, awaited " + awaited, e);
    }
  }

  /** Ends this side of the stream. */
  public void halfClose() {
    try {
      socket.shutdownOutput();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Ends the connection with RST. */
  public void reset() {
    try {
      tcp.setSoLinger(true, 0);
      tcp.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() {
    try {
      socket.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
