package simplechat.cli;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import simplechat.client.BackOff;
import simplechat.client.CannotConnectException;
import simplechat.client.ChatClient;
import simplechat.client.ClientOptions;
import simplechat.client.EndedException;
import simplechat.client.Goodbye;
import simplechat.client.JoinRequest;
import simplechat.client.RefusedException;
import simplechat.protocol.ErrorCode;

/**
 * A run of the program, from the door to the street: connect, join, talk, go. The main thread runs
 * it, and is the only one here that waits.
 */
final class Visit {
  private static final int HISTORY_AT_TERMINAL = 10;
  private static final long POLL_MILLIS = 20;
  private static final long PERSON_PATIENCE_MILLIS = 1_500;
  private static final long PIPE_PATIENCE_MILLIS = 30_000;

  /** Of a pipe: nobody looks longer for a way back; a person says when it is enough. */
  static final ClientOptions PIPE =
      ClientOptions.defaults()
          .withTimeouts(Duration.ofSeconds(4), Duration.ofSeconds(5))
          .withReturn(Duration.ofSeconds(30));

  private final Settings settings;
  private final Transcript transcript;
  private final Input input;
  private final Interrupts interrupts;
  private final LongSupplier nanoTime;
  private final ClientOptions options;
  private final Printer printer;
  private final String address;
  private volatile @Nullable Conversation current;
  private @Nullable BackOff backOff;
  private boolean lostTexts;
  private boolean unread;

  Visit(
      Settings settings, Transcript transcript, Input input, Screen screen, Interrupts interrupts) {
    this(settings, transcript, input, screen, interrupts, PIPE, System::nanoTime);
  }

  /**
   * @param pipe what {@link #PIPE} is otherwise
   * @param nanoTime by which the patience with a server is measured, monotonic
   */
  Visit(
      Settings settings,
      Transcript transcript,
      Input input,
      Screen screen,
      Interrupts interrupts,
      ClientOptions pipe,
      LongSupplier nanoTime) {
    this.settings = settings;
    this.transcript = transcript;
    this.input = input;
    this.interrupts = interrupts;
    this.nanoTime = nanoTime;
    boolean patient = input.interactive() || settings.retry();
    this.options =
        (patient ? pipe.withReturn(ClientOptions.FOREVER) : pipe)
            .withTls(settings.admission().trust())
            .withKeyInTheOpen(settings.admission().insecure());
    this.printer = new Printer(screen, this::drained, this::leave);
    this.address = settings.host() + ":" + settings.port();
  }

  /** The exit code. What has to be said is printed when it returns. */
  int run() throws InterruptedException {
    Thread main = Thread.currentThread();
    interrupts.begin(() -> interrupt(main));
    int exitCode = ExitCode.ERROR;
    boolean read;
    try {
      exitCode = enter();
    } catch (CannotConnectException e) {
      printer.complain(Line.of(String.valueOf(e.getMessage())));
    } finally {
      read = printer.finish(this::patienceMillis);
    }
    if (!read && !input.interactive()) {
      printer.salvage();
    }
    boolean inOrder = read || input.interactive() || exitCode != ExitCode.OK;
    return inOrder ? exitCode : ExitCode.ERROR;
  }

  /**
   * How long nothing may go on. Who asked for the end waits no longer than a person, and nobody
   * waits for the same reader twice.
   */
  private long patienceMillis() {
    return input.interactive() || interrupts.exitCode() != 0 || unread
        ? PERSON_PATIENCE_MILLIS
        : PIPE_PATIENCE_MILLIS;
  }

  private int enter() throws InterruptedException, CannotConnectException {
    String name = settings.username();
    if (name == null) {
      name = askName("your name: ", null);
    }
    boolean asked = false;
    ChatClient client = null;
    while (name != null) {
      try {
        if (client == null || hasEnded(client)) {
          client = connect();
        }
        await(client.join(new JoinRequest(name, history(), settings.admission().key(), null)));
        Goodbye goodbye = talk(client);
        if (goodbye == null || goodbye.ending() != Goodbye.Ending.REFUSED) {
          return say(goodbye);
        }
        client = null;
        asked = true;
        listUnconfirmed();
        current = null;
        name = anotherName(goodbye.code(), goodbye.text(), name);
      } catch (CannotConnectException failure) {
        if (!settings.retry()) {
          throw failure;
        }
        awaitRetry(String.valueOf(failure.getMessage()), 0);
      } catch (RefusedException refusal) {
        name = anotherName(refusal.code(), String.valueOf(refusal.getMessage()), name);
        asked = true;
      } catch (EndedException end) {
        Goodbye goodbye = end.goodbye();
        String why = Farewell.textAtTheDoor(goodbye, address);
        if (asked && tiredOfWaiting(goodbye)) {
          asked = false;
        } else if (settings.retry() && goodbye.allowsReturn()) {
          awaitRetry(why, goodbye.retryAfterSeconds());
        } else {
          printer.complain(Line.of(why));
          return goodbye.says(ErrorCode.SERVER_FULL) ? ExitCode.REFUSED : ExitCode.ERROR;
        }
        client = null;
      }
    }
    if (interrupts.exitCode() != 0) {
      return interrupts.exitCode();
    }
    return asked ? ExitCode.REFUSED : ExitCode.USAGE;
  }

  /** Says once why nobody is let in yet, and waits until it is time to try again. */
  private void awaitRetry(String why, int retryAfterSeconds) throws InterruptedException {
    if (backOff == null) {
      backOff = new BackOff(options.jitter(), options.nanoTime());
      printer.complain(Line.of(why + " - trying again"));
    }
    Thread.sleep(backOff.next(retryAfterSeconds).toMillis());
  }

  private ChatClient connect() throws InterruptedException, CannotConnectException {
    Conversation conversation =
        new Conversation(printer, settings, transcript, input.interactive());
    try {
      ChatClient client =
          await(ChatClient.connect(settings.host(), settings.port(), conversation, options));
      conversation.use(client);
      current = conversation;
      return client;
    } catch (RefusedException | EndedException e) {
      throw new AssertionError(e);
    }
  }

  /** The server closes a connection on which nobody joins; a person may think longer than that. */
  private static boolean tiredOfWaiting(Goodbye goodbye) {
    return goodbye.ending() == Goodbye.Ending.LOST || goodbye.says(ErrorCode.JOIN_TIMEOUT);
  }

  /** What to try instead; null to give up, and then the reason has been printed. */
  private @Nullable String anotherName(int code, String reason, String refused) {
    ErrorCode why = ErrorCode.of(code);
    boolean aboutTheName = why == ErrorCode.NAME_TAKEN || why == ErrorCode.NAME_INVALID;
    Line line =
        why == ErrorCode.NAME_TAKEN
            ? Line.of("the name ").addName(refused).add(Line.Look.PLAIN, " is taken")
            : Line.of("join refused: " + reason);
    printer.complain(line);
    return aboutTheName ? askName("another name", NameOffer.after(refused)) : null;
  }

  /**
   * Asks until the answer can be a name.
   *
   * @param offered what an empty answer stands for, null if for nothing
   */
  private @Nullable String askName(String question, @Nullable String offered) {
    String whole = offered == null ? question : question + " [" + offered + "]: ";
    String answer = input.ask(whole);
    while (answer != null) {
      String name = answer.isBlank() && offered != null ? offered : answer.strip();
      String fault = NameOffer.fault(name);
      if (fault == null) {
        return name;
      }
      printer.complain(Line.of(fault));
      answer = input.ask(whole);
    }
    return null;
  }

  private Conversation conversation() {
    Conversation conversation = current;
    if (conversation == null) {
      throw new AssertionError("joined without a connection");
    }
    return conversation;
  }

  /** Null if the server takes too long to let us go. */
  private @Nullable Goodbye talk(ChatClient client) throws InterruptedException {
    Conversation conversation = conversation();
    input.start(conversation);
    Goodbye goodbye = awaitEnd(client.ended().toCompletableFuture(), conversation);
    input.stop();
    return goodbye;
  }

  private @Nullable Goodbye awaitEnd(CompletableFuture<Goodbye> ended, Conversation conversation)
      throws InterruptedException {
    try {
      CompletableFuture.anyOf(ended, conversation.leaving()).get();
    } catch (ExecutionException e) {
      throw new AssertionError(e);
    }
    long progress = 0;
    long since = nanoTime.getAsLong();
    while (true) {
      try {
        return ended.get(POLL_MILLIS, TimeUnit.MILLISECONDS);
      } catch (ExecutionException e) {
        throw new AssertionError(e);
      } catch (TimeoutException e) {
        long patienceMillis = patienceMillis();
        long progressNow = conversation.unconfirmed().progress() + printer.progress();
        boolean searching = settings.retry() && conversation.offline();
        boolean patient = patienceMillis == PIPE_PATIENCE_MILLIS;
        if (patient && (searching || progressNow != progress)) {
          since = nanoTime.getAsLong();
          progress = progressNow;
        }
        long waitedMillis = TimeUnit.NANOSECONDS.toMillis(nanoTime.getAsLong() - since);
        if (waitedMillis > patienceMillis) {
          unread = printer.isFull();
          return null;
        }
      }
    }
  }

  private int say(@Nullable Goodbye goodbye) {
    boolean inOrder = goodbye != null && goodbye.inOrder();
    if (inOrder) {
      printer.print(Line.of("left the chat"));
    } else {
      printer.complain(Line.notice(goodbye == null ? whoIsSlow() : Farewell.text(goodbye)));
    }
    listUnconfirmed();
    return inOrder && !lostTexts ? ExitCode.OK : ExitCode.ERROR;
  }

  private String whoIsSlow() {
    return unread ? "nobody reads the output" : "the server does not answer";
  }

  private void listUnconfirmed() {
    Unconfirmed unconfirmed = conversation().unconfirmed();
    unconfirmed.takeLost().forEach(text -> printer.complain(Transcript.unconfirmed(text)));
    unconfirmed.texts().forEach(text -> printer.complain(Transcript.unconfirmed(text)));
    lostTexts |= !unconfirmed.allConfirmed();
  }

  private int history() {
    Integer asked = settings.history();
    if (asked != null) {
      return asked;
    }
    return input.interactive() ? HISTORY_AT_TERMINAL : 0;
  }

  /** A member leaves; whoever is still at the door just goes. */
  private void interrupt(Thread main) {
    Conversation conversation = current;
    if (conversation != null && conversation.joined()) {
      conversation.leave();
    } else {
      main.interrupt();
    }
  }

  private void leave() {
    Conversation conversation = current;
    if (conversation != null) {
      conversation.leave();
    }
  }

  private void drained() {
    Conversation conversation = current;
    if (conversation != null) {
      conversation.drained();
    }
  }

  private static boolean hasEnded(ChatClient client) {
    return client.ended().toCompletableFuture().isDone();
  }

  private static <T> T await(CompletionStage<T> stage)
      throws InterruptedException, CannotConnectException, RefusedException, EndedException {
    try {
      return stage.toCompletableFuture().get();
    } catch (ExecutionException e) {
      Throwable cause = e.getCause();
      if (cause instanceof CannotConnectException cannotConnect) {
        throw cannotConnect;
      }
      if (cause instanceof RefusedException refused) {
        throw refused;
      }
      if (cause instanceof EndedException ended) {
        throw ended;
      }
      throw new AssertionError(e);
    }
  }
}
