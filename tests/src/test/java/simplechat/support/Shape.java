package simplechat.support;

import simplechat.server.ServerConfig;

/** The ways in which a server may be laid out, under which its promises are the same. */
public enum Shape {
  ONE_LOOP(1, false),
  TWO_LOOPS(2, false),
  FOUR_LOOPS(4, false),
  NIO(2, true);

  private final int loops;
  private final boolean nio;

  Shape(int loops, boolean nio) {
    this.loops = loops;
    this.nio = nio;
  }

  public ServerConfig.Builder apply(ServerConfig.Builder config) {
    return config.loops(loops).nio(nio);
  }

  public RunningServer start() {
    return RunningServer.start(this::apply);
  }
}
