package simplechat.server;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import simplechat.room.NoRoomException;

/**
 * The start of a server on the first transport that works, which it tells the log, with the reason.
 *
 * <p>That a transport says that it is available does not mean that it can be used: a container may
 * forbid its system calls. So each one is tried in turn until one binds.
 *
 * <p>Threading: one step at a time. Endings: a server, or the failure of the first that was tried.
 */
final class Start {
  private static final Logger LOG = LoggerFactory.getLogger(Start.class);

  private final ServerConfig config;
  private final @Nullable Opening opening;
  private final Iterator<Transport> left;
  private final List<String> failures = new ArrayList<>();
  private @Nullable Throwable firstFailure;

  Start(ServerConfig config, @Nullable Opening opening, List<Transport> candidates) {
    this.config = config;
    this.opening = opening;
    this.left = candidates.iterator();
  }

  /** A server that comes up when nobody waits for it any more is closed again. */
  CompletableFuture<ChatServer> begin() {
    CompletableFuture<ChatServer> awaited = new CompletableFuture<>();
    next()
        .whenComplete(
            (server, failure) -> {
              if (failure != null) {
                awaited.completeExceptionally(failure);
              } else if (!awaited.complete(server)) {
                server.close();
              }
            });
    return awaited;
  }

  CompletableFuture<ChatServer> next() {
    if (!left.hasNext()) {
      return CompletableFuture.failedFuture(
          firstFailure == null ? new IllegalStateException("no transport") : firstFailure);
    }
    Transport transport = left.next();
    Throwable obstacle = transport.obstacle().get();
    if (obstacle != null) {
      // Nobody misses what this system does not have, unless they asked for it.
      if (config.transport().means(transport)) {
        failures.add(transport.name() + " is not available: " + reason(obstacle));
      }
      return next();
    }
    return ChatServer.start(config, opening, transport)
        .handle((server, failure) -> tried(transport, server, failure))
        .thenCompose(server -> server);
  }

  private CompletableFuture<ChatServer> tried(
      Transport transport, @Nullable ChatServer server, @Nullable Throwable failure) {
    if (server != null) {
      LOG.info("transport {}: {}", transport.name(), why(transport));
      return CompletableFuture.completedFuture(server);
    }
    Throwable cause = failure instanceof CompletionException ? failure.getCause() : failure;
    if (cause == null) {
      cause = new IllegalStateException("no server and no failure");
    }
    if (cause instanceof Tls.UnusableException) {
      return CompletableFuture.failedFuture(cause);
    }
    if (firstFailure == null) {
      firstFailure = cause;
    }
    if (cause instanceof NoRoomException) {
      return CompletableFuture.failedFuture(cause);
    }
    failures.add(transport.name() + " failed: " + reason(cause));
    return next();
  }

  private String why(Transport transport) {
    if (!failures.isEmpty()) {
      return String.join("; ", failures);
    }
    return config.transport().means(transport) ? "asked for" : "the fastest here";
  }

  private static String reason(Throwable failure) {
    Throwable root = failure;
    while (root.getCause() != null) {
      root = root.getCause();
    }
    String message = root.getMessage();
    return message == null
        ? root.getClass().getSimpleName()
        : message.lines().findFirst().orElse("");
  }
}
