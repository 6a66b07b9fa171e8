package simplechat.server;

import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import java.util.concurrent.CompletionStage;
import simplechat.room.Backplane;
import simplechat.room.Ledger;

/** Lets the room of a server take its order from elsewhere. */
@FunctionalInterface
public interface Opening {
  /**
   * Completes when the room can be joined.
   *
   * @param loops all of the server's, for whatever connections that needs; if they are shut down,
   *     the server is closed
   * @param roomLoop the one that the ledger belongs to
   */
  CompletionStage<? extends Backplane> open(
      Ledger ledger, EventLoopGroup loops, EventLoop roomLoop);
}
