package simplechat.support;

import simplechat.server.ServerConfig;
import simplechat.server.TransportChoice;

/** The ways in which a server may be laid out, under which its promises are the same. */
public enum Shape {
  ONE_LOOP(1, TransportChoice.AUTO),
  TWO_LOOPS(2, TransportChoice.AUTO),
  FOUR_LOOPS(4, TransportChoice.AUTO),
  NIO(2, TransportChoice.NIO),
  /** Where there is none, another one more. */
  IO_URING(2, TransportChoice.IO_URING);

  private final int loops;
  private final TransportChoice transport;

  Shape(int loops, TransportChoice transport) {
    this.loops = loops;
    this.transport = transport;
  }

  public ServerConfig.Builder apply(ServerConfig.Builder config) {
    return config.loops(loops).transport(transport);
  }

  public RunningServer start() {
    return RunningServer.start(this::apply);
  }
}
