package simplechat.server;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;
import simplechat.protocol.ServerMessage.Msg;
import simplechat.support.RawPeer;

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
  void whatSaysThatItIsAvailableAndDoesNotBindGivesWayToTheNext() throws Exception {
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
  void theChoiceAndItsReasonAreOneLine() throws Exception {
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
  void whatWasAskedForAndIsNotThereIsNamed() throws Exception {
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

  private static ChatServer start(TransportChoice choice, Transport... candidates) {
    return new Start(config(choice), null, List.of(candidates))
        .next()
        .orTimeout(5, TimeUnit.SECONDS)
        .join();
  }

  private static ServerConfig config(TransportChoice choice) {
    return ServerConfig.defaults().toBuilder().port(0).loops(1).transport(choice).build();
  }

  private static void stop(ChatServer server) throws Exception {
    server
        .close()
        .toCompletableFuture()
        .get(Duration.ofSeconds(5).toMillis(), TimeUnit.MILLISECONDS);
  }

  private static Logger log() {
    return (Logger) LoggerFactory.getLogger(Start.class);
  }
}
