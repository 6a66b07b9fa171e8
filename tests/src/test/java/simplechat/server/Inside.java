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

  private static <T> T onRoomLoop(ChatServer server, Supplier<T> question) {
    return CompletableFuture.supplyAsync(question, server.roomLoop().eventLoop()).join();
  }
}
