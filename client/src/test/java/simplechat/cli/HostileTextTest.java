package simplechat.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.regex.Pattern;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import simplechat.client.ScriptedServer;
import simplechat.client.ScriptedServer.Peer;
import simplechat.protocol.ClientMessage;
import simplechat.protocol.MessageCodec;
import simplechat.protocol.ResumeToken;
import simplechat.protocol.ServerMessage;
import simplechat.protocol.ServerMessage.JoinedHow;
import simplechat.protocol.ServerMessage.LeftWhy;

/** Nothing that is received drives a terminal: judged by every byte that a real one was sent. */
@Tag("slow")
class HostileTextTest {
  private static final long SEED = Long.getLong("test.seed", System.nanoTime());
  private static final int TEXTS = 220;

  /** How often {@link #converse} sends each of the texts as one, and as a name. */
  private static final int TEXT_FIELDS = 6;

  private static final int NAME_FIELDS = 4;

  /** What terminals obey, answer, or type into the input. */
  private static final List<String> SEQUENCES =
      List.of(
          "\u001b[c",
          "\u001b[>c",
          "\u001b[5n",
          "\u001b[6n",
          "\u001b[?6n",
          "\u001b[18t",
          "\u001b[21t",
          "\u001b[?2026$p",
          "\u001b[?u",
          "\u001bZ",
          "\u001bc",
          "\u001b[2J\u001b[H",
          "\u001b[?1049h",
          "\u001b[?2004l",
          "\u001b[?1000h",
          "\u001b[31;7m",
          "\u001b[1;2r",
          "\u001b(0",
          "\u001b#8",
          "\u001b]0;title\u0007",
          "\u001b]2;title\u001b\\",
          "\u001b]10;?\u0007",
          "\u001b]11;?\u001b\\",
          "\u001b]52;c;bHM=\u0007",
          "\u001b]8;;http://x\u001b\\",
          "\u001bP$qm\u001b\\",
          "\u001bPtmux;\u001b\u001b[c\u001b\\",
          "\u001b_G\u001b\\",
          "\u001b^x\u001b\\",
          "\u001b[200~",
          "\u009bc",
          "\u009b6n",
          "\u009d0;x\u009c",
          "\u0090$qm\u009c",
          "\r\u001b[K12:00 eve: hi",
          "\b\b\b\b",
          "\u0005",
          "\r\nleave\r\n");

  private Path recording;

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void noByteOfItReachesTheTerminalRaw(boolean coloured) throws Exception {
    assumeTrue(Tmux.isInstalled(), "tmux is not installed");
    List<String> texts = texts();
    String ownName = coloured ? "\u001b\u009b\u202ew" : "\r\b\u2028w";
    recording = Files.createTempFile("chat-terminal", ".raw");
    recording.toFile().deleteOnExit();
    try (ScriptedServer server = new ScriptedServer();
        Tmux tmux = new Tmux(80, 24)) {
      if (!coloured) {
        tmux.type("export NO_COLOR=1");
        tmux.press("Enter");
      }
      tmux.record(recording);
      tmux.startClient(server.port(), "-u alice --no-bell");
      try (Peer peer = server.accept()) {
        converse(peer, tmux, texts, ownName);
      }
      tmux.await("rc=1 same-tty\n$");
      // What had been answered into the input would be typed at the shell now.
      assertThat(tmux.lastRow()).isEqualTo("$");
    }
    judge(texts, coloured);
  }

  /** What goes to a program, to a log, to a pipe and with a complaint is as harmless. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void noByteOfItReachesAPipeOrALogRaw(boolean json) throws Exception {
    List<String> texts = texts();
    Path log = Files.createTempFile("chat", ".log");
    log.toFile().deleteOnExit();
    String printed;
    try (ScriptedServer server = new ScriptedServer();
        PipedVisit visit = new PipedVisit(server.port(), Visit.PIPE, json, log)) {
      visit.type("who\nsend x\n");
      try (Peer peer = server.accept()) {
        peer.expect(ClientMessage.Hello.class);
        tellAll(peer, texts, "\u001b\u009b\u202ew");
        assertThat(peer.expect(ClientMessage.Send.class).text()).isEqualTo("x");
        String all = String.join("", texts);
        peer.send(new ServerMessage.Refused(105, 1, all), new ServerMessage.Bye(499, 0, all));
      }
      assertThat(visit.exitCode()).isEqualTo(1);
      printed = visit.out() + visit.err();
    }
    String logged = Files.readString(log);
    for (String text : texts) {
      String number = text.substring(text.lastIndexOf('~', text.length() - 2));
      for (String output : List.of(printed, logged)) {
        assertThat(output.contains(text)).as("seed %d, raw: %s", SEED, shown(text)).isFalse();
        assertThat(output).contains(number);
      }
    }
    for (String output : List.of(printed, logged)) {
      assertThat(HarmfulCharacters.in(output)).as("seed %d", SEED).isEmpty();
    }
  }

  /** Of a server that lets nobody in, or sends them away. */
  @ParameterizedTest
  @ValueSource(ints = {201, 202, 299, 304, 400, 401, 499})
  void noByteOfALastWordIsPrintedRaw(int code) throws Exception {
    String all = String.join("", texts());
    try (ScriptedServer server = new ScriptedServer();
        PipedVisit visit = new PipedVisit(server.port(), Visit.PIPE, false, null);
        Peer peer = server.accept()) {
      peer.expect(ClientMessage.Hello.class);
      peer.send(
          code / 100 == 2
              ? new ServerMessage.Refused(code, 0, all)
              : new ServerMessage.Bye(code, 0, all));
      assertThat(visit.exitCode()).isIn(ExitCode.ERROR, ExitCode.REFUSED);
      assertThat(visit.out()).isEmpty();
      assertThat(visit.err()).isNotEmpty().hasLineCount(1);
      assertThat(HarmfulCharacters.in(visit.err())).as("seed %d", SEED).isEmpty();
    }
  }

  /** Half of a character, for example, is in no UTF-8, and no frame with it is believed. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void nothingOfWhatIsNoUnicodeIsShown(boolean json) throws Exception {
    String placeholder = "\u4e00";
    List<ServerMessage> frames =
        List.of(
            Peer.welcomeOf(placeholder, 0, 0, 1),
            new ServerMessage.Msg(0, 1, "bob", placeholder),
            new ServerMessage.Msg(0, 1, placeholder, "hi"),
            new ServerMessage.Joined(0, 1, 2, JoinedHow.JOINED, placeholder),
            new ServerMessage.Left(0, 1, 1, LeftWhy.LEFT, placeholder),
            new ServerMessage.Refused(199, 0, placeholder),
            new ServerMessage.Roster(false, List.of(placeholder)),
            new ServerMessage.Bye(499, 0, placeholder));
    for (ServerMessage frame : frames) {
      Path log = Files.createTempFile("chat", ".log");
      log.toFile().deleteOnExit();
      try (ScriptedServer server = new ScriptedServer();
          PipedVisit visit =
              new PipedVisit(server.port(), Visit.PIPE.withReturn(Duration.ZERO), json, log);
          Peer peer = server.acceptAndWelcome(0)) {
        visit.type("who\n");
        peer.expect(ClientMessage.Who.class);
        ByteBuf bytes = Unpooled.buffer();
        MessageCodec.encode(frame, bytes);
        byte[] wrong = ByteBufUtil.getBytes(bytes);
        int at = ByteBufUtil.indexOf(Unpooled.copiedBuffer(placeholder, UTF_8), bytes);
        System.arraycopy(new byte[] {(byte) 0xED, (byte) 0xA0, (byte) 0x80}, 0, wrong, at, 3);
        peer.send(Unpooled.wrappedBuffer(wrong));
        assertThat(visit.exitCode()).as("%s", frame).isEqualTo(1);
        String output = visit.out() + visit.err() + Files.readString(log);
        assertThat(output)
            .as("%s", frame)
            .contains("UTF-8")
            .doesNotContain("\ufffd", "\\ufffd", "?");
        assertThat(HarmfulCharacters.in(output)).isEmpty();
      }
    }
  }

  /** Every field that has text, and each of the texts in it; what comes once has all at once. */
  private static void converse(Peer peer, Tmux tmux, List<String> texts, String ownName)
      throws Exception {
    String all = String.join("", texts);
    peer.expect(ClientMessage.Hello.class);
    peer.send(new ServerMessage.Refused(201, 0, all));
    tmux.await("another name [alice2]:");
    tmux.press("Enter");
    peer.expect(ClientMessage.Hello.class);
    tellAll(peer, texts, ownName);
    String prompt = Sanitiser.name(ownName) + ">";
    tmux.await("bob: end\n" + prompt);
    assertThat(tmux.lastRow()).isEqualTo(prompt);
    tmux.type("send x");
    tmux.press("Enter");
    assertThat(peer.expect(ClientMessage.Send.class).text()).isEqualTo("x");
    peer.send(new ServerMessage.Refused(105, 1, all), new ServerMessage.Bye(499, 0, all));
  }

  private static void tellAll(Peer peer, List<String> texts, String ownName) throws Exception {
    peer.send(
        new ServerMessage.Welcome(
            1,
            false,
            7,
            new ResumeToken(1, 2),
            0,
            0,
            0,
            2,
            1000,
            30,
            ownName,
            String.join("", texts)));
    peer.expect(ClientMessage.Who.class);
    peer.send(new ServerMessage.Roster(false, texts));
    int seq = 0;
    for (String text : texts) {
      peer.send(
          new ServerMessage.Joined(seq++, 1, 2, JoinedHow.JOINED, text),
          new ServerMessage.Msg(seq++, 1, text, text),
          new ServerMessage.Left(seq++, 1, 1, LeftWhy.LEFT, text),
          new ServerMessage.Refused(199, 0, text));
    }
    peer.send(new ServerMessage.Msg(seq, 1, "bob", "end"));
  }

  private void judge(List<String> texts, boolean coloured) throws Exception {
    // While it is written it may end within a character.
    Awaitility.await()
        .until(() -> new String(Files.readAllBytes(recording), UTF_8).contains("same-tty"));
    String recorded = Files.readString(recording);
    String printed =
        recorded.substring(recorded.indexOf("join refused"), recorded.lastIndexOf("rc=1"));
    String unwrapped = printed.replaceAll("[\r\n ]", "");
    for (String text : texts) {
      assertThat(printed.contains(text)).as("seed %d, raw: %s", SEED, shown(text)).isFalse();
      assertThat(unwrapped).contains(text.substring(text.lastIndexOf('~', text.length() - 2)));
    }
    // What is the program's own: line ends, moves of the cursor, and with colours sequences that
    // no terminal answers.
    String others =
        coloured ? printed.replaceAll("\u001b(\\[[0-9;?]*[A-HJKPXhlm@]|[=>])", "") : printed;
    assertThat(HarmfulCharacters.in(others.replaceAll("[\r\b]", ""))).as("seed %d", SEED).isEmpty();
    // So of those two it is told by what stands in their place that none came through.
    String words = others.replaceAll("[\r\n ]", "");
    for (String one : List.of("\r", "\b", "\t", "\u001b", "\u009b", "\u202e", "\u2028")) {
      String number = numberOf(texts, "a" + one);
      int c = one.codePointAt(0);
      String hex = String.format(Locale.ROOT, "<U+%04X>", c);
      String picture = c < ' ' ? Character.toString(0x2400 + c) : hex;
      assertThat(count(words, "a" + picture + "~" + number + "~")).as(hex).isEqualTo(TEXT_FIELDS);
      assertThat(count(words, "a" + hex + "<U+007E>" + number + "<U+007E>"))
          .as(hex)
          .isEqualTo(NAME_FIELDS);
    }
  }

  private static String numberOf(List<String> texts, String begin) {
    String text = texts.stream().filter(t -> t.startsWith(begin + "~")).findFirst().orElseThrow();
    return text.substring(begin.length() + 1, text.length() - 1);
  }

  private static int count(String words, String word) {
    return words.split(Pattern.quote(word), -1).length - 1;
  }

  /** Each ends in a number of its own, by which it is found where it must not be. */
  private static List<String> texts() {
    List<String> texts = new ArrayList<>(SEQUENCES);
    for (int c = 0; c <= 0x9F; c = c == 0x1F ? 0x7F : c + 1) {
      texts.add("a" + (char) c);
    }
    for (int c : HarmfulCharacters.samples()) {
      if (c > 0x9F) {
        texts.add("a" + Character.toString(c));
      }
    }
    texts.addAll(List.of("a\u202e", "a\u200d", "a\ufe0f", "a\u200db", "\ud83d\udc69\u200d"));
    Random random = new Random(SEED);
    while (texts.size() < TEXTS) {
      StringBuilder text = new StringBuilder();
      for (int i = 0; i < 3; i++) {
        text.append(SEQUENCES.get(random.nextInt(SEQUENCES.size())));
        text.append((char) ('a' + random.nextInt(26)));
      }
      texts.add(text.toString());
    }
    texts.replaceAll(text -> text + "~" + texts.indexOf(text) + "~");
    return texts;
  }

  private static String shown(String text) {
    return Sanitiser.text(text);
  }
}
