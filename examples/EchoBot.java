import simplechat.client.ChatClient;
import simplechat.client.ChatListener;
import simplechat.client.ClientOptions;
import simplechat.client.Goodbye;
import simplechat.client.RoomEvent;

/**
 * A bot that greets whoever joins, and says back what follows the word "echo". When its connection
 * is lost it comes back by itself, and answers what was said meanwhile.
 *
 * <pre>
 *   ./chat server                                                      # in one terminal
 *   java -cp client/target/chat-client.jar examples/EchoBot.java       # in another
 *   ./chat client -u alice                                             # and: send echo hello
 * </pre>
 *
 * (The jar is there once {@code ./chat client} was started; HOST and PORT may stand at the end.)
 */
public final class EchoBot implements ChatListener {
  private static final String COMMAND = "echo ";
  private static final String USAGE = "usage: EchoBot [HOST [PORT]]";

  private volatile ChatClient client;

  public static void main(String[] args) {
    String given = String.join(" ", args);
    if (given.contains("--help")) {
      System.out.println(USAGE);
      return;
    }
    if (!given.matches("([^- ]\\S*( \\d{1,5})?)?")) {
      System.err.println(USAGE);
      System.exit(2);
    }
    String host = args.length > 0 ? args[0] : "127.0.0.1";
    int port = args.length > 1 ? Integer.parseInt(args[1]) : 8080;
    EchoBot bot = new EchoBot();
    ClientOptions options = ClientOptions.defaults().withReturn(ClientOptions.FOREVER);
    // Only a main may wait, as these join() do: nothing else here is called on a thread of ours.
    bot.client = ChatClient.connect(host, port, bot, options).toCompletableFuture().join();
    bot.client.join("echo", 0).toCompletableFuture().join();
    System.out.println("echo is in the chat");
    Goodbye goodbye = bot.client.ended().toCompletableFuture().join();
    System.out.println("gone: " + goodbye.ending() + " " + goodbye.code());
  }

  @Override
  public void message(RoomEvent.Message message) {
    if (message.text().startsWith(COMMAND)) {
      say(message.text().substring(COMMAND.length()));
    }
  }

  @Override
  public void joined(RoomEvent.Joined joined) {
    if (!joined.cameBack()) {
      say("welcome, " + joined.name() + "!");
    }
  }

  @Override
  public void lost(Goodbye why) {
    System.out.println("lost, looking for a way back");
  }

  /** The stage is completed once the room has it; a refusal is all that can be worth a line. */
  private void say(String text) {
    client
        .send(text)
        .whenComplete(
            (position, failure) -> {
              if (failure != null) {
                System.out.println("not said: " + failure);
              }
            });
  }
}
