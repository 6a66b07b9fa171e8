package simplechat.support;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/** What lies between a server and its Redis, to be cut, closed, or made long while both run. */
public final class Strait implements AutoCloseable {
  private static final int BUFFER_BYTES = 16 * 1024;

  private final ServerSocket listening;
  private final int target;
  private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();
  private final AtomicLong bytesLeft = new AtomicLong(Long.MAX_VALUE);
  private volatile long delayMillis;
  private volatile boolean closed;
  private volatile boolean answersOnly;
  private volatile @Nullable String detained;
  private final CountDownLatch arrival = new CountDownLatch(1);

  private Strait(ServerSocket listening, int target) {
    this.listening = listening;
    this.target = target;
  }

  public static Strait to(int port) {
    try {
      Strait strait = new Strait(new ServerSocket(0, 50, InetAddress.getLoopbackAddress()), port);
      start(strait::accept);
      return strait;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  public String uri() {
    return "redis://127.0.0.1:" + listening.getLocalPort();
  }

  /**
   * Who asks something with this in it is cut off, and what it asked comes to Redis all the same,
   * but not before {@link #arrive}. Once.
   */
  public void detain(String part) {
    detained = part;
  }

  public void arrive() {
    arrival.countDown();
  }

  /** Resets all connections; new ones may come. */
  public void cut() {
    for (Socket socket : sockets) {
      try {
        socket.setSoLinger(true, 0);
      } catch (IOException e) {
        // It is closed already.
      }
      close(socket);
    }
  }

  /** Cuts as soon as so many more bytes have passed, wherever that is. */
  public void cutAfter(long bytes) {
    answersOnly = false;
    bytesLeft.set(bytes);
  }

  /** Cuts as soon as Redis has answered so many more bytes: what was asked has happened then. */
  public void cutAfterAnswers(long bytes) {
    answersOnly = true;
    bytesLeft.set(bytes);
  }

  /** Cuts, and lets nobody through until {@link #open}. */
  public void shut() {
    closed = true;
    cut();
  }

  public void open() {
    closed = false;
  }

  /** Whatever passes takes so long from now on. */
  public void delay(long millis) {
    delayMillis = millis;
  }

  @Override
  public void close() {
    shut();
    try {
      listening.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void accept() {
    try {
      while (true) {
        Socket near = listening.accept();
        near.setTcpNoDelay(true);
        sockets.add(near);
        if (closed) {
          close(near);
          continue;
        }
        try {
          Socket far = new Socket(InetAddress.getLoopbackAddress(), target);
          far.setTcpNoDelay(true);
          sockets.add(far);
          start(() -> relay(near, far, false));
          start(() -> relay(far, near, true));
        } catch (IOException e) {
          close(near);
        }
      }
    } catch (IOException e) {
      cut();
    }
  }

  private void relay(Socket from, Socket to, boolean answers) {
    byte[] buffer = new byte[BUFFER_BYTES];
    try (InputStream in = from.getInputStream();
        OutputStream out = to.getOutputStream()) {
      int count = in.read(buffer);
      while (count >= 0) {
        LockSupport.parkNanos(delayMillis * 1_000_000);
        String part = detained;
        if (part != null && new String(buffer, 0, count, StandardCharsets.UTF_8).contains(part)) {
          detained = null;
          close(from);
          arrival.await();
        }
        long left = bytesLeft.addAndGet(answers || !answersOnly ? -count : 0);
        if (left < 0) {
          out.write(buffer, 0, (int) Math.max(0, count + left));
          bytesLeft.set(Long.MAX_VALUE);
          cut();
          return;
        }
        out.write(buffer, 0, count);
        count = in.read(buffer);
      }
    } catch (IOException | InterruptedException e) {
      // It was cut.
    } finally {
      close(from);
      close(to);
    }
  }

  private void close(Socket socket) {
    sockets.remove(socket);
    try {
      socket.close();
    } catch (IOException e) {
      // It is closed all the same.
    }
  }

  private static void start(Runnable task) {
    Thread thread = new Thread(task, "strait");
    thread.setDaemon(true);
    thread.start();
  }
}
