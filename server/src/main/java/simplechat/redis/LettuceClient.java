package simplechat.redis;

import io.lettuce.core.ClientOptions;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisURI;
import io.lettuce.core.SocketOptions;
import io.lettuce.core.TimeoutOptions;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.protocol.ProtocolVersion;
import io.lettuce.core.resource.ClientResources;
import io.netty.channel.EventLoopGroup;
import java.time.Duration;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;

/**
 * Lettuce on the server's own event loops: what fails, fails at once, and is neither repeated nor
 * mended by it.
 *
 * <p>Threading: any. Endings: {@link #close}.
 */
final class LettuceClient {
  private static final Duration COMMAND = Duration.ofSeconds(2);

  private final ClientResources resources;
  private final RedisURI uri;
  private final RedisClient client;

  LettuceClient(String uri, EventLoopGroup loops) {
    // Before any class of Lettuce chooses the kind of its sockets.
    SharedLoops shared = new SharedLoops(loops);
    this.resources =
        ClientResources.builder().eventLoopGroupProvider(shared).eventExecutorGroup(loops).build();
    this.uri = RedisURI.create(uri);
    this.uri.setTimeout(COMMAND);
    this.client = RedisClient.create(resources, this.uri);
    client.setOptions(
        ClientOptions.builder()
            .autoReconnect(false)
            .disconnectedBehavior(ClientOptions.DisconnectedBehavior.REJECT_COMMANDS)
            .protocolVersion(ProtocolVersion.RESP2)
            .timeoutOptions(TimeoutOptions.enabled(COMMAND))
            .socketOptions(SocketOptions.builder().connectTimeout(COMMAND).build())
            .build());
  }

  CompletionStage<StatefulRedisConnection<byte[], byte[]>> connect() {
    return client.connectAsync(ByteArrayCodec.INSTANCE, uri);
  }

  void close() {
    client
        .shutdownAsync(0, COMMAND.toMillis(), TimeUnit.MILLISECONDS)
        .whenComplete(
            (done, e) -> {
              // Its timer waits for a thread of its own to end.
              Thread last = new Thread(resources::shutdown, "redis-close");
              last.setDaemon(true);
              last.start();
            });
  }
}
