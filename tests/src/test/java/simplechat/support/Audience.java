package simplechat.support;

import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import simplechat.protocol.ClientMessage;
import simplechat.protocol.ClientMessage.Hello;
import simplechat.protocol.MessageType;

/**
 * Many members of a server in another process, read by one thread: they show life, fold what is
 * said into chains, and measure how long each text took that {@link #say} said.
 *
 * <p>Threading: one thread calls; the members are read by another. Endings: {@link #close} resets
 * them all. A member that the server closes is counted by the code it was told, 0 for none.
 */
public final class Audience implements AutoCloseable {
  private static final int HEADER_BYTES = 4;
  private static final int BUFFER_BYTES = 256 * 1024;
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final long LIFE_NANOS = Duration.ofMillis(500).toNanos();
  private static final int LATENCIES_MAX = 2_000_000;
  private static final int STEP = 100;

  private final InetSocketAddress address;
  private final Selector selector;
  private final Thread reader;
  private final List<Member> members = new ArrayList<>();
  private final List<Runnable> tasks = new ArrayList<>();
  private final ByteBuffer in = ByteBuffer.allocate(BUFFER_BYTES);
  private final Map<Integer, Integer> closedBy = new TreeMap<>();
  private final AtomicInteger joined = new AtomicInteger();
  private final AtomicInteger rosters = new AtomicInteger();
  private final AtomicInteger gaps = new AtomicInteger();
  private long[] latencies = new long[1024];
  private int measured;
  private int spoken;
  private volatile boolean ended;
  private volatile boolean silentUntilAsked;
  private volatile @Nullable Throwable failure;

  /** One member, who reads. */
  private static final class Member {
    private final SocketChannel channel;
    private byte[] rest = new byte[0];
    private int bye;
    private long heardNanos = System.nanoTime();
    private long hash = 1;
    private int said;
    private int acknowledged;
    private volatile boolean paused;

    Member(SocketChannel channel) {
      this.channel = channel;
    }
  }

  public Audience(InetSocketAddress address) {
    this.address = address;
    try {
      selector = Selector.open();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    reader = new Thread(this::read, "audience");
    reader.setDaemon(true);
    reader.start();
  }

  /** So many more members, who read all they get. */
  public Audience join(String prefix, int count) {
    int before = joined.get();
    for (int i = 0; i < count; i++) {
      Member member = new Member(open(0));
      members.add(member);
      hello(member.channel, prefix + i);
      onReader(() -> register(member));
      if (i % 200 == 199) {
        await("joined", () -> joined.get() >= members.size() - 100);
      }
    }
    await("joined", () -> joined.get() == before + count);
    return this;
  }

  /** So many members who never read, which is up to the caller to end. */
  public List<SocketChannel> joinDeaf(String prefix, int count) {
    List<SocketChannel> deaf = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      SocketChannel channel = open(4096);
      hello(channel, prefix + i);
      deaf.add(channel);
    }
    return deaf;
  }

  /** True for members that show no life but by the answer to a PING. */
  public void speakWhenAsked(boolean alone) {
    silentUntilAsked = alone;
  }

  /** The last {@code count} members do not read for a while, or read again. */
  public void pause(int count, boolean pause) {
    onReader(
        () -> {
          for (Member member : members.subList(members.size() - count, members.size())) {
            member.paused = pause;
            SelectionKey key = member.channel.keyFor(selector);
            if (key != null && key.isValid()) {
              key.interestOps(pause ? 0 : SelectionKey.OP_READ);
            }
          }
        });
  }

  /** The first members say so many texts a second in turn, all in all so many. */
  public void say(int perSecond, int bytes, int texts) {
    long began = System.nanoTime();
    byte[] padding = "x".repeat(Math.max(0, bytes - 17)).getBytes(StandardCharsets.US_ASCII);
    for (int i = 0; i < texts; i++) {
      long due = began + (long) (i * 1e9 / perSecond);
      while (due - System.nanoTime() > 0) {
        LockSupport.parkNanos(due - System.nanoTime());
      }
      byte[] stamp = "t%016x".formatted(System.nanoTime()).getBytes(StandardCharsets.US_ASCII);
      ByteBuffer send =
          ByteBuffer.allocate(HEADER_BYTES + stamp.length + padding.length)
              .putInt((MessageType.SEND.code() << 24) | (stamp.length + padding.length))
              .put(stamp)
              .put(padding);
      write(members.get(i % Math.min(10, members.size())).channel, send.flip());
    }
    spoken += texts;
  }

  /** The same, a few at a time, so that who reads never lags by more than these. */
  public void sayAsRead(int perSecond, int bytes, int texts) {
    for (int said = 0; said < texts; said += STEP) {
      say(perSecond, bytes, Math.min(STEP, texts - said));
      awaitTexts(spoken);
    }
  }

  /** So many ask who is there; waits until all of them have all of the answer. */
  public void askWhoIsThere(int askers) {
    byte[] who = RawPeer.bytesOf(new ClientMessage.Who());
    for (Member member : members.subList(0, askers)) {
      write(member.channel, ByteBuffer.wrap(who));
    }
    await("told who is there", () -> rosters.get() == askers);
  }

  /** Waits until everybody who reads has got so many texts, own ones included, since the start. */
  public void awaitTexts(int texts) {
    await(
        texts + " texts",
        () ->
            members.stream()
                .filter(member -> !member.paused && member.bye == 0)
                .allMatch(member -> member.said + member.acknowledged >= texts));
  }

  /** What the slowest of a hundred texts took, in nanoseconds, and forgets them. */
  public long p99() {
    Future<Long> result =
        onReader(
            () -> {
              long[] sorted = Arrays.copyOf(latencies, measured);
              Arrays.sort(sorted);
              measured = 0;
              return sorted.length == 0 ? 0L : sorted[(sorted.length - 1) * 99 / 100];
            });
    return get(result);
  }

  public int gaps() {
    return gaps.get();
  }

  /** How many were closed by each code. */
  public Map<Integer, Integer> closedBy() {
    return get(onReader(() -> Map.copyOf(closedBy)));
  }

  /** The different chains of those who only listened; one if all is well. */
  public Set<Long> chains() {
    return get(
        onReader(
            () ->
                members.stream().skip(10).map(member -> member.hash).collect(Collectors.toSet())));
  }

  private void await(String what, BooleanSupplier condition) {
    long until = System.nanoTime() + PATIENCE.toNanos();
    while (!get(onReader(condition::getAsBoolean))) {
      if (System.nanoTime() - until > 0) {
        throw new AssertionError("not " + what + " within " + PATIENCE + ", closed " + closedBy());
      }
      LockSupport.parkNanos(2_000_000);
    }
  }

  private SocketChannel open(int receiveBufferBytes) {
    try {
      SocketChannel channel = SocketChannel.open();
      if (receiveBufferBytes > 0) {
        channel.setOption(StandardSocketOptions.SO_RCVBUF, receiveBufferBytes);
      }
      channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
      channel.connect(address);
      return channel;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void hello(SocketChannel channel, String name) {
    write(channel, ByteBuffer.wrap(RawPeer.bytesOf(new Hello(name, 0))));
  }

  private static void write(SocketChannel channel, ByteBuffer bytes) {
    try {
      while (bytes.hasRemaining()) {
        if (channel.write(bytes) == 0) {
          Thread.onSpinWait();
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void register(Member member) {
    try {
      member.channel.configureBlocking(false);
      member.channel.register(selector, SelectionKey.OP_READ, member);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void onReader(Runnable task) {
    get(
        onReader(
            () -> {
              task.run();
              return true;
            }));
  }

  private <T> Future<T> onReader(Supplier<T> task) {
    CompletableFuture<T> done = new CompletableFuture<>();
    synchronized (tasks) {
      tasks.add(
          () -> {
            try {
              done.complete(task.get());
            } catch (RuntimeException e) {
              done.completeExceptionally(e);
            }
          });
    }
    selector.wakeup();
    return done;
  }

  private <T> T get(Future<T> future) {
    Throwable cause = failure;
    if (cause != null) {
      throw new AssertionError(cause);
    }
    try {
      return future.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError(e);
    } catch (ExecutionException | TimeoutException e) {
      throw new AssertionError(e);
    }
  }

  private void read() {
    try {
      while (!ended) {
        selector.select();
        List<Runnable> due;
        synchronized (tasks) {
          due = List.copyOf(tasks);
          tasks.clear();
        }
        due.forEach(Runnable::run);
        for (SelectionKey key : selector.selectedKeys()) {
          if (key.isValid() && key.isReadable()) {
            read((Member) key.attachment(), key);
          }
        }
        selector.selectedKeys().clear();
      }
    } catch (IOException | RuntimeException | AssertionError e) {
      failure = e;
    }
  }

  private void read(Member member, SelectionKey key) throws IOException {
    in.clear().put(member.rest);
    int count;
    try {
      count = member.channel.read(in);
    } catch (IOException e) {
      count = -1;
    }
    if (count < 0) {
      key.cancel();
      member.channel.close();
      closedBy.merge(member.bye, 1, Integer::sum);
      if (member.bye == 0) {
        member.bye = -1;
      }
      return;
    }
    in.flip();
    while (in.remaining() >= HEADER_BYTES) {
      int at = in.position();
      int bodyBytes = in.getInt(at) & 0xFFFFFF;
      if (in.remaining() < HEADER_BYTES + bodyBytes) {
        break;
      }
      frame(member, in.get(at) & 0xFF, at + HEADER_BYTES, bodyBytes);
      in.position(at + HEADER_BYTES + bodyBytes);
    }
    member.rest = Arrays.copyOfRange(in.array(), in.position(), in.limit());
    // A PING may wait behind much that was said; who reads is alive all the same.
    if (!silentUntilAsked
        && System.nanoTime() - member.heardNanos > LIFE_NANOS
        && member.bye == 0) {
      pong(member, 0);
    }
  }

  private void frame(Member member, int type, int at, int length) throws IOException {
    MessageType known = MessageType.of(type);
    if (known == null) {
      throw new EOFException("an unknown frame: " + type);
    }
    switch (known) {
      case WELCOME -> joined.incrementAndGet();
      case MSG -> said(member, at, length);
      case ACK -> member.acknowledged = in.getInt(at + 4);
      case ROSTER -> {
        if (in.get(at) == 0) {
          rosters.incrementAndGet();
        }
      }
      case GAP -> gaps.incrementAndGet();
      case BYE -> member.bye = in.getShort(at);
      case SERVER_PING -> pong(member, in.getInt(at));
      default -> {}
    }
  }

  private static void pong(Member member, int opaque) {
    member.heardNanos = System.nanoTime();
    write(
        member.channel,
        ByteBuffer.allocate(8)
            .putInt((MessageType.CLIENT_PONG.code() << 24) | 4)
            .putInt(opaque)
            .flip());
  }

  private void said(Member member, int at, int length) {
    member.said++;
    member.hash = (member.hash ^ in.getInt(at)) * 0x9E3779B97F4A7C15L;
    int text = at + 9 + in.get(at + 8);
    for (int i = text; i < at + length; i++) {
      member.hash = (member.hash ^ in.get(i)) * 0x100000001B3L;
    }
    if (in.get(text) == 't' && at + length - text >= 17) {
      long sent =
          Long.parseUnsignedLong(
              new String(in.array(), text + 1, 16, StandardCharsets.US_ASCII), 16);
      if (measured == latencies.length && measured < LATENCIES_MAX) {
        latencies = Arrays.copyOf(latencies, 2 * measured);
      }
      if (measured < latencies.length) {
        latencies[measured++] = System.nanoTime() - sent;
      }
    }
  }

  @Override
  public void close() {
    ended = true;
    selector.wakeup();
    try {
      reader.join();
      selector.close();
      for (Member member : members) {
        if (member.channel.isOpen()) {
          member.channel.setOption(StandardSocketOptions.SO_LINGER, 0);
          member.channel.close();
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
