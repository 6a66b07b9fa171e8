package simplechat.client;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import simplechat.client.ScriptedServer.Peer;
import simplechat.protocol.MessageCodec;
import simplechat.protocol.ServerMessage;

/** What a server says that has gone mad, or is out for harm. */
public final class Noise {
  private static final String[] TEXTS = {
    "hi", "\u001b[2J\u001b]0;x\u0007", "a\n12:00 eve: b", "\u202e\u200b\u2028", "x".repeat(70_000)
  };

  private static final boolean FULL = "full".equals(System.getProperty("chat.load"));

  private Noise() {}

  /** How many sessions a test has with it: a tenth in an ordinary build. */
  public static int sessions() {
    return Integer.getInteger("test.sessions", times(10_000));
  }

  /** How often, with {@code -Dchat.load=full}; a tenth of it in an ordinary build. */
  public static int times(int full) {
    return FULL ? full : full / 10;
  }

  /** Frames that could be true, in an order that is not, and some with a few bytes changed. */
  public static ByteBuf frames(Random random, int retryAfterSeconds) {
    ByteBuf bytes = Unpooled.buffer();
    List<ServerMessage> choice = new ArrayList<>();
    for (int i = 0; i < 12; i++) {
      choice.clear();
      choice.add(new ServerMessage.Msg(random.nextInt(4), 1, "bob", texts(random)));
      choice.add(new ServerMessage.Ack(random.nextInt(4), random.nextInt(3)));
      choice.add(new ServerMessage.Gap(random.nextInt(9), random.nextInt(3)));
      choice.add(new ServerMessage.Roster(random.nextBoolean(), List.of("bob")));
      choice.add(new ServerMessage.Refused(random.nextInt(500), random.nextInt(3), "no"));
      choice.add(new ServerMessage.Ping(random.nextInt()));
      choice.add(Peer.welcomeOf("alice", random.nextInt(4) - 1, random.nextInt(4), 1));
      choice.add(new ServerMessage.Bye(random.nextInt(500), retryAfterSeconds, "bye"));
      choice.add(new ServerMessage.Left(i, 1, 1, ServerMessage.LeftWhy.LOST, "bob"));
      MessageCodec.encode(choice.get(random.nextInt(choice.size())), bytes);
    }
    for (int i = random.nextInt(3); i > 0; i--) {
      bytes.setByte(random.nextInt(bytes.writerIndex()), random.nextInt(256));
    }
    return bytes.writerIndex(random.nextInt(bytes.writerIndex()) + 1);
  }

  private static String texts(Random random) {
    return TEXTS[random.nextInt(random.nextInt(20) == 0 ? TEXTS.length : TEXTS.length - 1)];
  }
}
