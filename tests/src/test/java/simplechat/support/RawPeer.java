package simplechat.support;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import simplechat.protocol.ClientMessage;
import simplechat.protocol.ClientMessage.Hello;
import simplechat.protocol.ErrorCode;
import simplechat.protocol.FrameDecoder;
import simplechat.protocol.Limits;
import simplechat.protocol.MessageCodec;
import simplechat.protocol.ProtocolException;
import simplechat.protocol.ServerMessage;
import simplechat.protocol.ServerMessage.Ack;
import simplechat.protocol.ServerMessage.Msg;
import simplechat.protocol.ServerMessage.Welcome;

/**
 * One TCP connection that speaks frames: bytes in, bytes out, and of the client library nothing.
 *
 * <p>Every frame that comes is decoded, must encode to the same bytes again, and must stand where a
 * {@link StreamCheck} lets it stand when it is taken. What waits, waits 5 s and then says for what.
 *
 * <p>Threading: one thread at a time; but one may send while another reads.
 */
public final class RawPeer implements AutoCloseable {
  private static final int READ_BYTES = 64 * 1024;
  private static final Duration PATIENCE = Duration.ofSeconds(5);
  private static final int REMEMBERED = 8;

  /** One for all peers of a thread: tests that measure memory have many peers. */
  private static final ThreadLocal<byte[]> READ_BUFFER =
      ThreadLocal.withInitial(() -> new byte[READ_BYTES]);

  /** Heap memory that nobody has to release: a peer may end inside a frame. */
  private static final ByteBufAllocator ALLOCATOR = new UnpooledByteBufAllocator(false, true);

  private final Socket tcp;
  private final Socket socket;
  private final FrameDecoder decoder = new FrameDecoder(ALLOCATOR);
  private final Deque<ServerMessage> came = new ArrayDeque<>();
  private final Deque<ServerMessage> recent = new ArrayDeque<>();
  private final Map<Integer, String> sentTexts = new HashMap<>();
  private final StreamCheck check = new StreamCheck();
  private @Nullable Chain chain;
  private int sendNo;
  private boolean ended;
  private int readAtMostBytes = READ_BYTES;
  private long receivedBytes;
  private byte lastByte;

  private RawPeer(Socket tcp, Socket socket) {
    this.tcp = tcp;
    this.socket = socket;
  }

  public static RawPeer connect(InetSocketAddress address) {
    return connect(address, 0);
  }

  /**
   * @param receiveBufferBytes of the kernel, 0 for its own choice; without a small one a test of a
   *     slow reader tests the kernel
   */
  public static RawPeer connect(InetSocketAddress address, int receiveBufferBytes) {
    Socket socket = new Socket();
    try {
      if (receiveBufferBytes > 0) {
        socket.setReceiveBufferSize(receiveBufferBytes);
      }
      socket.setTcpNoDelay(true);
      socket.connect(address, (int) PATIENCE.toMillis());
      return new RawPeer(socket, TestTls.over(socket));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** From another of this machine's addresses. */
  public static RawPeer connectFrom(String host, InetSocketAddress address) {
    Socket socket = new Socket();
    try {
      socket.bind(new InetSocketAddress(host, 0));
      socket.setTcpNoDelay(true);
      socket.connect(address, (int) PATIENCE.toMillis());
      return new RawPeer(socket, TestTls.over(socket));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  // Sending

  public RawPeer send(ClientMessage... messages) {
    ByteBuf out = Unpooled.buffer();
    for (ClientMessage message : messages) {
      if (message instanceof ClientMessage.Send send) {
        sendNo++;
        sentTexts.put(sendNo, send.text());
      }
      MessageCodec.encode(message, out);
    }
    return sendBytes(ByteBufUtil.getBytes(out));
  }

  /** SENDs of these texts, in one write. */
  public RawPeer say(String... texts) {
    ClientMessage[] messages = new ClientMessage[texts.length];
    for (int i = 0; i < texts.length; i++) {
      messages[i] = new ClientMessage.Send(texts[i]);
    }
    return send(messages);
  }

  public RawPeer sendBytes(byte[] bytes) {
    try {
      socket.getOutputStream().write(bytes);
      return this;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Hexadecimal bytes, spaces allowed. */
  public RawPeer sendHex(String hex) {
    return sendBytes(HexFormat.of().parseHex(hex.replace(" ", "")));
  }

  public static byte[] bytesOf(ServerMessage message) {
    ByteBuf out = Unpooled.buffer();
    MessageCodec.encode(message, out);
    return ByteBufUtil.getBytes(out);
  }

  public static byte[] bytesOf(ClientMessage message) {
    ByteBuf out = Unpooled.buffer();
    MessageCodec.encode(message, out);
    return ByteBufUtil.getBytes(out);
  }

  // Joining

  public Welcome join(String name) {
    return join(new Hello(name, 0));
  }

  public Welcome join(Hello hello) {
    send(hello);
    Welcome welcome = expect(Welcome.class);
    sendNo = welcome.received();
    return welcome;
  }

  /** A HELLO that takes up the session of {@code earlier} where that peer's stream ended. */
  public static Hello resumeOf(RawPeer earlier) {
    return resumeOf(earlier, earlier.check.expected());
  }

  public static Hello resumeOf(RawPeer earlier, long next) {
    Welcome before = earlier.check.welcome();
    return new Hello(
        Limits.VERSION,
        Limits.VERSION,
        0,
        before.name(),
        null,
        new ClientMessage.Resume(before.token(), before.epoch(), next));
  }

  /** Resumes the session of {@code earlier}; fails if it is not resumed. */
  public Welcome resume(RawPeer earlier) {
    carryOn(earlier);
    Welcome welcome = join(resumeOf(earlier));
    assertThat(welcome.resumed()).as("resumed").isTrue();
    return welcome;
  }

  /** Takes over what is known of the session, for a HELLO that the caller sends. */
  public void carryOn(RawPeer earlier) {
    check.carryOn(earlier.check);
    sentTexts.putAll(earlier.sentTexts);
    chain = earlier.chain;
  }

  // Receiving

  /** The next message, within 5 s. */
  public ServerMessage next() {
    return next("a frame");
  }

  public <T extends ServerMessage> T expect(Class<T> type) {
    ServerMessage message = next("a " + type.getSimpleName());
    if (!type.isInstance(message)) {
      throw new AssertionError("awaited " + type.getSimpleName() + ", got " + message + history());
    }
    return type.cast(message);
  }

  /** Skips everything else. */
  public <T extends ServerMessage> T await(Class<T> type) {
    return await(type, any -> true);
  }

  /** Skips everything else. */
  public <T extends ServerMessage> T await(Class<T> type, Predicate<T> condition) {
    while (true) {
      ServerMessage message = next("a certain " + type.getSimpleName());
      if (type.isInstance(message) && condition.test(type.cast(message))) {
        return type.cast(message);
      }
    }
  }

  public ServerMessage.Bye expectBye(ErrorCode code) {
    ServerMessage.Bye bye = expect(ServerMessage.Bye.class);
    assertThat(bye.code()).as("code of %s", bye).isEqualTo(code.number());
    return bye;
  }

  public ServerMessage.Refused expectError(ErrorCode code, int sendNo) {
    ServerMessage.Refused error = expect(ServerMessage.Refused.class);
    assertThat(error.code()).as("code of %s", error).isEqualTo(code.number());
    assertThat(error.sendNo()).as("sendNo of %s", error).isEqualTo(sendNo);
    return error;
  }

  /** The orderly end of the stream, not inside a frame. */
  public void expectEof() {
    ServerMessage message = read("the end of the stream");
    if (message != null) {
      throw new AssertionError("awaited the end of the stream, got " + message + history());
    }
    assertThat(decoder.heldBytes()).as("bytes of a torn frame").isZero();
  }

  /**
   * A BYE of this code, whatever comes before it, and an orderly end, although more is sent
   * meanwhile than the buffers of any socket take: 16 MiB, which the server must let pass.
   */
  public void expectByeWhileSending(ErrorCode code) {
    CompletableFuture<Boolean> unharmed = CompletableFuture.supplyAsync(this::sendsMuch);
    await(ServerMessage.Bye.class, bye -> bye.code() == code.number());
    expectEof();
    assertThat(unharmed.join()).as("sent everything").isTrue();
  }

  /** Good frames: with two loops a peer may still be heard while word of its end is on the way. */
  private boolean sendsMuch() {
    byte[] ping = bytesOf(new ClientMessage.Ping(1));
    ByteBuffer pings = ByteBuffer.allocate(1000 * ping.length);
    while (pings.hasRemaining()) {
      pings.put(ping);
    }
    try {
      for (int sent = 0; sent < 16 << 20; sent += pings.capacity()) {
        sendBytes(pings.array());
      }
      halfClose();
      return true;
    } catch (UncheckedIOException e) {
      return false;
    }
  }

  /** True if what came up to now, and what is on its way, ends with this code. */
  public boolean endsWith(ErrorCode code) {
    try {
      while (true) {
        while (!came.isEmpty()) {
          if (next() instanceof ServerMessage.Bye bye) {
            return bye.code() == code.number();
          }
        }
        socket.setSoTimeout(100);
        if (!fill()) {
          return false;
        }
      }
    } catch (SocketTimeoutException e) {
      return false;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Reads to the end of the stream, which may lie inside a frame. */
  public void readToEnd() {
    ServerMessage message;
    do {
      message = read("the end of the stream");
    } while (message != null);
  }

  /** Takes what comes until the connection ends, in order or not. */
  public void readToBreak() {
    try {
      while (read("the end of the connection") != null) {
        // Each is checked.
      }
    } catch (AssertionError e) {
      if (!(e.getCause() instanceof SocketException)) {
        throw e;
      }
    }
  }

  /**
   * Proves that the server has handled everything before this and that nothing but what it returns
   * up to the PONG was on its way.
   */
  public void expectNothing() {
    int opaque = 0x5EE0 + recent.size();
    send(new ClientMessage.Ping(opaque));
    assertThat(expect(ServerMessage.Pong.class).opaque()).isEqualTo(opaque);
  }

  /** The same, but of this type anything may have come. */
  public void expectNothingOf(Class<? extends ServerMessage> ignored) {
    send(new ClientMessage.Ping(0x1D1E));
    ServerMessage message;
    do {
      message = next();
    } while (ignored.isInstance(message) || message instanceof Ack);
    assertThat(message).isEqualTo(new ServerMessage.Pong(0x1D1E));
  }

  /** True if something came that was not asked for yet, or comes within the time. */
  public boolean hasNext(Duration within) {
    if (!came.isEmpty()) {
      return true;
    }
    try {
      socket.setSoTimeout((int) Math.max(1, within.toMillis()));
      return fill() && !came.isEmpty();
    } catch (SocketTimeoutException e) {
      return false;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Drops what comes until a read finds the connection reset; fails if it ends in order. */
  public boolean isReset() {
    try {
      socket.setSoTimeout((int) PATIENCE.toMillis());
      while (socket.getInputStream().read(READ_BUFFER.get()) >= 0) {
        // Whatever it was.
      }
      return false;
    } catch (SocketTimeoutException e) {
      throw new AssertionError("neither an end nor a reset within " + PATIENCE, e);
    } catch (IOException e) {
      return true;
    }
  }

  /** Each read takes at most so many bytes. */
  public RawPeer readAtMost(int bytes) {
    readAtMostBytes = bytes;
    return this;
  }

  /** Reads exactly so many bytes, whatever they are, and takes the frames that are whole. */
  public RawPeer readBytes(long bytes) {
    long until = receivedBytes + bytes;
    try {
      socket.setSoTimeout((int) PATIENCE.toMillis());
      while (receivedBytes < until) {
        readAtMostBytes = (int) Math.min(READ_BYTES, until - receivedBytes);
        if (!fill()) {
          throw new AssertionError("the stream ended " + (until - receivedBytes) + " bytes early");
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    readAtMostBytes = READ_BYTES;
    while (!came.isEmpty()) {
      next();
    }
    return this;
  }

  // What is known

  public StreamCheck stream() {
    return check;
  }

  /** Begins to fold what is said from this position on; own texts too. */
  public RawPeer chainFrom(long position) {
    return fold(new Chain(position));
  }

  public RawPeer fold(Chain into) {
    chain = into;
    return this;
  }

  public Chain chain() {
    Chain folded = chain;
    if (folded == null) {
      throw new AssertionError("no chain was begun");
    }
    return folded;
  }

  /** The number of the last SEND of the session. */
  public int sendNo() {
    return sendNo;
  }

  public void sendNo(int number) {
    sendNo = number;
  }

  public long receivedBytes() {
    return receivedBytes;
  }

  /** Of all that came; it may belong to a frame that is torn. */
  public char lastByte() {
    return (char) (lastByte & 0xFF);
  }

  // Ending

  /** Ends this side of the stream. */
  public RawPeer halfClose() {
    try {
      socket.shutdownOutput();
      return this;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Ends the connection with RST. */
  public void reset() {
    try {
      tcp.setSoLinger(true, 0);
      tcp.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() {
    try {
      socket.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private ServerMessage next(String awaited) {
    ServerMessage message = read(awaited);
    if (message == null) {
      throw new AssertionError("the stream ended, awaited " + awaited + history());
    }
    return message;
  }

  private @Nullable ServerMessage read(String awaited) {
    try {
      socket.setSoTimeout((int) PATIENCE.toMillis());
      while (came.isEmpty()) {
        if (!fill()) {
          return null;
        }
      }
    } catch (SocketTimeoutException e) {
      throw new AssertionError(
          "nothing for " + PATIENCE.toSeconds() + " s, awaited " + awaited + history(), e);
    } catch (IOException e) {
      throw new AssertionError(
          "the connection broke (" + e.getMessage() + "), awaited " + awaited + history(), e);
    }
    ServerMessage message = came.remove();
    accept(message);
    recent.add(message);
    if (recent.size() > REMEMBERED) {
      recent.remove();
    }
    return message;
  }

  /** False at the end of the stream. */
  private boolean fill() throws IOException {
    byte[] readBuffer = READ_BUFFER.get();
    int count = ended ? -1 : socket.getInputStream().read(readBuffer, 0, readAtMostBytes);
    if (count < 0) {
      ended = true;
      return false;
    }
    receivedBytes += count;
    lastByte = readBuffer[count - 1];
    try {
      decoder.decode(Unpooled.wrappedBuffer(readBuffer, 0, count), new Frames());
      return true;
    } catch (ProtocolException e) {
      throw new AssertionError("the server sent what may not be sent" + history(), e);
    }
  }

  private void accept(ServerMessage message) {
    try {
      check.accept(message);
    } catch (AssertionError e) {
      String welcome = check.isWelcomed() ? " of " + check.welcome() : "";
      throw new AssertionError(e.getMessage() + welcome + history(), e);
    }
    Chain folded = chain;
    if (folded == null) {
      return;
    }
    if (message instanceof Msg msg) {
      folded.add(check.last(), msg.name(), msg.text());
    } else if (message instanceof Ack ack) {
      foldOwn(folded, ack);
    }
  }

  /** Own texts lie side by side and end at the position that the ACK names. */
  private void foldOwn(Chain folded, Ack ack) {
    long position = check.ownFrom();
    for (int own = check.acknowledgedBefore() + 1; own <= ack.sendNo(); own++) {
      if (!check.isRefused(own)) {
        String text = sentTexts.get(own);
        if (text == null) {
          throw new AssertionError("acknowledged but never sent: " + own + history());
        }
        folded.add(position++, check.welcome().name(), text);
      }
    }
  }

  private String history() {
    return "; before that "
        + recent.stream()
            .map(message -> message.toString().replaceAll("(?s)(.{120}).*", "$1..."))
            .toList();
  }

  private final class Frames implements FrameDecoder.Sink {
    @Override
    public boolean header(int type, int length) {
      assertThat(length).as("body of type %x", type).isLessThan(Limits.SERVER_BODY_MAX_BYTES);
      return true;
    }

    @Override
    public boolean frame(int type, ByteBuf buffer, int index, int length) throws ProtocolException {
      ServerMessage message = MessageCodec.decodeServer(type, buffer, index, length);
      if (message == null) {
        throw new AssertionError("an unknown type " + type);
      }
      ByteBuf again = Unpooled.buffer(Limits.HEADER_BYTES + length);
      MessageCodec.encode(message, again);
      ByteBuf frame = buffer.slice(index - Limits.HEADER_BYTES, Limits.HEADER_BYTES + length);
      if (!ByteBufUtil.equals(again, frame)) {
        throw new AssertionError("not how " + message + " is encoded");
      }
      came.add(message);
      return true;
    }
  }
}
