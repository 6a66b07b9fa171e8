package simplechat.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.netty.channel.FileRegion;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import java.io.IOException;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.channels.WritableByteChannel;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.IntSupplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;
import simplechat.protocol.ServerMessage.Ack;
import simplechat.protocol.ServerMessage.Msg;
import simplechat.support.Load;
import simplechat.support.RawPeer;
import simplechat.support.Together;

/** Which transport a server comes to stand on, and what it says about it. */
class TransportTest {
  private static final Transport NO_BIND =
      new Transport(
          "broken",
          () -> null,
          Transport.NIO.ioHandlers(),
          host -> {
            throw new IllegalStateException("no such socket");
          });

  private static final Transport NO_LOOP =
      new Transport(
          "loopless",
          () -> null,
          () -> {
            throw new IllegalStateException("no such ring");
          },
          Transport.NIO.listener());

  private static final Transport ABSENT =
      new Transport(
          "nio",
          () -> new UnsatisfiedLinkError("no library"),
          Transport.NIO.ioHandlers(),
          Transport.NIO.listener());

  private final ListAppender<ILoggingEvent> lines = new ListAppender<>();

  @BeforeEach
  void listen() {
    lines.start();
    log().setLevel(Level.INFO);
    log().addAppender(lines);
  }

  @AfterEach
  void stopListening() {
    log().detachAppender(lines);
    log().setLevel(null);
  }

  @Test
  void whatSaysThatItIsAvailableAndDoesNotBindGivesWayToTheNext() {
    ChatServer server = start(TransportChoice.AUTO, NO_LOOP, NO_BIND, Transport.NIO);
    RawPeer alice = RawPeer.connect(server.address(), 0);
    RawPeer bob = RawPeer.connect(server.address(), 0);
    try {
      alice.join("alice");
      bob.join("bob");
      alice.say("hi");
      assertThat(bob.expect(Msg.class).text()).isEqualTo("hi");
    } finally {
      alice.close();
      bob.close();
      stop(server);
    }
    assertThat(lines.list)
        .extracting(ILoggingEvent::getFormattedMessage)
        .containsExactly(
            "transport nio: loopless failed: no such ring; broken failed: no such socket");
  }

  @Test
  void aServerThatNobodyWaitsForAnyMoreIsClosed() throws Exception {
    CompletableFuture<NioServerSocketChannel> bound = new CompletableFuture<>();
    CountDownLatch cancelled = new CountDownLatch(1);
    Transport late =
        new Transport(
            "late",
            () -> null,
            Transport.NIO.ioHandlers(),
            host ->
                new NioServerSocketChannel() {
                  @Override
                  protected void doBind(SocketAddress address) throws Exception {
                    cancelled.await();
                    super.doBind(address);
                    bound.complete(this);
                  }
                });
    CompletableFuture<ChatServer> start =
        new Start(config(TransportChoice.AUTO), null, List.of(late)).begin();
    assertThat(start.cancel(true)).isTrue();
    cancelled.countDown();
    NioServerSocketChannel listener = bound.get(5, TimeUnit.SECONDS);
    listener.closeFuture().get(5, TimeUnit.SECONDS);
  }

  @Test
  void theChoiceAndItsReasonAreOneLine() {
    for (Transport transport : Transport.candidates(TransportChoice.AUTO)) {
      if (transport.obstacle().get() == null) {
        stop(start(TransportChoice.AUTO, transport));
        stop(start(TransportChoice.valueOf(transport.name().toUpperCase(Locale.ROOT)), transport));
        assertThat(lines.list)
            .extracting(ILoggingEvent::getFormattedMessage)
            .containsExactly(
                "transport " + transport.name() + ": the fastest here",
                "transport " + transport.name() + ": asked for");
        lines.list.clear();
      }
    }
  }

  @Test
  void whatWasAskedForAndIsNotThereIsNamed() {
    stop(start(TransportChoice.NIO, ABSENT, Transport.EPOLL, Transport.KQUEUE));
    assertThat(lines.list)
        .singleElement()
        .extracting(ILoggingEvent::getFormattedMessage)
        .asString()
        .endsWith(": nio is not available: no library");
  }

  @Test
  void whereNothingWorksTheFirstFailureIsTold() {
    assertThatThrownBy(() -> start(TransportChoice.AUTO, NO_BIND, NO_LOOP))
        .isInstanceOf(CompletionException.class)
        .hasRootCauseMessage("no such socket");
    assertThat(lines.list).isEmpty();
  }

  @Test
  void whatIsAskedForIsTriedFirstAndTheOthersAfterIt() {
    for (TransportChoice choice : TransportChoice.values()) {
      List<Transport> candidates = Transport.candidates(choice);
      assertThat(candidates).hasSize(4).doesNotHaveDuplicates();
      if (choice != TransportChoice.AUTO) {
        assertThat(candidates.get(0).name()).isEqualTo(choice.toString());
      }
    }
    assertThat(Transport.candidates(TransportChoice.AUTO)).startsWith(Transport.EPOLL);
  }

  /** Whoever binds the wildcard of IPv4 does not mean to let IPv6 in. */
  @Test
  void theWildcardOfIpv4IsNotListenedToByATransportThatCannot() throws Exception {
    ServerConfig config = config(TransportChoice.IO_URING).toBuilder().host("0.0.0.0").build();
    ChatServer server =
        new Start(config, null, Transport.candidates(TransportChoice.IO_URING))
            .next()
            .get(5, TimeUnit.SECONDS);
    assertThat(server.address().getAddress().getHostAddress()).isEqualTo("0.0.0.0");
    stop(server);
    assertThat(lines.list)
        .singleElement()
        .extracting(ILoggingEvent::getFormattedMessage)
        .asString()
        .contains(": io_uring ");
  }

  /** Whatever a socket takes at a time, who has it gets what one gets whose socket takes all. */
  @Test
  void aWriteThatIsCutShortAtAnyByteIsGoneOnWithThere() {
    int texts = Load.count(4_000, 100_000);
    Load.seeded(
        random -> {
          // Often a single byte, so that no place within a frame is spared.
          IntSupplier takes = () -> random.nextInt(3) == 0 ? 1 : 1 + random.nextInt(200);
          Transport narrow =
              new Transport(
                  "narrow", () -> null, Transport.NIO.ioHandlers(), host -> new Narrow(takes));
          ChatServer server = start(TransportChoice.AUTO, narrow);
          try (Together threads = new Together();
              RawPeer whole = RawPeer.connect(server.address())) {
            whole.join("whole");
            RawPeer cut = RawPeer.connect(server.address());
            cut.join("cut");
            RawPeer alice = RawPeer.connect(server.address());
            alice.join("alice");
            threads.run(() -> speak(alice, texts));
            threads.run(() -> cut.say(Collections.nCopies(100, "own").toArray(String[]::new)));
            Future<List<Msg>> everybody = threads.run(() -> heardOf(whole, texts));
            assertThat(heardOf(cut, texts)).isEqualTo(Together.get(everybody));
            threads.join();
            cut.close();
            alice.close();
          } finally {
            stop(server);
          }
        });
  }

  private static void speak(RawPeer peer, int texts) {
    for (int i = 1; i <= texts; i++) {
      peer.say("text " + i + "x".repeat(i % 50));
      if (i % 100 == 0) {
        int said = i;
        peer.await(Ack.class, ack -> ack.sendNo() == said);
      }
    }
  }

  private static List<Msg> heardOf(RawPeer peer, int texts) {
    return Stream.generate(() -> peer.await(Msg.class, msg -> msg.name().equals("alice")))
        .limit(texts)
        .toList();
  }

  /** Its sockets take little at a time, but for the first. */
  private static final class Narrow extends NioServerSocketChannel {
    private final IntSupplier takes;
    private boolean narrow;

    Narrow(IntSupplier takes) {
      this.takes = takes;
    }

    @Override
    protected int doReadMessages(List<Object> accepted) throws Exception {
      SocketChannel socket = javaChannel().accept();
      if (socket == null) {
        return 0;
      }
      IntSupplier most = takes;
      accepted.add(
          narrow
              ? new NioSocketChannel(this, socket) {
                @Override
                protected long doWriteFileRegion(FileRegion region) throws IOException {
                  return region.transferTo(new Sip(javaChannel(), most.getAsInt()), 0);
                }
              }
              : new NioSocketChannel(this, socket));
      narrow = true;
      return 1;
    }
  }

  /** Takes so many bytes and no more, as a full socket does. */
  private static final class Sip implements WritableByteChannel {
    private final SocketChannel socket;
    private int left;

    Sip(SocketChannel socket, int bytes) {
      this.socket = socket;
      this.left = bytes;
    }

    @Override
    public int write(ByteBuffer from) throws IOException {
      int taken = socket.write(from.slice(from.position(), Math.min(left, from.remaining())));
      from.position(from.position() + taken);
      left -= taken;
      return taken;
    }

    @Override
    public boolean isOpen() {
      return socket.isOpen();
    }

    @Override
    public void close() throws IOException {
      socket.close();
    }
  }

  private static ChatServer start(TransportChoice choice, Transport... candidates) {
    return new Start(config(choice), null, List.of(candidates))
        .next()
        .orTimeout(5, TimeUnit.SECONDS)
        .join();
  }

  private static ServerConfig config(TransportChoice choice) {
    return ServerConfig.defaults().toBuilder().port(0).loops(1).transport(choice).build();
  }

  private static void stop(ChatServer server) {
    server.close().toCompletableFuture().orTimeout(5, TimeUnit.SECONDS).join();
  }

  private static Logger log() {
    return (Logger) LoggerFactory.getLogger(Start.class);
  }
}
