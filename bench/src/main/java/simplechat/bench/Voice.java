package simplechat.bench;

import io.netty.buffer.ByteBuf;
import simplechat.protocol.ProtocolException;

/** One member's side of a {@link Protocol}: what it writes, and what it makes of what comes. */
interface Voice {
  /** Writes what joins the room. */
  void join(ByteBuf out);

  /**
   * Writes a message.
   *
   * @return where its text begins in {@code out}
   */
  int say(ByteBuf text, ByteBuf out);

  /** Tells the member of all that is whole, and keeps the rest; the buffer is the caller's. */
  void read(ByteBuf in) throws ProtocolException;

  /** Lets go of the rest. */
  void close();
}
