package simplechat.support;

import java.io.BufferedReader;
import java.io.EOFException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.zip.CRC32;
import simplechat.protocol.ClientMessage;
import simplechat.protocol.MessageType;

/**
 * Many members on one thread of a process of its own, so that they take nothing from the server but
 * the other core: all join, some of them speak at once, and each folds all that is said into a
 * chain. It prints how many members it has, and in the end each different chain once; without
 * speakers there is no end to listening.
 *
 * <p>Arguments: port, members, speakers, texts of each speaker, seed.
 */
public final class Crowd {
  private static final int HEADER_BYTES = 4;
  private static final int TEXT_MIN_BYTES = 16;
  private static final int TEXT_MAX_BYTES = 512;
  private static final int BUFFER_BYTES = 256 * 1024;
  private static final Duration PATIENCE = Duration.ofMinutes(2);

  private final List<Member> members = new ArrayList<>();
  private final ByteBuffer in = ByteBuffer.allocate(BUFFER_BYTES);
  private final CRC32 crc = new CRC32();
  private final int all;
  private long firstPosition;
  private int welcomed;
  private int done;

  private Crowd(int all) {
    this.all = all;
  }

  /** One member: what it has of a frame, and what it knows of the order. */
  private static final class Member {
    private final SocketChannel channel;
    private final byte[] name;
    private final Deque<Long> ownCrcs = new ArrayDeque<>();
    private byte[] rest = new byte[0];
    private ByteBuffer out = ByteBuffer.allocate(0);
    private long expected;
    private long hash = 1;
    private int count;
    private int acknowledged;

    Member(SocketChannel channel, String name) {
      this.channel = channel;
      this.name = name.getBytes(StandardCharsets.US_ASCII);
    }

    void fold(long position, long crcOfSenderAndText) {
      hash = (hash ^ position) * 0x9E3779B97F4A7C15L;
      hash = (hash ^ crcOfSenderAndText) * 0x9E3779B97F4A7C15L;
      hash ^= hash >>> 32;
      count++;
    }
  }

  /** Starts it as a process of its own and returns its lines. */
  public static List<String> run(int port, int members, int speakers, int texts, long seed)
      throws IOException, InterruptedException {
    Process process = start(port, members, speakers, texts, seed);
    List<String> lines;
    try (BufferedReader out = process.inputReader(StandardCharsets.UTF_8)) {
      lines = out.lines().toList();
    } finally {
      if (!process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
        process.destroyForcibly();
      }
    }
    if (process.exitValue() != 0) {
      throw new AssertionError("the crowd failed: " + lines);
    }
    return lines;
  }

  /** Starts members that listen until the process is destroyed, and waits until all are in. */
  public static Process gathered(int port, int members) throws IOException {
    Process process = start(port, members, 0, 0, 0);
    String line = process.inputReader(StandardCharsets.UTF_8).readLine();
    if (!("members " + members).equals(line)) {
      process.destroyForcibly();
      throw new AssertionError("the crowd failed: " + line);
    }
    return process;
  }

  private static Process start(long... arguments) throws IOException {
    List<String> command = new ArrayList<>();
    command.addAll(List.of(ServerProcess.java(), "-Xmx256m", "-XX:+UseSerialGC", "-cp"));
    command.add(System.getProperty("java.class.path"));
    command.add(Crowd.class.getName());
    Arrays.stream(arguments).mapToObj(String::valueOf).forEach(command::add);
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().keySet().removeIf(ServerProcess::isOurs);
    return builder.start();
  }

  public static void main(String[] args) throws IOException {
    int[] numbers = Arrays.stream(args).limit(4).mapToInt(Integer::parseInt).toArray();
    Crowd crowd = new Crowd(numbers[2] * numbers[3]);
    crowd.gather(numbers[0], numbers[1]);
    System.out.println("members " + crowd.members.size());
    crowd.speak(numbers[2], numbers[3], new Random(Long.parseLong(args[4])));
    crowd.members.stream()
        .map(member -> "chain " + member.count + " " + Long.toHexString(member.hash))
        .distinct()
        .forEach(System.out::println);
  }

  private void gather(int port, int count) throws IOException {
    try (Selector selector = Selector.open()) {
      for (int i = 0; i < count; i++) {
        SocketChannel channel =
            SocketChannel.open(new InetSocketAddress(InetAddress.getLoopbackAddress(), port))
                .setOption(StandardSocketOptions.TCP_NODELAY, true);
        channel.configureBlocking(false);
        Member member = new Member(channel, "crowd" + i);
        channel.register(selector, SelectionKey.OP_READ, member);
        members.add(member);
      }
      // All have knocked before the first is let in: many come in one turn of the server.
      for (Member member : members) {
        String name = new String(member.name, StandardCharsets.US_ASCII);
        member.channel.write(ByteBuffer.wrap(RawPeer.bytesOf(new ClientMessage.Hello(name, 0))));
      }
      while (welcomed < count) {
        turn(selector);
      }
      // All have joined: what is said from here on reaches everybody.
      members.forEach(member -> firstPosition = Math.max(firstPosition, member.expected));
    }
  }

  private void speak(int speakers, int texts, Random random) throws IOException {
    try (Selector selector = Selector.open()) {
      for (int i = 0; i < members.size(); i++) {
        Member member = members.get(i);
        if (i < speakers) {
          member.out = texts(member, texts, random);
        }
        int ops =
            i < speakers ? SelectionKey.OP_READ | SelectionKey.OP_WRITE : SelectionKey.OP_READ;
        member.channel.register(selector, ops, member);
      }
      while (done < members.size()) {
        turn(selector);
      }
    }
  }

  private ByteBuffer texts(Member member, int texts, Random random) {
    ByteBuffer out = ByteBuffer.allocate(texts * (HEADER_BYTES + TEXT_MAX_BYTES));
    for (int i = 0; i < texts; i++) {
      int length = TEXT_MIN_BYTES + random.nextInt(TEXT_MAX_BYTES - TEXT_MIN_BYTES + 1);
      byte[] text = new byte[length];
      for (int at = 0; at < length; at++) {
        text[at] = (byte) ('a' + random.nextInt(26));
      }
      out.putInt(MessageType.SEND.code() << 24 | length).put(text);
      byte[] said =
          ByteBuffer.allocate(1 + member.name.length + length)
              .put((byte) member.name.length)
              .put(member.name)
              .put(text)
              .array();
      member.ownCrcs.add(crcOf(said, 0, said.length));
    }
    return out.flip();
  }

  private void turn(Selector selector) throws IOException {
    if (selector.select(PATIENCE.toMillis()) == 0) {
      throw new IOException("nothing for " + PATIENCE);
    }
    for (SelectionKey key : selector.selectedKeys()) {
      Member member = (Member) key.attachment();
      if (key.isWritable()) {
        member.channel.write(member.out);
        if (!member.out.hasRemaining()) {
          key.interestOps(SelectionKey.OP_READ);
        }
      }
      if (key.isReadable()) {
        read(member);
      }
    }
    selector.selectedKeys().clear();
  }

  private void read(Member member) throws IOException {
    in.clear().put(member.rest);
    if (member.channel.read(in) < 0) {
      throw new EOFException("a member was closed");
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
  }

  private void frame(Member member, int type, int at, int length) throws IOException {
    MessageType known = MessageType.of(type);
    if (known == MessageType.WELCOME) {
      member.expected = in.getLong(at + 26);
      welcomed++;
    } else if (known == MessageType.ACK) {
      acknowledged(member, in.getInt(at), in.getInt(at + 4));
    } else if (known != null && known.event()) {
      int ahead = in.getInt(at) - (int) member.expected;
      if (ahead != 0) {
        throw new IOException(ahead + " positions are not explained from " + member.expected);
      }
      if (known == MessageType.MSG) {
        said(member, member.expected, crcOf(in.array(), at + 8, length - 8));
      }
      member.expected++;
    } else {
      throw new IOException("no frame for a member that keeps up: " + known);
    }
  }

  private void acknowledged(Member member, int seq, int sendNo) throws IOException {
    int own = seq + 1 - (int) member.expected;
    if (own != sendNo - member.acknowledged) {
      throw new IOException("an ACK of " + (sendNo - member.acknowledged) + " for " + own);
    }
    for (int i = 0; i < own; i++) {
      said(member, member.expected++, member.ownCrcs.remove());
    }
    member.acknowledged = sendNo;
  }

  private void said(Member member, long position, long crcOfText) {
    member.fold(position - firstPosition, crcOfText);
    if (member.count == all) {
      done++;
    }
  }

  /** The CRC of {@code length} bytes that are a str8 with the sender's name and a text. */
  private long crcOf(byte[] bytes, int from, int length) {
    crc.reset();
    crc.update(bytes, from, length);
    return crc.getValue();
  }
}
