package simplechat.server;

import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The options of a room that several servers share. */
final class RedisOptions {
  @Option(
      names = "--redis",
      paramLabel = "URI",
      description =
          "share the room with all servers that use this Redis: redis://, rediss:// (TLS), or"
              + " redis-sentinel://, with user and password; the environment hides it from ps"
              + " (default: a room of its own)")
  private @Nullable String uri;

  @Option(
      names = "--redis-prefix",
      paramLabel = "NAME",
      defaultValue = "chat",
      description = "what the room's keys there begin with (default: ${DEFAULT-VALUE})")
  private String prefix = "";

  @Option(
      names = "--redis-maxlen",
      paramLabel = "N",
      defaultValue = "100000",
      description = "about how many events it keeps there (default: ${DEFAULT-VALUE})")
  private long maxLength;

  /** Null for a room of its own. */
  @Nullable String uri() {
    return uri;
  }

  String prefix() {
    return prefix;
  }

  long maxLength() {
    return maxLength;
  }
}
