package simplechat.bench;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.GatheringByteChannel;
import java.nio.channels.ScatteringByteChannel;
import java.nio.channels.SocketChannel;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;

/**
 * TLS over a socket that does not block: what is read and written here is plain.
 *
 * <p>Threading: confined to one thread, which computes the handshake as well. Bounds: what came and
 * is no whole record yet, and one record that the socket did not take.
 */
final class TlsPipe implements GatheringByteChannel, ScatteringByteChannel {
  private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

  private final SocketChannel socket;
  private final SSLEngine engine;
  private final Tls tls;
  private ByteBuffer half = NOTHING;
  private ByteBuffer unsent = NOTHING;
  private boolean open;

  TlsPipe(SocketChannel socket, SSLEngine engine, Tls tls) {
    this.socket = socket;
    this.engine = engine;
    this.tls = tls;
  }

  /** Begins the handshake; {@link #read} goes on with it. */
  void begin() throws IOException {
    engine.beginHandshake();
    shakeHands();
  }

  /** True when the handshake is done, and something can be written. */
  boolean isReady() {
    return open;
  }

  /** True if something that was written is still here. */
  boolean hasUnsent() {
    return unsent.hasRemaining();
  }

  /**
   * Reads once.
   *
   * @param into has room for all that a read can bring
   * @return -1 at the end of the stream
   */
  @Override
  public int read(ByteBuffer into) throws IOException {
    ByteBuffer came = tls.came().clear().put(half);
    half = NOTHING;
    int count = socket.read(came);
    came.flip();
    int before = into.position();
    while (came.hasRemaining()) {
      SSLEngineResult result = engine.unwrap(came, into);
      if (result.getStatus() == SSLEngineResult.Status.CLOSED) {
        count = -1;
        break;
      }
      if (!shakeHands() && result.bytesConsumed() == 0 && result.bytesProduced() == 0) {
        break;
      }
    }
    if (came.hasRemaining()) {
      half = ByteBuffer.allocate(came.remaining()).put(came).flip();
    }
    int read = into.position() - before;
    return read == 0 && count < 0 ? -1 : read;
  }

  @Override
  public int write(ByteBuffer plain) throws IOException {
    int before = plain.remaining();
    while (send() && open && plain.hasRemaining()) {
      wrap(plain);
    }
    return before - plain.remaining();
  }

  /** Does what the handshake wants of this side; returns true if it may go on with what came. */
  private boolean shakeHands() throws IOException {
    boolean went = false;
    while (true) {
      HandshakeStatus status = engine.getHandshakeStatus();
      if (status == HandshakeStatus.NEED_TASK) {
        for (Runnable task; (task = engine.getDelegatedTask()) != null; ) {
          task.run();
        }
      } else if (status == HandshakeStatus.NEED_WRAP) {
        wrap(NOTHING);
      } else {
        open |= status == HandshakeStatus.NOT_HANDSHAKING;
        return went;
      }
      went = true;
    }
  }

  /** A record; what the socket does not take of it waits here. */
  private void wrap(ByteBuffer plain) throws IOException {
    ByteBuffer record = tls.record().clear();
    if (engine.wrap(plain, record).getStatus() == SSLEngineResult.Status.CLOSED) {
      throw new EOFException("TLS has ended");
    }
    record.flip();
    if (!hasUnsent()) {
      socket.write(record);
    }
    if (record.hasRemaining()) {
      ByteBuffer more = ByteBuffer.allocate(unsent.remaining() + record.remaining());
      unsent = more.put(unsent).put(record).flip();
    }
  }

  /** Sends what waits; returns true if nothing of it waits any more. */
  boolean send() throws IOException {
    if (hasUnsent()) {
      socket.write(unsent);
    }
    return !hasUnsent();
  }

  @Override
  public long read(ByteBuffer[] buffers, int from, int count) throws IOException {
    return read(buffers[from]);
  }

  @Override
  public long read(ByteBuffer[] buffers) throws IOException {
    return read(buffers, 0, buffers.length);
  }

  @Override
  public long write(ByteBuffer[] buffers, int from, int count) throws IOException {
    return write(buffers[from]);
  }

  @Override
  public long write(ByteBuffer[] buffers) throws IOException {
    return write(buffers, 0, buffers.length);
  }

  @Override
  public boolean isOpen() {
    return socket.isOpen();
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
