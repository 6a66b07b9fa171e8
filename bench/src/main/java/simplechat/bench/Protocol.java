package simplechat.bench;

import io.netty.buffer.ByteBufAllocator;

/** What a server speaks: ours, or that of another one that it is to be compared with. */
enum Protocol {
  chat(false),
  redis(true),
  nats(false),
  mqtt(true),
  irc(false);

  private final boolean echoes;

  Protocol(boolean echoes) {
    this.echoes = echoes;
  }

  /** True if who says something gets it too. */
  boolean echoes() {
    return echoes;
  }

  Voice voice(BenchMember member, ByteBufAllocator allocator, int textBytes) {
    return switch (this) {
      case chat -> new ChatVoice(member, allocator);
      case mqtt -> new MqttVoice(member, allocator);
      case redis, nats, irc -> new LineVoice(this, member, allocator, textBytes);
    };
  }
}
