package simplechat.client;

import java.net.InetSocketAddress;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;
import simplechat.protocol.ClientMessage;
import simplechat.protocol.ErrorCode;
import simplechat.protocol.ServerMessage.Welcome;
import simplechat.protocol.Text;

/**
 * A connection to a chat server, and the membership that a join gives it.
 *
 * <p>With {@link ClientOptions#withReturn} a member survives its connections. When one is lost, or
 * the server closes it for now (BYE 3xx), the client tells {@link ChatListener#lost} and looks for
 * another: at random times, further apart from try to try, so that a crowd that was lost together
 * does not come back together. The session then goes on where it was: what happened meanwhile is
 * told, what the server had not taken is sent again, once and in order, and {@link
 * ChatListener#back} says how much is missing, if anything. If the server does not know the session
 * any more, it is a new one, a {@link ChatListener#welcome} that is not {@code resumed}: what waits
 * for its answer then fails and is not sent again, because nobody knows whether the room has it. A
 * machine that wakes up finds out at once whether its connection is still one.
 *
 * <p>Threading: any thread may call anything, and nothing blocks. What is called from one thread
 * takes effect in that order. Stages are completed on the event loop, in the order of the stream,
 * so what depends on them must not block either.
 *
 * <p>Back-pressure: a listener that cannot keep up calls {@link #pause}, and then the server keeps
 * what it has for as long as its memory reaches back. A sender that cannot wait for its stages
 * looks at {@link #pendingBytes}.
 *
 * <p>Bounds: texts without an answer take {@link #PENDING_MAX_BYTES} at most, and of those sent
 * while the connection is lost there are 100 at most; a {@link #send} beyond that fails at once.
 * Each completed send makes room.
 *
 * <p>Endings: {@link #leave}, {@link #close}, or whatever {@link Goodbye} names; of a member that
 * comes back also that there is no way back in time, that its name was taken meanwhile ({@link
 * Goodbye.Ending#REFUSED}), or that the server sends it away for good (BYE 4xx). Every stage is
 * completed by then, and {@link #ended} last. A client is not used again; what it is asked for then
 * fails with {@link EndedException}. Event loops that are shut down end their clients, which may be
 * told on another thread.
 */
public final class ChatClient implements AutoCloseable {
  /**
   * Texts without an answer: some seconds of a fast sender, 16 MiB being what a server's log holds.
   */
  public static final long PENDING_MAX_BYTES = 4L * 1024 * 1024;

  private final Link link;
  private final Session session;
  private final Outbox outbox;

  private ChatClient(Link link, Session session, Outbox outbox) {
    this.link = link;
    this.session = session;
    this.outbox = outbox;
  }

  /** Same as {@link #connect(String, int, ChatListener, ClientOptions)} with the defaults. */
  public static CompletionStage<ChatClient> connect(String host, int port, ChatListener listener) {
    return connect(host, port, listener, ClientOptions.defaults());
  }

  /**
   * Connects to the first address of the host that answers. The stage fails with {@link
   * CannotConnectException} if there is none in time.
   *
   * @param host a name, or an address without brackets
   */
  public static CompletionStage<ChatClient> connect(
      String host, int port, ChatListener listener, ClientOptions options) {
    Outbox outbox = new Outbox();
    Session session = new Session(listener, outbox);
    Link link = new Link(host, port, options, options.loops().next(), session);
    CompletableFuture<ChatClient> result = new CompletableFuture<>();
    link.connect()
        .whenComplete(
            (connected, failure) -> {
              if (failure == null) {
                if (!result.complete(new ChatClient(link, session, outbox))) {
                  // Nobody waits for it any more.
                  link.close();
                }
              } else {
                result.completeExceptionally(failure);
              }
            });
    return result;
  }

  /** Connects to an address, or to the addresses of its host if it is unresolved. */
  public static CompletionStage<ChatClient> connect(
      InetSocketAddress address, ChatListener listener, ClientOptions options) {
    String host =
        address.isUnresolved() ? address.getHostString() : address.getAddress().getHostAddress();
    return connect(host, address.getPort(), listener, options);
  }

  /** Same as {@link #join(JoinRequest)} without key and resume. */
  public CompletionStage<Welcome> join(String name, int history) {
    return join(new JoinRequest(name, history));
  }

  /**
   * Asks to come in. The stage fails with {@link RefusedException} if the server refuses, or if no
   * frame can hold the name (half a character, or more than 255 bytes), and then another join may
   * be tried, here as long as the server waits for one; with {@link EndedException} if the
   * connection ends.
   */
  public CompletionStage<Welcome> join(JoinRequest request) {
    byte[] name = Text.encode(request.name());
    if (name == null || name.length > 0xFF) {
      return CompletableFuture.failedStage(
          new RefusedException(ErrorCode.NAME_INVALID, "no frame can hold this name"));
    }
    CompletableFuture<Welcome> result = new CompletableFuture<>();
    execute(() -> link.join(request, result), result);
    return view(result);
  }

  /**
   * Says something to the room. The stage is completed with its position once it is there: nobody
   * will miss it then. (Of several that fell into a GAP together, each gets a position that is at
   * most too high; of those that a return found in the room, one that may be a little off.)
   *
   * <p>It fails with {@link RefusedException} if the text breaks a rule (then nothing is sent), if
   * there is no membership, or if the server refuses; with {@link BacklogFullException} at the
   * bound; with {@link EndedException} if the client ends, or its session, and then nobody knows
   * whether it arrived.
   */
  public CompletionStage<Long> send(String text) {
    ErrorCode broken = Text.check(text, session.textMaxBytes());
    if (broken != null) {
      return CompletableFuture.failedStage(new RefusedException(broken, rule(broken)));
    }
    if (!outbox.reserve(text)) {
      return CompletableFuture.failedStage(
          new BacklogFullException(PENDING_MAX_BYTES + " bytes of texts wait for an answer"));
    }
    CompletableFuture<Long> result = new CompletableFuture<>();
    // On the loop nobody is behind the news: who speaks in lost() is being told.
    boolean knowingly = session.knownToBeAway() || (link.loop().inEventLoop() && session.isAway());
    if (!execute(() -> session.send(text, result, knowingly), result)) {
      outbox.release(text);
    }
    return view(result);
  }

  /**
   * The names of all members, this one's too, in the server's order. Fails as {@link #send} does,
   * with {@link BacklogFullException} also if they are more than 100 000.
   */
  public CompletionStage<List<String>> who() {
    CompletableFuture<List<String>> result = new CompletableFuture<>();
    execute(() -> session.who(result), result);
    return result;
  }

  /**
   * Goes, after all that was sent before. The stage is completed once the server has confirmed it
   * and closed; it fails with {@link EndedException} if it ends in any other way, so a caller in a
   * hurry limits it and calls {@link #close}. While the connection is lost it waits for another one
   * only if there is something to deliver.
   */
  public CompletionStage<@Nullable Void> leave() {
    execute(link::leave);
    CompletableFuture<@Nullable Void> result = new CompletableFuture<>();
    link.ended()
        .thenAccept(
            goodbye -> {
              if (goodbye.inOrder()) {
                result.complete(null);
              } else {
                result.completeExceptionally(new EndedException(goodbye));
              }
            });
    return result;
  }

  /** Completed when the socket is closed and everything else has been told. */
  public CompletionStage<Goodbye> ended() {
    return view(link.ended());
  }

  /**
   * Leaves, and hangs up if the server takes more than 2 s to confirm it, or at once if there is no
   * connection. Does not wait.
   */
  @Override
  public void close() {
    execute(link::close);
  }

  /**
   * Reads nothing more but what has been read already, until {@link #resume}. Time stands still
   * meanwhile, and the server is told each heartbeat that we live. One that has more for us than
   * the sockets take hangs up when we have taken none of it for its write stall (30 s by default);
   * that is seen at the resume, and what is still in its memory then is not missed.
   */
  public void pause() {
    execute(() -> link.reading(false));
  }

  /** Takes back {@link #pause}. */
  public void resume() {
    execute(() -> link.reading(true));
  }

  /** What the texts without an answer take, by the measure of {@link #PENDING_MAX_BYTES}. */
  public long pendingBytes() {
    return outbox.pendingBytes();
  }

  /** The longest text that may be sent, in bytes of UTF-8; known from the welcome on. */
  public int textMaxBytes() {
    return session.textMaxBytes();
  }

  /** Where another connection could go on, null before the first welcome. */
  public CompletionStage<ClientMessage.@Nullable Resume> resumePoint() {
    CompletableFuture<ClientMessage.@Nullable Resume> result = new CompletableFuture<>();
    execute(() -> result.complete(session.resumePoint()), result);
    return result;
  }

  /** Completed as this is, so that what a caller does with it touches nobody else. */
  private static <T> CompletionStage<T> view(CompletableFuture<T> ours) {
    CompletableFuture<T> theirs = new CompletableFuture<>();
    ours.whenComplete(
        (value, failure) -> {
          if (failure == null) {
            theirs.complete(value);
          } else {
            theirs.completeExceptionally(failure);
          }
        });
    return theirs;
  }

  /** What a loop that was shut down takes no more fails as all else does. */
  private boolean execute(Runnable task, CompletableFuture<?> result) {
    boolean taken = execute(task);
    if (!taken) {
      link.ended().thenAccept(why -> result.completeExceptionally(new EndedException(why)));
    }
    return taken;
  }

  /**
   * Always queued, also on the loop itself: so no callback runs within what called it. False if the
   * loop was shut down.
   */
  private boolean execute(Runnable task) {
    try {
      link.loop().execute(task);
      return true;
    } catch (RejectedExecutionException e) {
      return false;
    }
  }

  private String rule(ErrorCode broken) {
    return switch (broken) {
      case TEXT_EMPTY -> "a message has at least one visible character";
      case TEXT_TOO_LONG -> "a message has at most " + session.textMaxBytes() + " bytes";
      default -> "a message has no control characters but tabs, and is valid Unicode";
    };
  }
}
