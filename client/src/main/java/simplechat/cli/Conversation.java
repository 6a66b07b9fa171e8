package simplechat.cli;

import static java.util.concurrent.TimeUnit.MILLISECONDS;
import static java.util.concurrent.TimeUnit.SECONDS;

import java.time.Duration;
import java.time.LocalDate;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import simplechat.cli.Screen.Item;
import simplechat.cli.Screen.Kind;
import simplechat.client.BacklogFullException;
import simplechat.client.ChatClient;
import simplechat.client.ChatListener;
import simplechat.client.EndedException;
import simplechat.client.Goodbye;
import simplechat.client.RoomEvent;
import simplechat.protocol.ServerMessage.Welcome;

/**
 * One stay in the room: what is typed goes out, what happens is shown.
 *
 * <p>Threading: the listener's methods run on the client's event loop, the others on the thread of
 * the input; neither waits for the screen.
 */
final class Conversation implements ChatListener {
  private static final String HELP = "send <message>, who, leave (Ctrl-D), help";

  /** Up to here the names of those who are here are worth a line that nobody asked for. */
  private static final int FEW_MEMBERS = 20;

  /** An answer that takes longer than this is worth a mark; a shorter one would only flicker. */
  private static final Executor LATE = CompletableFuture.delayedExecutor(500, MILLISECONDS);

  private final Printer printer;
  private final Settings settings;
  private final boolean interactive;
  private final Transcript transcript;
  private final Doorway doorway;
  private final Journal journal;
  private final Unconfirmed unconfirmed = new Unconfirmed();
  private final RecentNames recentNames = new RecentNames();
  private final Earlier earlier;
  private volatile String ownName = "";
  private volatile @Nullable ChatClient client;
  private volatile boolean offline;

  /** Of the last event that was shown as it happened. */
  private LocalDate day;

  private final CompletableFuture<@Nullable Void> leaving = new CompletableFuture<>();
  private long lastBellNanos = System.nanoTime() - SECONDS.toNanos(1);

  Conversation(Printer printer, Settings settings, Transcript transcript, boolean interactive) {
    this.printer = printer;
    this.settings = settings;
    this.interactive = interactive;
    this.transcript = transcript;
    this.doorway = new Doorway(transcript, this::printEvent);
    this.day = transcript.today();
    this.journal = new Journal(settings, this::show);
    this.earlier = new Earlier(transcript, this::print);
  }

  /** To be called before the join. */
  void use(ChatClient joined) {
    client = joined;
  }

  Unconfirmed unconfirmed() {
    return unconfirmed;
  }

  RecentNames recentNames() {
    return recentNames;
  }

  /** True from the welcome on. */
  boolean joined() {
    return !ownName.isEmpty();
  }

  /** True while the connection is lost. */
  boolean offline() {
    return offline;
  }

  /** True while no answer can come. */
  boolean hearsNothing() {
    return offline || printer.isFull();
  }

  /** What stands before what is typed. */
  String prompt() {
    int waiting = unconfirmed.marked();
    String pending = waiting == 0 ? "" : waiting + " pending";
    String state = offline ? waiting == 0 ? "offline" : "offline, " + pending : pending;
    return Sanitiser.name(ownName) + (state.isEmpty() ? "" : " (" + state + ")") + "> ";
  }

  @Override
  public void welcome(Welcome welcome) {
    boolean first = !joined();
    ownName = welcome.name();
    journal.welcome(welcome);
    earlier.begin(welcome.resumed());
    if (first) {
      greet(welcome);
    } else {
      connected(true);
    }
    if (!first && !welcome.resumed()) {
      print(Line.notice("history was lost"));
      unconfirmed.takeLost().forEach(text -> printer.complain(Transcript.unconfirmed(text)));
    }
  }

  private void greet(Welcome welcome) {
    print(transcript.welcome(welcome));
    if (!welcome.greeting().isBlank()) {
      print(transcript.greeting(welcome.greeting()));
    }
    long members = Integer.toUnsignedLong(welcome.members());
    if (interactive && members > 1 && members <= FEW_MEMBERS) {
      who();
    }
  }

  @Override
  public void lost(Goodbye why) {
    journal.lost(why);
    earlier.end();
    // Before it is told: who reads it and says leave at once must not wait for a way back.
    connected(false);
    if (why.ending() == Goodbye.Ending.BYE) {
      print(Line.notice(Farewell.text(why)));
    }
    print(Line.notice("connection lost, reconnecting"));
  }

  @Override
  public void back(Duration away, long missed) {
    journal.back(away, missed);
    earlier.end();
    print(transcript.back(away, missed));
  }

  @Override
  public void live() {
    journal.live();
    earlier.end();
  }

  @Override
  public void message(RoomEvent.Message message) {
    journal.message(message);
    recentNames.add(message.name());
    Line line = transcript.message(message, ownName);
    if (message.replayed() && earlier.hold(line)) {
      return;
    }
    doorway.flush();
    printEvent(message, line);
    if (settings.bell() && Transcript.mentions(message.text(), ownName)) {
      ring();
    }
  }

  @Override
  public void confirmed(long position, String text) {
    journal.said(position, text);
  }

  @Override
  public void joined(RoomEvent.Joined joined) {
    journal.joined(joined);
    recentNames.add(joined.name());
    if (!settings.quiet() && !joined.replayed()) {
      doorway.add(joined);
    }
  }

  @Override
  public void left(RoomEvent.Left left) {
    journal.left(left);
    recentNames.remove(left.name());
    if (!settings.quiet() && !left.replayed()) {
      doorway.add(left);
    }
  }

  @Override
  public void gap(long missed) {
    journal.gap(missed);
    if (!earlier.holdGap(missed)) {
      print(transcript.gap(missed));
    }
  }

  @Override
  public void refused(int code, String text) {
    complain("the server refuses: " + text);
  }

  @Override
  public void ended(Goodbye goodbye) {
    journal.ended(goodbye);
    doorway.flush();
    unconfirmed.end();
  }

  /** Does what a line of input asks for, false if it was the last. */
  boolean execute(Command command) {
    if (command instanceof Command.Send send) {
      send(send.text());
    } else if (command instanceof Command.Who) {
      who();
    } else if (command instanceof Command.Help) {
      print(Line.of(HELP));
    } else if (command instanceof Command.Wrong wrong) {
      complain(wrong.answer());
    }
    return !(command instanceof Command.Leave);
  }

  /** The reason why a text could not be sent, null if it could. */
  @Nullable String fault(String text) {
    ChatClient joined = client;
    return Command.fault(text, joined == null ? 0 : joined.textMaxBytes());
  }

  /** Prints a line that is about the input. */
  void complain(String text) {
    doorway.flush();
    show(new Item(Line.of(text), Kind.COMPLAINT));
  }

  /** Whether more input makes sense. */
  boolean stopped() {
    return leaving.isDone();
  }

  /** Completed by {@link #leave}. */
  CompletableFuture<@Nullable Void> leaving() {
    return leaving;
  }

  /** Asks the server to let us go, after all that was sent; without a connection just goes. */
  void leave() {
    if (offline && client != null) {
      leaving.complete(null);
      client.close();
    } else {
      endOfInput();
    }
  }

  /** Same, but what was sent is delivered even if a connection must be found for it. */
  void endOfInput() {
    leaving.complete(null);
    ChatClient joined = client;
    if (joined != null) {
      if (interactive) { // A person who goes does not wait for a screen that is stuck.
        joined.resume();
      }
      joined.leave();
    }
  }

  /** The screen has room again. */
  void drained() {
    ChatClient joined = client;
    if (joined != null) {
      joined.resume();
    }
  }

  private void send(String text) {
    ChatClient joined = client;
    String fault = fault(text);
    if (joined == null || fault != null) {
      unconfirmed.refuse();
      complain("not sent: " + fault);
      return;
    }
    long ticket = unconfirmed.add(text);
    joined
        .send(text)
        .whenComplete(
            (position, failure) -> {
              if (failure == null) {
                unconfirmed.confirm(ticket);
              } else if (failure instanceof EndedException) {
                unconfirmed.lose(ticket);
              } else {
                unconfirmed.refuse(ticket);
                complain("not sent: " + failure.getMessage() + ": " + text);
              }
              refreshPrompt();
            });
    if (interactive) {
      LATE.execute(
          () -> {
            if (unconfirmed.isLate(ticket)) {
              refreshPrompt();
            }
          });
      if (offline) {
        refreshPrompt();
      }
    }
  }

  private void who() {
    ChatClient joined = client;
    if (joined != null) {
      awaitInPipe(
          joined
              .who()
              .whenComplete(
                  (names, failure) -> {
                    if (failure == null) {
                      journal.roster(names);
                      print(transcript.roster(names));
                    } else if (offline || failure instanceof BacklogFullException) {
                      complain(
                          "who: " + (offline ? "not known while offline" : failure.getMessage()));
                    }
                  }));
    }
  }

  private void connected(boolean now) {
    offline = !now;
    unconfirmed.offline(offline);
    refreshPrompt();
  }

  private void refreshPrompt() {
    if (interactive) {
      printer.prompt(this::prompt);
    }
  }

  /**
   * A script's next line counts after this one; a person can see that the answer is not there yet.
   */
  private void awaitInPipe(CompletionStage<?> answer) {
    if (!interactive) {
      try {
        answer.toCompletableFuture().orTimeout(Unconfirmed.PATIENCE_SECONDS, SECONDS).join();
      } catch (CompletionException e) {
        // Else the end of the connection, which is told elsewhere, or a refusal, which the server
        // explains.
        if (e.getCause() instanceof TimeoutException) {
          complain("who: no answer");
        }
      }
    }
  }

  private void print(Line line) {
    doorway.flush();
    show(new Item(line, Kind.TALK));
  }

  private synchronized void printEvent(RoomEvent event, Line line) {
    LocalDate then = transcript.dayOf(event);
    if (!then.equals(day)) {
      day = then;
      show(new Item(transcript.day(then), Kind.TALK));
    }
    show(new Item(line, Kind.TALK));
  }

  private void show(Item item) {
    printer.add(item);
    ChatClient joined = client;
    if (joined != null && !(interactive && stopped())) {
      printer.ifFull(joined::pause);
    }
  }

  private void ring() {
    long now = System.nanoTime();
    if (now - lastBellNanos >= SECONDS.toNanos(1)) {
      lastBellNanos = now;
      printer.ring();
    }
  }
}
