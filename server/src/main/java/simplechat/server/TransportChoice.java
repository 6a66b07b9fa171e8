package simplechat.server;

import java.util.Locale;

/** Which kind of socket the server is to stand on. */
public enum TransportChoice {
  /** The fastest that works here. */
  AUTO,
  EPOLL,
  IO_URING,
  KQUEUE,
  NIO;

  /** As in the option and in the log. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }

  boolean means(Transport transport) {
    return transport.name().equals(toString());
  }
}
