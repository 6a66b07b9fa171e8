package simplechat.redis;

import static simplechat.redis.Request.bytes;

import io.lettuce.core.StreamMessage;
import java.security.SecureRandom;
import java.util.List;
import simplechat.room.Backplane;
import simplechat.room.NoRoomException;

/** The scripts' arguments, in their order. */
final class Calls {
  private static final int PUBLISH_FIXED = 7;

  private static final SecureRandom RANDOM = new SecureRandom();

  private Calls() {}

  /** A name, of a node or an epoch, that nobody has had. */
  static String unheardOf() {
    return String.format("%016x", RANDOM.nextLong());
  }

  static byte[][] publish(
      RedisSettings settings,
      RedisKeys keys,
      String epoch,
      String node,
      long first,
      List<Request> call) {
    byte[][] arguments = new byte[PUBLISH_FIXED + call.size() * (1 + Request.ARGUMENTS)][];
    arguments[0] = bytes(epoch);
    arguments[1] = bytes(node);
    arguments[2] = bytes(first);
    arguments[3] = bytes(settings.maxLength());
    arguments[4] = bytes(settings.resumeWindow().toMillis());
    arguments[5] = bytes(Backplane.LOST_MAX);
    arguments[6] = keys.leases();
    int at = PUBLISH_FIXED;
    for (Request request : call) {
      arguments[at++] = new byte[] {(byte) request.kind()};
      for (byte[] argument : request.arguments()) {
        arguments[at++] = argument;
      }
    }
    return arguments;
  }

  static byte[][] open(RedisSettings settings, RedisKeys keys, String broken, String node) {
    return new byte[][] {
      bytes(broken),
      bytes(unheardOf()),
      bytes(node),
      bytes(settings.lease().toMillis()),
      keys.leases()
    };
  }

  static byte[][] look(
      RedisSettings settings, RedisKeys keys, String epoch, String node, String lastId, long end) {
    return new byte[][] {
      bytes(epoch),
      bytes(node),
      bytes(lastId),
      bytes(end),
      bytes(settings.lease().toMillis()),
      bytes(settings.maxLength()),
      bytes(settings.resumeWindow().toMillis()),
      keys.leases()
    };
  }

  /** Where what can be read begins. */
  static long firstPosition(List<StreamMessage<byte[], byte[]>> page, long end) {
    for (StreamMessage<byte[], byte[]> message : page) {
      Entry entry = Entry.of(message.getId(), message.getBody());
      if (entry != null && entry.takesPosition()) {
        return entry.position();
      }
    }
    return end;
  }

  static NoRoomException noRoom(RedisSettings settings, Throwable e) {
    return new NoRoomException("cannot use Redis at " + settings.place() + ": " + reason(e));
  }

  /** What went wrong, in one line. */
  static String reason(Throwable e) {
    String reason = "";
    for (Throwable cause = e; cause != null; cause = cause.getCause()) {
      // What lies deepest says it best: that it could not connect is no news.
      reason = cause.getMessage() == null ? reason : cause.getMessage();
    }
    return reason
        .lines()
        .findFirst()
        .orElse("")
        .replaceFirst("^\\w+\\(\\.\\.\\) failed with error\\(-\\d+\\): ", "");
  }
}
