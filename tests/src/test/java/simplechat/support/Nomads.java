package simplechat.support;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import simplechat.protocol.ClientMessage;
import simplechat.protocol.ClientMessage.Hello;
import simplechat.protocol.FrameDecoder;
import simplechat.protocol.Limits;
import simplechat.protocol.MessageCodec;
import simplechat.protocol.ProtocolException;
import simplechat.protocol.ServerMessage;
import simplechat.protocol.ServerMessage.Ack;
import simplechat.protocol.ServerMessage.Left;
import simplechat.protocol.ServerMessage.LeftWhy;
import simplechat.protocol.ServerMessage.Msg;
import simplechat.protocol.ServerMessage.Welcome;

/**
 * Many members of one room on many servers. They speak in turn, evenly; who loses its server comes
 * back at another within two seconds, as clients do, and says again what had not arrived.
 *
 * <p>Each holds its stream against a {@link StreamCheck} and folds what is said into a {@link
 * Chain}, over all its connections.
 *
 * <p>Threading: they live while {@link #live} or {@link #settle} runs, on the thread that calls.
 */
public final class Nomads implements AutoCloseable {
  private static final int BUFFER_BYTES = 64 * 1024;
  private static final int COME_BACK_MAX_MILLIS = 2_000;

  /** In a text, behind when it was due. */
  private static final int NUMBER_AT = 17;

  private static final int AT_ONCE = 100;
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  private final List<@Nullable InetSocketAddress> servers = new ArrayList<>();
  private final List<Member> members = new ArrayList<>();
  private final List<Member> strangers = new ArrayList<>();
  private final Map<String, Member> byName = new HashMap<>();
  private final Map<String, Long> lostAtNanos = new HashMap<>();
  private final ByteBuffer in = ByteBuffer.allocate(BUFFER_BYTES);
  private final Selector selector;
  private final Random random;
  private long[] latencies = new long[1024];
  private int measured;
  private int said;

  private static final class Member {
    private final String name;
    private final List<String> texts = new ArrayList<>();
    private final Chain chain = Chain.ofOrder();
    private FrameDecoder decoder = new FrameDecoder(new UnpooledByteBufAllocator(false, true));
    private StreamCheck check = new StreamCheck();
    private int server;
    private @Nullable SocketChannel channel;
    private boolean welcomed;
    private long tryNanos;

    /** How many texts of it the first of all has heard. */
    private int heard;

    /** Since when it is where it is. */
    private long settledNanos = Long.MAX_VALUE;

    Member(String name) {
      this.name = name;
    }
  }

  public Nomads(List<InetSocketAddress> servers, Random random) {
    this.servers.addAll(servers);
    this.random = random;
    try {
      selector = Selector.open();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** So many come in, on all servers in turn. */
  public void join(int count) {
    for (int i = 0; i < count; i++) {
      Member member = new Member("m" + i);
      members.add(member);
      byName.put(member.name, member);
      connect(member, i % servers.size());
      if (i % AT_ONCE == AT_ONCE - 1 || i == count - 1) {
        until("joined", () -> members.stream().allMatch(joined -> joined.welcomed));
      }
    }
  }

  /** So many more on one server, who never speak, and do not come back when it is lost. */
  public List<String> joinStrangers(String prefix, int count, int server) {
    List<Member> joined = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      Member member = new Member(prefix + i);
      joined.add(member);
      connect(member, server);
    }
    strangers.addAll(joined);
    until("joined", () -> joined.stream().allMatch(member -> member.welcomed));
    return joined.stream().map(member -> member.name).toList();
  }

  /** Nobody goes there until it is {@link #found}. */
  public void lost(int server) {
    servers.set(server, null);
  }

  public void found(int server, InetSocketAddress address) {
    servers.set(server, address);
  }

  /** They say so many texts a second, for so long. */
  public void live(Duration time, int perSecond) {
    long began = System.nanoTime();
    long texts = time.toMillis() * perSecond / 1000;
    for (int i = 0; i < texts; i++) {
      long due = began + (long) (i * 1e9 / perSecond);
      while (due - System.nanoTime() > 0) {
        turn(due);
      }
      Member speaker = members.get(said++ % members.size());
      speaker.texts.add("%016x %d".formatted(due, speaker.texts.size() + 1));
      if (speaker.welcomed) {
        say(speaker, speaker.texts.size() - 1);
      }
      turn(System.nanoTime());
    }
  }

  /** Until everybody is there and has everything that was said, each text once. */
  public void settle() {
    until(
        "all of " + said + " texts by all",
        () ->
            members.stream()
                .allMatch(
                    member ->
                        member.chain.count() == said
                            && member.check.acknowledged() == member.texts.size()));
    assertThat(members).extracting(member -> member.chain.hash()).containsOnly(hash());
  }

  /** What all of them have heard, after {@link #settle}. */
  public long hash() {
    return members.get(0).chain.hash();
  }

  public int said() {
    return said;
  }

  /**
   * What the slowest of a hundred texts took, in nanoseconds, and forgets them. What was said by or
   * told to somebody who was on its way does not count.
   */
  public long p99() {
    long[] sorted = Arrays.copyOf(latencies, measured);
    Arrays.sort(sorted);
    measured = 0;
    return sorted[(sorted.length - 1) * 99 / 100];
  }

  /** Who was announced as lost, and when. */
  public Map<String, Long> lostAtNanos() {
    return lostAtNanos;
  }

  private void until(String what, BooleanSupplier condition) {
    long until = System.nanoTime() + PATIENCE.toNanos();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() - until > 0) {
        throw new AssertionError("not " + what + " within " + PATIENCE);
      }
      turn(System.nanoTime() + 5_000_000);
    }
  }

  private void turn(long untilNanos) {
    try {
      long now = System.nanoTime();
      for (Member member : members) {
        if (member.channel == null && now - member.tryNanos >= 0) {
          connect(member, nextOf(member.server));
        }
      }
      if (untilNanos - now > 1_000_000) {
        selector.select((untilNanos - now) / 1_000_000);
      } else {
        selector.selectNow();
      }
      for (SelectionKey key : selector.selectedKeys()) {
        read((Member) key.attachment());
      }
      selector.selectedKeys().clear();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Another one, at random. */
  private int nextOf(int server) {
    int next;
    do {
      next = random.nextInt(servers.size());
    } while (next == server || servers.get(next) == null);
    return next;
  }

  private void connect(Member member, int server) {
    member.server = server;
    Hello hello = new Hello(member.name, 0);
    if (member.check.isWelcomed()) {
      Welcome before = member.check.welcome();
      long next = member.check.expected();
      hello =
          new Hello(
              Limits.VERSION,
              Limits.VERSION,
              0,
              before.name(),
              null,
              new ClientMessage.Resume(before.token(), before.epoch(), next));
      StreamCheck check = new StreamCheck();
      check.carryOn(member.check);
      member.check = check;
      member.decoder = new FrameDecoder(new UnpooledByteBufAllocator(false, true));
    }
    try {
      SocketChannel channel = SocketChannel.open();
      member.channel = channel;
      channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
      InetSocketAddress address = servers.get(server);
      if (address == null) {
        throw new ConnectException("it is not there");
      }
      channel.connect(address);
      channel.configureBlocking(false);
      channel.register(selector, SelectionKey.OP_READ, member);
      write(member, hello);
    } catch (IOException e) {
      broken(member);
    }
  }

  private void broken(Member member) {
    SocketChannel channel = member.channel;
    try {
      if (channel != null) {
        channel.close();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    member.channel = null;
    member.welcomed = false;
    member.settledNanos = Long.MAX_VALUE;
    member.tryNanos = System.nanoTime() + random.nextInt(COME_BACK_MAX_MILLIS) * 1_000_000L;
  }

  private void write(Member member, ClientMessage... messages) {
    SocketChannel channel = member.channel;
    ByteBuf out = Unpooled.buffer();
    for (ClientMessage message : messages) {
      MessageCodec.encode(message, out);
    }
    ByteBuffer bytes = out.nioBuffer();
    try {
      while (channel != null && bytes.hasRemaining()) {
        channel.write(bytes);
      }
    } catch (IOException e) {
      // What it reads tells that, too.
    }
  }

  private void say(Member member, int from) {
    write(
        member,
        member.texts.stream()
            .skip(from)
            .map(ClientMessage.Send::new)
            .toArray(ClientMessage[]::new));
  }

  private void read(Member member) {
    SocketChannel channel = member.channel;
    in.clear();
    int count;
    try {
      count = channel == null ? -1 : channel.read(in);
    } catch (IOException e) {
      count = -1;
    }
    if (count < 0) {
      broken(member);
      return;
    }
    try {
      member.decoder.decode(Unpooled.wrappedBuffer(in.flip()), new Frames(member));
    } catch (ProtocolException e) {
      throw new AssertionError(member.name + " got what may not be sent", e);
    }
  }

  private void take(Member member, ServerMessage message) {
    try {
      member.check.accept(message);
    } catch (AssertionError e) {
      throw new AssertionError(member.name + ": " + e.getMessage(), e);
    }
    if (message instanceof Msg msg) {
      member.chain.add(0, msg.name(), msg.text());
      Member sender = byName.get(msg.name());
      if (sender == null) {
        throw new AssertionError("nobody said " + msg);
      }
      if (member == members.get(0)) {
        int number = Integer.parseInt(msg.text().substring(NUMBER_AT));
        assertThat(number).as("%s", msg).isEqualTo(++sender.heard);
      }
      measure(member, sender, msg);
    } else if (message instanceof Ack ack) {
      for (int own = member.check.acknowledgedBefore(); own < ack.sendNo(); own++) {
        member.chain.add(0, member.name, member.texts.get(own));
      }
    } else if (message instanceof Left left && left.why() == LeftWhy.LOST) {
      if (member == members.get(0)) {
        assertThat(lostAtNanos.put(left.name(), System.nanoTime())).as("%s", left).isNull();
      }
    } else if (message instanceof ServerMessage.Ping ping) {
      write(member, new ClientMessage.Pong(ping.opaque()));
    } else if (message instanceof Welcome welcome) {
      welcomed(member, welcome);
    } else if (message instanceof ServerMessage.Refused refused) {
      throw new AssertionError(member.name + " got " + refused);
    }
  }

  private void welcomed(Member member, Welcome welcome) {
    assertThat(welcome.resumed())
        .as("%s resumed, acknowledged %d", member.name, member.check.acknowledged())
        .isEqualTo(member.tryNanos != 0);
    assertThat(welcome.received())
        .as("received of %s", member.name)
        .isBetween(member.check.acknowledged(), member.texts.size());
    member.welcomed = true;
    member.settledNanos = System.nanoTime();
    say(member, welcome.received());
  }

  private void measure(Member member, Member sender, Msg msg) {
    long dueNanos = Long.parseUnsignedLong(msg.text(), 0, NUMBER_AT - 1, 16);
    if (member.settledNanos - dueNanos > 0 || sender.settledNanos - dueNanos > 0) {
      return;
    }
    if (measured == latencies.length) {
      latencies = Arrays.copyOf(latencies, 2 * measured);
    }
    latencies[measured++] = System.nanoTime() - dueNanos;
  }

  @Override
  public void close() {
    try {
      for (List<Member> all : List.of(members, strangers)) {
        for (Member member : all) {
          if (member.channel != null) {
            member.channel.close();
          }
        }
      }
      selector.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private final class Frames implements FrameDecoder.Sink {
    private final Member member;

    Frames(Member member) {
      this.member = member;
    }

    @Override
    public boolean header(int type, int length) {
      return true;
    }

    @Override
    public boolean frame(int type, ByteBuf buffer, int index, int length) throws ProtocolException {
      ServerMessage message = MessageCodec.decodeServer(type, buffer, index, length);
      if (message == null) {
        throw new AssertionError("an unknown type " + type);
      }
      take(member, message);
      return true;
    }
  }
}
