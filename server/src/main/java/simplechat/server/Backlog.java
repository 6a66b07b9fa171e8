package simplechat.server;

import io.netty.channel.Channel;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.unix.Socket;
import java.io.IOException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Those who have connected and of whom no loop knows yet: in the system's queue, or accepted and on
 * their way.
 *
 * <p>Threading: any thread.
 */
final class Backlog {
  static final int SIZE = 4096;

  /** Who connects as fast as we accept must not keep the port open. */
  private static final long ACCEPT_NANOS = 50_000_000;

  /** How long an address is, as the system gives it. */
  private static final int ADDRESS_BYTES = 25;

  private final AtomicInteger arriving = new AtomicInteger();

  /** A connection was accepted, and its loop will hear of it. */
  void arrives() {
    arriving.incrementAndGet();
  }

  /** Its loop has heard of it. */
  void arrived() {
    arriving.decrementAndGet();
  }

  /** True if nobody is on the way to a loop. */
  boolean isEmpty() {
    return arriving.get() == 0;
  }

  /**
   * Accepts those who wait, and closes the listening socket: whoever is left then is reset. Between
   * the last look and the close somebody may come all the same, for a few microseconds.
   */
  static void close(Channel listener) {
    if (!listener.isOpen()) {
      return;
    }
    // Ends the turn that accepts now, which may be a long one.
    listener.config().setAutoRead(false);
    try {
      listener
          .eventLoop()
          .execute(
              () -> {
                accept(listener);
                listener.close();
              });
    } catch (RejectedExecutionException e) {
      // The loop has ended, and has closed the socket with it.
    }
  }

  /** Does nothing for another transport than epoll, whose descriptors cannot be had. */
  private static void accept(Channel listener) {
    if (!(listener instanceof EpollServerSocketChannel epoll) || !epoll.isOpen()) {
      return;
    }
    Socket socket = (Socket) epoll.fd();
    byte[] address = new byte[ADDRESS_BYTES];
    long began = System.nanoTime();
    try {
      for (int i = 0; i < SIZE && System.nanoTime() - began < ACCEPT_NANOS; i++) {
        int descriptor = socket.accept(address);
        if (descriptor < 0) {
          break;
        }
        listener.pipeline().fireChannelRead(new EpollSocketChannel(descriptor));
      }
    } catch (IOException e) {
      // Out of descriptors: those who are left cannot be told.
    }
  }
}
