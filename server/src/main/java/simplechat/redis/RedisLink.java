package simplechat.redis;

import io.lettuce.core.Limit;
import io.lettuce.core.Range;
import io.lettuce.core.ScriptOutputType;
import io.lettuce.core.StreamMessage;
import io.lettuce.core.XReadArgs;
import io.lettuce.core.api.StatefulRedisConnection;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Two connections to Redis, one to write and one that waits for what comes. Neither is ever mended:
 * what fails is closed, and a new link is made.
 *
 * <p>Threading: any; answers come on one of the server's event loops. Endings: {@link #close}.
 */
final class RedisLink {
  private static final Logger LOG = LoggerFactory.getLogger(RedisLink.class);
  private static final String NO_EVICTION = "noeviction";
  private static final Duration READ_WAITS = Duration.ofMillis(500);

  private final RedisKeys keys;
  private final StatefulRedisConnection<byte[], byte[]> writing;
  private final StatefulRedisConnection<byte[], byte[]> reading;

  private RedisLink(
      RedisKeys keys,
      StatefulRedisConnection<byte[], byte[]> writing,
      StatefulRedisConnection<byte[], byte[]> reading) {
    this.keys = keys;
    this.writing = writing;
    this.reading = reading;
  }

  /** Connects, and makes the scripts known. */
  static CompletionStage<RedisLink> open(LettuceClient client, RedisKeys keys) {
    return client
        .connect()
        .thenCompose(
            writing ->
                client
                    .connect()
                    .thenApply(reading -> new RedisLink(keys, writing, reading))
                    .whenComplete((link, e) -> closeIf(e != null, writing)))
        .thenCompose(RedisLink::load);
  }

  private static void closeIf(boolean failed, StatefulRedisConnection<byte[], byte[]> writing) {
    if (failed) {
      writing.closeAsync();
    }
  }

  private CompletionStage<RedisLink> load() {
    CompletionStage<RedisLink> loaded = null;
    for (Script script : Script.values()) {
      CompletionStage<RedisLink> one =
          writing.async().scriptLoad(script.source()).thenApply(digest -> this);
      loaded = loaded == null ? one : loaded.thenCombine(one, (a, b) -> this);
    }
    if (loaded == null) {
      throw new IllegalStateException("no scripts");
    }
    return loaded.whenComplete(
        (link, e) -> {
          if (e != null) {
            close();
          }
        });
  }

  /** Runs a script for a node. */
  CompletionStage<List<Object>> run(Script script, String node, byte[]... arguments) {
    return writing
        .async()
        .evalsha(script.digest(), ScriptOutputType.MULTI, keys.all(node), arguments);
  }

  /** The node lives no more; completes when both connections are gone. */
  CompletionStage<Void> release(String node) {
    return writing
        .async()
        .del(keys.lease(node))
        .handle((count, e) -> close())
        .thenCompose(closed -> closed);
  }

  /**
   * What comes behind this entry, as soon as there is something, or nothing after half a second.
   */
  @SuppressWarnings("unchecked") // an array of one, made by the compiler for the call
  CompletionStage<List<StreamMessage<byte[], byte[]>>> read(String after, int count) {
    return reading
        .async()
        .xread(
            XReadArgs.Builder.block(READ_WAITS).count(count),
            XReadArgs.StreamOffset.from(keys.log(), after));
  }

  /** What lies between these entries, the first of them not included. */
  CompletionStage<List<StreamMessage<byte[], byte[]>>> range(String after, String to, int count) {
    return reading
        .async()
        .xrange(
            keys.log(),
            Range.from(Range.Boundary.excluding(after), Range.Boundary.including(to)),
            Limit.from(count));
  }

  /** Warns if Redis may throw the room away. Not being allowed to ask is no reason to worry. */
  void warnOfEviction() {
    String setting = "maxmemory-policy";
    writing
        .async()
        .configGet(setting)
        .thenAccept(
            found -> {
              String policy = found.getOrDefault(setting, NO_EVICTION);
              if (!policy.equals(NO_EVICTION)) {
                LOG.warn("Redis may evict the room: {} is {}", setting, policy);
              }
            });
  }

  /** Completes when both connections are gone, those over TLS in order. */
  CompletionStage<Void> close() {
    return CompletableFuture.allOf(writing.closeAsync(), reading.closeAsync());
  }
}
