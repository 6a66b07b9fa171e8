package simplechat.protocol;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a program can read in PROTOCOL.md: its tables, frames, conversations and requirements.
 *
 * <p>Knows the document alone, nothing of the codec: {@link DocCodec} reads and writes messages by
 * the field tables, so that it can be held against the code. Immutable; for any thread.
 */
public final class ProtocolDoc {
  private static final Pattern MESSAGE_HEADING = Pattern.compile("### [0-9.]+ [A-Z]+ \\((0x.*)\\)");
  private static final Pattern STEP = Pattern.compile("([A-Z])([<>]) (.*)");
  private static final Pattern REQUIREMENT = Pattern.compile("\\bMUST\\b");

  /**
   * A field of a message; {@code flag} is the bit of its message's flags that it hangs on, 0 for
   * none.
   */
  public record Field(String name, String type, String constant, int flag) {}

  /** A message and its fields in the order of the wire. */
  public record Message(int type, String name, boolean fromServer, List<Field> fields) {}

  /** Which promise a fenced example makes. */
  public enum FrameKind {
    /** Decodes to the value, and the value encodes to the same bytes. */
    FRAME,
    /** Decodes to the value, though no sender of this version writes it so. */
    TOLERATED,
    /** Is refused; the value is the name of the code. */
    INVALID
  }

  /** An example of a frame; the value is what stands behind {@code =}. */
  public record Frame(
      FrameKind kind, boolean fromServer, String title, ByteList bytes, String value) {}

  /** Bytes with value semantics. */
  public record ByteList(String hex) {
    /** A fresh copy. */
    public byte[] toArray() {
      return HexFormat.of().parseHex(hex);
    }
  }

  /** What one line of a conversation asks of the replay. */
  public enum Action {
    /** The peer sends a message: {@link DocCodec#encode}. */
    SEND,
    /** The peer sends the bytes of {@link Step#bytes}. */
    SEND_BYTES,
    /** The peer ends its side of the stream. */
    SEND_EOF,
    /** The next frame for the peer must fit: {@link DocCodec#mismatch}. */
    EXPECT,
    /** The stream must end here. */
    EXPECT_EOF
  }

  /**
   * One line of a conversation.
   *
   * @param line in the document, from 1
   * @param peer a letter; one connection, opened when it is first named
   * @param text the message, or the bytes, as written
   */
  public record Step(int line, String peer, Action action, String text) {
    /** What SEND_BYTES sends. */
    public byte[] bytes() {
      return parseBytes(text);
    }

    @Override
    public String toString() {
      return "PROTOCOL.md:" + line + " " + peer + " " + action + " " + text;
    }
  }

  /**
   * A conversation to be replayed.
   *
   * @param given settings of the server that differ from the default, such as {@code key}
   */
  public record Conversation(String title, Map<String, String> given, List<Step> steps) {
    @Override
    public String toString() {
      return title;
    }
  }

  private final List<String> lines;
  private final Map<Integer, Message> messages = new LinkedHashMap<>();
  private final List<Frame> frames = new ArrayList<>();
  private final List<Conversation> conversations = new ArrayList<>();

  private ProtocolDoc(List<String> lines) {
    this.lines = lines;
    readMessages();
    readBlocks();
  }

  /** The document of this repository, found by the property chat.root or upwards from here. */
  public static ProtocolDoc read() {
    Path root = Path.of(System.getProperty("chat.root", "")).toAbsolutePath();
    while (root != null && !Files.exists(root.resolve("protocol/PROTOCOL.md"))) {
      root = root.getParent();
    }
    if (root == null) {
      throw new IllegalStateException("no protocol/PROTOCOL.md here or above");
    }
    try {
      return parse(Files.readString(root.resolve("protocol/PROTOCOL.md")));
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  /** Same for a document that is at hand. */
  public static ProtocolDoc parse(String document) {
    return new ProtocolDoc(document.lines().toList());
  }

  public List<Message> messages() {
    return List.copyOf(messages.values());
  }

  /** The message of a type byte, null if the document has none. */
  public Message message(int type) {
    return messages.get(type);
  }

  public List<Frame> frames() {
    return Collections.unmodifiableList(frames);
  }

  public List<Conversation> conversations() {
    return Collections.unmodifiableList(conversations);
  }

  /** The rows of the first table whose header begins with these columns, by column. */
  public List<Map<String, String>> table(String... columns) {
    for (int i = 0; i < lines.size(); i++) {
      if (cells(lines.get(i)).equals(List.of(columns))) {
        return tableAt(i);
      }
    }
    throw new IllegalArgumentException("no table " + List.of(columns));
  }

  /** Names by number of a table such as that of the codes. */
  public Map<Integer, String> names(String numberColumn, String... moreColumns) {
    List<String> columns = new ArrayList<>(List.of(numberColumn));
    columns.addAll(List.of(moreColumns));
    Map<Integer, String> names = new LinkedHashMap<>();
    for (Map<String, String> row : table(columns.toArray(String[]::new))) {
      String before = names.put(Integer.decode(row.get(numberColumn)), row.get("name"));
      if (before != null) {
        throw new IllegalStateException("a number given twice: " + row);
      }
    }
    return names;
  }

  /** Every sentence with MUST in it, as one line: what tests quote. */
  public List<String> requirements() {
    List<String> found = new ArrayList<>();
    StringBuilder paragraph = new StringBuilder();
    boolean fenced = false;
    for (String line : lines) {
      fenced ^= line.startsWith("```");
      boolean item = line.matches("(- |[0-9]+\\. ).*");
      if (line.isBlank() || item || fenced) {
        addRequirement(paragraph, found);
      }
      if (!fenced && !line.startsWith("|") && !line.startsWith(" ".repeat(4))) {
        paragraph.append(' ').append(item ? line.substring(line.indexOf(' ')) : line);
      }
    }
    addRequirement(paragraph, found);
    return found;
  }

  private static void addRequirement(StringBuilder paragraph, List<String> found) {
    String text = paragraph.toString().trim().replaceAll("\\s+", " ");
    paragraph.setLength(0);
    for (String sentence : text.split("(?<=[.:]) (?=[A-Z])", -1)) {
      if (REQUIREMENT.matcher(sentence).find() && !sentence.startsWith("The words MUST")) {
        found.add(sentence);
      }
    }
  }

  private void readMessages() {
    Map<Integer, Map<String, String>> rows = new LinkedHashMap<>();
    table("type", "name", "direction", "says")
        .forEach(row -> rows.put(Integer.decode(row.get("type")), row));
    for (int i = 0; i < lines.size(); i++) {
      Matcher heading = MESSAGE_HEADING.matcher(lines.get(i));
      if (heading.matches()) {
        List<Field> fields = fieldsBehind(i);
        for (String number : heading.group(1).split(", ", -1)) {
          int type = Integer.decode(number);
          Map<String, String> row = rows.get(type);
          if (row == null) {
            throw new IllegalStateException("a heading without a row: " + lines.get(i));
          }
          boolean fromServer = row.get("direction").equals("s>c");
          messages.put(type, new Message(type, row.get("name"), fromServer, fields));
        }
      }
    }
    if (!messages.keySet().equals(rows.keySet())) {
      throw new IllegalStateException("rows " + rows.keySet() + ", headings " + messages.keySet());
    }
  }

  private List<Field> fieldsBehind(int heading) {
    List<Field> fields = new ArrayList<>();
    for (int i = heading + 1; i < lines.size() && !lines.get(i).startsWith("#"); i++) {
      if (lines.get(i).startsWith("| field ")) {
        for (Map<String, String> row : tableAt(i)) {
          fields.add(field(row.get("field"), row.get("type")));
        }
      }
    }
    return List.copyOf(fields);
  }

  private static Field field(String name, String type) {
    int condition = type.indexOf(" if flags & ");
    int equals = type.indexOf(" = ");
    if (condition >= 0) {
      int flag = Integer.parseInt(type.substring(condition + " if flags & ".length()));
      return new Field(name, type.substring(0, condition), "", flag);
    }
    return equals >= 0
        ? new Field(name, type.substring(0, equals), type.substring(equals + 3), 0)
        : new Field(name, type, "", 0);
  }

  private List<Map<String, String>> tableAt(int header) {
    List<String> columns = cells(lines.get(header));
    List<Map<String, String>> rows = new ArrayList<>();
    for (int i = header + 2; i < lines.size() && lines.get(i).startsWith("|"); i++) {
      List<String> cells = cells(lines.get(i));
      if (cells.size() != columns.size()) {
        throw new IllegalStateException("line " + (i + 1) + ": not " + columns);
      }
      Map<String, String> row = new LinkedHashMap<>();
      for (int c = 0; c < columns.size(); c++) {
        row.put(columns.get(c), cells.get(c));
      }
      rows.add(row);
    }
    return rows;
  }

  private static List<String> cells(String line) {
    List<String> cells = new ArrayList<>();
    if (line.startsWith("|") && line.endsWith("|") && line.length() > 1) {
      for (String cell : line.substring(1, line.length() - 1).split("\\|", -1)) {
        cells.add(cell.trim());
      }
    }
    return cells;
  }

  private void readBlocks() {
    for (int i = 0; i < lines.size(); i++) {
      if (lines.get(i).startsWith("```")) {
        int start = i;
        do {
          i++;
        } while (!lines.get(i).equals("```"));
        readBlock(lines.get(start).substring(3), start + 1, lines.subList(start + 1, i));
      }
    }
  }

  private void readBlock(String info, int firstLine, List<String> block) {
    String[] words = info.split(" ", 3);
    switch (words[0]) {
      case "frame" -> frames.add(frame(FrameKind.FRAME, words, block));
      case "frame-tolerated" -> frames.add(frame(FrameKind.TOLERATED, words, block));
      case "frame-invalid" -> frames.add(frame(FrameKind.INVALID, words, block));
      case "conversation" ->
          conversations.add(
              conversation(info.substring("conversation ".length()), firstLine, block));
      default -> throw new IllegalStateException("line " + firstLine + ": a block of " + info);
    }
  }

  private static Frame frame(FrameKind kind, String[] words, List<String> block) {
    StringBuilder bytes = new StringBuilder();
    StringBuilder value = new StringBuilder();
    for (String line : block) {
      if (line.startsWith("= ")) {
        value.append(line.substring(2));
      } else if (value.length() > 0) {
        value.append(' ').append(line.trim());
      } else {
        bytes.append(line.replaceFirst("#.*", "")).append(' ');
      }
    }
    boolean fromServer =
        switch (words[1]) {
          case "server" -> true;
          case "client" -> false;
          default -> throw new IllegalStateException("client or server, not " + words[1]);
        };
    ByteList list = new ByteList(HexFormat.of().formatHex(parseBytes(bytes.toString())));
    return new Frame(kind, fromServer, words[2], list, value.toString());
  }

  private static Conversation conversation(String title, int firstLine, List<String> block) {
    Map<String, String> given = new LinkedHashMap<>();
    List<Step> steps = new ArrayList<>();
    for (int i = 0; i < block.size(); i++) {
      StringBuilder joined = new StringBuilder(block.get(i));
      int line = firstLine + i + 1;
      while (i + 1 < block.size() && block.get(i + 1).startsWith(" ")) {
        i++;
        joined.append(' ').append(block.get(i).trim());
      }
      String text = joined.toString();
      Matcher step = STEP.matcher(text);
      if (text.startsWith("given ")) {
        DocCodec.parse("GIVEN" + text.substring("given".length()))
            .fields()
            .forEach((name, value) -> given.put(name, ((DocCodec.Str) value).text()));
      } else if (step.matches()) {
        steps.add(step(line, step.group(1), step.group(2).equals(">"), step.group(3)));
      } else {
        throw new IllegalStateException("line " + line + ": not a step: " + text);
      }
    }
    return new Conversation(title, given, List.copyOf(steps));
  }

  private static Step step(int line, String peer, boolean sends, String text) {
    if (text.equals("EOF")) {
      return new Step(line, peer, sends ? Action.SEND_EOF : Action.EXPECT_EOF, "");
    }
    if (sends && text.startsWith("bytes ")) {
      return new Step(line, peer, Action.SEND_BYTES, text.substring("bytes ".length()));
    }
    return new Step(line, peer, sends ? Action.SEND : Action.EXPECT, text);
  }

  /** Hexadecimal bytes with blanks between them; {@code 61*3} is 61 61 61. */
  static byte[] parseBytes(String text) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (String token : text.trim().toLowerCase(Locale.ROOT).split("\\s+", -1)) {
      int star = token.indexOf('*');
      byte[] bytes = HexFormat.of().parseHex(star < 0 ? token : token.substring(0, star));
      int times = star < 0 ? 1 : Integer.parseInt(token.substring(star + 1));
      for (int i = 0; i < times; i++) {
        out.writeBytes(bytes);
      }
    }
    return out.toByteArray();
  }
}
