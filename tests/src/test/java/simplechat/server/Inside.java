package simplechat.server;

import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;

/** What tests ask of the inside of a server, on the thread that may tell. */
public final class Inside {
  private Inside() {}

  /** How many addresses are counted. */
  public static int knownAddresses(ChatServer server) {
    return onRoomLoop(server, server.door()::addresses);
  }

  /** How many connections wait to join. */
  public static int pending(ChatServer server) {
    return onRoomLoop(server, server.door()::pending);
  }

  /** How long who speaks has been made to wait for one who lags, in the last ten seconds. */
  public static long restrainedNanos(ChatServer server) {
    return onRoomLoop(server, server.restraint()::waitedNanos);
  }

  /** How much memory is held for what came and cannot be handed on. */
  public static long heldInputBytes(ChatServer server) {
    return server.inputLimit().bytes();
  }

  /** How many connections live on the room's loop. */
  public static int nearby(ChatServer server) {
    return onRoomLoop(server, server.roomLoop().connections()::size);
  }

  /** Keeps the room's loop, which accepts, from everything else until this is done. */
  public static void occupy(ChatServer server, CompletableFuture<?> until) {
    server.roomLoop().execute(until::join);
  }

  private static <T> T onRoomLoop(ChatServer server, Supplier<T> question) {
    return CompletableFuture.supplyAsync(question, server.roomLoop().eventLoop()).join();
  }
}
