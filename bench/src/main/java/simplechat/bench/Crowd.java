package simplechat.bench;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.PooledByteBufAllocator;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;
import simplechat.protocol.ErrorCode;
import simplechat.protocol.ProtocolException;

/**
 * All members of a bench, and the one thread that moves them.
 *
 * <p>Every text carries a {@link Stamp}. Saturating, a sender says the next message when one of its
 * earlier ones has reached everybody; at a rate, messages are due at equal distances, and latency
 * counts from when one was due, however late it could be said: a server that stalls does not hide
 * it by stalling us.
 *
 * <p>Threading: confined to the thread that calls. Endings: {@link #close} resets all connections.
 */
final class Crowd implements AutoCloseable {
  private static final int READ_BYTES = 256 * 1024;
  private static final int CONNECTING_MAX = 128;
  private static final int PAUSE_MILLIS = 1;
  private static final Duration JOIN_PATIENCE = Duration.ofSeconds(20);
  private static final Duration QUIET = Duration.ofMillis(300);
  private static final Duration DRAIN = Duration.ofSeconds(3);

  private final Workload workload;
  private final List<InetSocketAddress> servers;
  private final @Nullable Tls tls;
  private final ByteBufAllocator allocator = PooledByteBufAllocator.DEFAULT;
  private final ByteBuf in = allocator.directBuffer(READ_BYTES, READ_BYTES);
  private final ByteBuf text;
  private final Selector selector;
  private final List<BenchMember> members = new ArrayList<>();
  private final Set<BenchMember> unflushed = new LinkedHashSet<>();
  private final Histogram latency = new Histogram(1, 3_600_000_000_000L, 3);
  private final long startNanos = System.nanoTime();
  private final long patienceNanos;
  private final long[] sent;
  private final long[] arrived;
  private long sentInAll;
  private long arrivedInAll;
  private long readNanos;
  private int joined;
  private long lastReadNanos;
  private long owedSinceNanos;
  private @Nullable String refusal;

  /**
   * @param servers of one room; the members go to each in turn
   * @param tls null for members who do not speak it
   */
  Crowd(Workload workload, List<InetSocketAddress> servers, @Nullable Tls tls) throws IOException {
    this(workload, servers, tls, DRAIN);
  }

  /**
   * @param patience what is owed may be kept back for so long
   */
  Crowd(Workload workload, List<InetSocketAddress> servers, @Nullable Tls tls, Duration patience)
      throws IOException {
    this.workload = workload;
    this.servers = servers;
    this.tls = tls;
    this.patienceNanos = patience.toNanos();
    this.sent = new long[workload.senders()];
    this.arrived = new long[workload.senders()];
    this.text = allocator.directBuffer(workload.textBytes());
    byte[] letters = "x".repeat(workload.textBytes()).getBytes(StandardCharsets.US_ASCII);
    text.writeBytes(letters);
    this.selector = Selector.open();
  }

  /** Joins all, some at a time, and waits until the room has told everybody of everybody. */
  void join(Progress progress) throws IOException, BenchException {
    long deadline = nowNanos() + JOIN_PATIENCE.toNanos();
    int seen = 0;
    while (joined < workload.members()) {
      while (members.size() < workload.members() && members.size() - joined < CONNECTING_MAX) {
        connect();
      }
      turn(PAUSE_MILLIS);
      checkUnharmed();
      if (joined > seen) {
        seen = joined;
        deadline = nowNanos() + JOIN_PATIENCE.toNanos();
        progress.joined(joined);
      } else if (nowNanos() > deadline) {
        throw new BenchException("only " + joined + " of " + workload.members() + " could join");
      }
    }
    settle();
  }

  /** Says messages for a while, or as many as the workload has; returns what came of it. */
  Run run(Duration duration, List<Long> pids) throws IOException, BenchException {
    latency.reset();
    Usage before = Usage.of(pids);
    long sentBefore = sentInAll;
    long arrivedBefore = arrivedInAll;
    long began = nowNanos();
    long end = began + duration.toNanos();
    long target = arrivedInAll + workload.messages() * (long) sent.length * workload.receivers();
    long due = began;
    while (workload.messages() == 0 ? nowNanos() < end : arrivedInAll < target) {
      if (workload.rate() > 0) {
        due = sayDue(due, Math.min(nowNanos(), end));
      } else {
        sayMore(sentBefore);
      }
      turn(workload.spin() ? 0 : PAUSE_MILLIS);
      checkUnharmed();
      if (isStalled()) {
        throw new BenchException("the server has stalled");
      }
    }
    long nanos = nowNanos() - began;
    Usage after = Usage.of(pids);
    return new Run(
        nanos,
        sentInAll - sentBefore,
        arrivedInAll - arrivedBefore,
        after.cpuNanosSince(before),
        after.rssBytes(),
        latency.copy());
  }

  /** Waits for what is on its way; returns how many deliveries never came. */
  long drain() throws IOException {
    long expected = sentInAll * workload.receivers();
    long deadline = nowNanos() + DRAIN.toNanos();
    while (arrivedInAll < expected && nowNanos() < deadline) {
      long before = arrivedInAll;
      turn(PAUSE_MILLIS);
      if (arrivedInAll > before) {
        deadline = nowNanos() + DRAIN.toNanos();
      }
    }
    return expected - arrivedInAll;
  }

  /** Until nothing has come for a moment. */
  void settle() throws IOException {
    lastReadNanos = nowNanos();
    while (nowNanos() - lastReadNanos < QUIET.toNanos()) {
      turn(PAUSE_MILLIS);
    }
  }

  void joined() {
    joined++;
  }

  void refused(int code) {
    ErrorCode known = ErrorCode.of(code);
    refused(known == null ? "refused with code " + code : "said " + known);
  }

  void refused(String words) {
    refusal = "the server " + words;
  }

  /** This member has something to be written that is not a message. */
  void answers(BenchMember member) {
    unflushed.add(member);
  }

  void delivered(ByteBuf buffer, int index, int bytes) {
    if (bytes != workload.textBytes()) {
      return;
    }
    int sender = Stamp.sender(buffer, index);
    if (sender >= 0 && sender < arrived.length) {
      arrived[sender]++;
      arrivedInAll++;
      latency.recordValue(Math.max(1, readNanos - Stamp.nanos(buffer, index)));
    }
  }

  @Override
  public void close() throws IOException {
    members.forEach(BenchMember::close);
    selector.close();
    in.release();
    text.release();
  }

  private void connect() throws IOException {
    SocketChannel channel = SocketChannel.open();
    channel.configureBlocking(false);
    channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
    channel.setOption(StandardSocketOptions.SO_LINGER, 0);
    SelectionKey key = channel.register(selector, SelectionKey.OP_CONNECT);
    TlsPipe pipe = tls == null ? null : tls.over(channel);
    BenchMember member =
        new BenchMember(this, name(members.size()), channel, pipe, key, allocator, workload);
    key.attach(member);
    InetSocketAddress server = servers.get(members.size() % servers.size());
    members.add(member);
    if (channel.connect(server)) {
      member.connected();
    }
  }

  /** Says what was due by now; returns when the next one is. */
  private long sayDue(long firstDue, long until) {
    long due = firstDue;
    long every = (long) (1e9 / workload.rate());
    while (due <= until) {
      say((int) (sentInAll % sent.length), due);
      due += every;
    }
    return due;
  }

  private void sayMore(long sentBefore) {
    int receivers = workload.receivers();
    long last =
        workload.messages() == 0 ? Long.MAX_VALUE : sentBefore / sent.length + workload.messages();
    for (int sender = 0; sender < sent.length; sender++) {
      long most = Math.min(last, arrived[sender] / receivers + workload.outstanding());
      while (sent[sender] < most) {
        say(sender, nowNanos());
      }
    }
  }

  private void say(int sender, long dueNanos) {
    if (!isOwed()) {
      owedSinceNanos = nowNanos();
    }
    BenchMember member = members.get(sender);
    member.say(text, dueNanos, sender);
    unflushed.add(member);
    sent[sender]++;
    sentInAll++;
  }

  /** True if something is on its way. */
  private boolean isOwed() {
    return arrivedInAll < sentInAll * workload.receivers();
  }

  /** A calm room is silent for long, and nothing is wrong with it. */
  private boolean isStalled() {
    return isOwed() && nowNanos() - Math.max(lastReadNanos, owedSinceNanos) > patienceNanos;
  }

  /** Writes what was said, and reads once from every socket that has something. */
  private void turn(int waitMillis) throws IOException {
    for (BenchMember member : unflushed) {
      member.flush();
    }
    unflushed.clear();
    if (waitMillis == 0) {
      selector.selectNow(this::ready);
    } else {
      selector.select(this::ready, waitMillis);
    }
  }

  private void ready(SelectionKey key) {
    BenchMember member = (BenchMember) key.attachment();
    try {
      if (key.isConnectable()) {
        member.connected();
      } else {
        if (key.isReadable()) {
          readNanos = nowNanos();
          lastReadNanos = readNanos;
          member.read(in);
        }
        if (key.isWritable()) {
          member.flush();
        }
      }
    } catch (IOException | ProtocolException e) {
      key.cancel();
      if (refusal == null) {
        refusal = String.valueOf(e.getMessage());
      }
    }
  }

  private void checkUnharmed() throws BenchException {
    if (refusal != null) {
      boolean joining = joined < workload.members();
      throw new BenchException(
          (joining ? "a member could not join: " : "a member was lost: ") + refusal);
    }
  }

  private long nowNanos() {
    return System.nanoTime() - startNanos;
  }

  /** Six letters, so that a frame has the same size whoever speaks. */
  private static String name(int index) {
    return String.format("b%05d", index);
  }
}
