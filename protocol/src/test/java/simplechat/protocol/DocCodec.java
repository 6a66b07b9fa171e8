package simplechat.protocol;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import simplechat.protocol.ProtocolDoc.Field;
import simplechat.protocol.ProtocolDoc.Message;

/**
 * Messages to bytes and back, by the field tables of PROTOCOL.md and nothing else; and the notation
 * in which the document writes messages.
 *
 * <p>Field values are Long (the bits, unsigned), String (strings as they are, bytes as 0x…) and
 * List of String.
 */
public final class DocCodec {
  private final ProtocolDoc doc;
  private final Map<String, Map<Integer, String>> symbols;

  /** A message as written: its name and its fields. */
  public record Written(String name, Map<String, Expression> fields) {}

  /** A message that was read off the wire, its constant fields left out. */
  public record Decoded(Message message, Map<String, Object> fields) {}

  /** What may stand behind a field's {@code =}. */
  public sealed interface Expression {}

  record Anything() implements Expression {}

  record Variable(String name, long plus) implements Expression {}

  record Plain(String token) implements Expression {}

  record Str(String text) implements Expression {}

  record Names(List<String> names) implements Expression {}

  /** The body breaks the field table: too short, or not UTF-8. */
  public static final class MalformedException extends Exception {
    private static final long serialVersionUID = 1L;

    MalformedException(String message) {
      super(message);
    }
  }

  public DocCodec(ProtocolDoc doc) {
    this.doc = doc;
    this.symbols =
        Map.of(
            "code", doc.names("code", "name", "carried by", "when"),
            "how", doc.names("how", "name", "means"),
            "why", doc.names("why", "name", "means"));
  }

  /** Reads {@code NAME field=value field=value}. */
  public static Written parse(String text) {
    return new Scanner(text).message();
  }

  /**
   * The frame of a client's message; fields that are not written get their defaults.
   *
   * @param variables values named by earlier steps
   */
  public byte[] encode(String text, Map<String, Object> variables) {
    return encode(text, false, variables);
  }

  /** Same for either direction. */
  public byte[] encode(String text, boolean fromServer, Map<String, Object> variables) {
    Written written = parse(text);
    Message message = message(written.name(), fromServer);
    checkNames(written, message);
    Map<String, Object> values = new LinkedHashMap<>();
    for (Field field : message.fields()) {
      Expression expression = written.fields().get(field.name());
      if (expression != null) {
        values.put(field.name(), value(field, expression, variables));
      }
    }
    return encode(message, values);
  }

  /** The frame of a message. */
  public byte[] encode(Message message, Map<String, Object> values) {
    long flags = 0;
    for (Field field : message.fields()) {
      flags |= values.containsKey(field.name()) ? field.flag() : 0;
    }
    flags = values.containsKey("flags") ? (Long) values.get("flags") : flags;
    ByteArrayOutputStream body = new ByteArrayOutputStream();
    for (Field field : message.fields()) {
      if (field.flag() == 0 || (flags & field.flag()) != 0) {
        Object value = values.get(field.name());
        write(field, value == null ? defaultOf(field, flags) : value, body);
      }
    }
    byte[] bytes = body.toByteArray();
    return ByteBuffer.allocate(4 + bytes.length)
        .putInt(message.type() << 24 | bytes.length)
        .put(bytes)
        .array();
  }

  /**
   * The message of a whole frame.
   *
   * @throws IllegalArgumentException if the document has no such type, or it is not one whole frame
   */
  public Decoded decode(byte[] frame) throws MalformedException {
    int type = frame[0] & 0xFF;
    Message message = doc.message(type);
    int length = ByteBuffer.wrap(frame).getInt() & 0xFFFFFF;
    if (message == null || frame.length != 4 + length) {
      throw new IllegalArgumentException("not a frame: " + HexFormat.of().formatHex(frame));
    }
    ByteBuffer body = ByteBuffer.wrap(frame, 4, length);
    Map<String, Object> values = new LinkedHashMap<>();
    long flags = 0;
    for (Field field : message.fields()) {
      if (field.flag() == 0 || (flags & field.flag()) != 0) {
        Object value = read(field, body);
        if (field.name().equals("flags")) {
          flags = (Long) value;
        }
        if (field.constant().isEmpty()) {
          values.put(field.name(), value);
        } else if (!value.equals(Long.decode(field.constant()))) {
          throw new MalformedException(field.name() + " is " + value);
        }
      }
    }
    return new Decoded(message, values);
  }

  /**
   * Holds a frame from the server against what was written, and names values.
   *
   * @param variables values named by earlier steps; takes those that this one names
   * @return null if it fits, otherwise in what it does not
   */
  public String mismatch(String text, byte[] frame, Map<String, Object> variables) {
    Written written = parse(text);
    Decoded decoded;
    try {
      decoded = decode(frame);
    } catch (MalformedException | IllegalArgumentException e) {
      return e.toString();
    }
    Message message = decoded.message();
    if (!message.name().equals(written.name()) || !message.fromServer()) {
      return "not " + written.name() + " but " + describe(decoded);
    }
    checkNames(written, message);
    for (Field field : message.fields()) {
      Expression expression = written.fields().get(field.name());
      if (expression == null || expression instanceof Anything) {
        continue;
      }
      Object actual = decoded.fields().get(field.name());
      if (expression instanceof Variable variable && !variables.containsKey(variable.name())) {
        if (variable.plus() != 0) {
          throw new IllegalArgumentException("not named yet: " + variable.name());
        }
        variables.put(variable.name(), actual);
      } else if (!value(field, expression, variables).equals(actual)) {
        return field.name()
            + " is not "
            + abbreviate(value(field, expression, variables))
            + " in "
            + describe(decoded);
      }
    }
    return null;
  }

  /** A message in the notation of the document, with all its fields; long strings cut. */
  public String describe(Decoded decoded) {
    StringBuilder text = new StringBuilder(decoded.message().name());
    decoded
        .fields()
        .forEach(
            (name, value) -> text.append(' ').append(name).append('=').append(abbreviate(value)));
    return text.toString();
  }

  /** All fields as written, for a text that leaves none of them out. */
  public Map<String, Object> values(String text, boolean fromServer) {
    Written written = parse(text);
    Message message = message(written.name(), fromServer);
    checkNames(written, message);
    Map<String, Object> values = new LinkedHashMap<>();
    for (Field field : message.fields()) {
      if (written.fields().containsKey(field.name())) {
        values.put(field.name(), value(field, written.fields().get(field.name()), new HashMap<>()));
      }
    }
    return values;
  }

  /** The message of a name in one direction. */
  public Message message(String name, boolean fromServer) {
    return doc.messages().stream()
        .filter(message -> message.name().equals(name) && message.fromServer() == fromServer)
        .findFirst()
        .orElseThrow(() -> new IllegalArgumentException("no message " + name));
  }

  private static String abbreviate(Object value) {
    String text = value instanceof Long number ? Long.toUnsignedString(number) : "" + value;
    return text.length() > 80 ? text.substring(0, 80) + "… (" + text.length() + ")" : text;
  }

  private static void checkNames(Written written, Message message) {
    List<String> known = message.fields().stream().map(Field::name).toList();
    if (!known.containsAll(written.fields().keySet())) {
      throw new IllegalArgumentException(written + ": fields are " + known);
    }
  }

  private static Object defaultOf(Field field, long flags) {
    if (!field.constant().isEmpty()) {
      return Long.decode(field.constant());
    }
    return switch (field.name()) {
      case "flags" -> flags;
      case "verMin", "verMax" -> 1L;
      default ->
          switch (field.type()) {
            case "str8", "rest" -> "";
            case "bytes8" -> "0x";
            case "16 B" -> "0x" + "00".repeat(16);
            case "str8*" -> List.of();
            default -> 0L;
          };
    };
  }

  Object value(Field field, Expression expression, Map<String, Object> variables) {
    if (expression instanceof Variable variable) {
      Object bound = Objects.requireNonNull(variables.get(variable.name()), variable.name());
      return bound instanceof Long number ? (Object) mask(field, number + variable.plus()) : bound;
    }
    if (expression instanceof Str str) {
      boolean bytes = field.type().equals("bytes8");
      return bytes ? "0x" + hex(str.text().getBytes(StandardCharsets.UTF_8)) : str.text();
    }
    if (expression instanceof Names names) {
      return names.names();
    }
    if (expression instanceof Plain plain) {
      return plainValue(field, plain.token());
    }
    throw new IllegalArgumentException(field.name() + " needs a value");
  }

  private Object plainValue(Field field, String token) {
    if (field.type().equals("16 B") || field.type().equals("bytes8")) {
      return token;
    }
    if (Character.isDigit(token.charAt(0))) {
      return token.startsWith("0x")
          ? Long.parseUnsignedLong(token.substring(2), 16)
          : Long.parseUnsignedLong(token);
    }
    return symbols.getOrDefault(field.name(), Map.of()).entrySet().stream()
        .filter(entry -> entry.getValue().equals(token))
        .findFirst()
        .map(entry -> (Object) (long) entry.getKey())
        .orElseThrow(() -> new IllegalArgumentException("no " + field.name() + " " + token));
  }

  private static Long mask(Field field, long value) {
    int bytes = intBytes(field.type());
    return bytes == 8 ? value : value & ((1L << (8 * bytes)) - 1);
  }

  private static int intBytes(String type) {
    return switch (type) {
      case "u8" -> 1;
      case "u16" -> 2;
      case "u32" -> 4;
      case "u64" -> 8;
      default -> throw new IllegalArgumentException("not an integer: " + type);
    };
  }

  private static void write(Field field, Object value, ByteArrayOutputStream out) {
    switch (field.type()) {
      case "16 B" -> out.writeBytes(bytes(value));
      case "bytes8" -> writeCounted(bytes(value), out);
      case "str8" -> writeCounted(((String) value).getBytes(StandardCharsets.UTF_8), out);
      case "rest" -> out.writeBytes(((String) value).getBytes(StandardCharsets.UTF_8));
      case "str8*" ->
          ((List<?>) value)
              .forEach(name -> writeCounted(((String) name).getBytes(StandardCharsets.UTF_8), out));
      default -> {
        for (int shift = 8 * intBytes(field.type()) - 8; shift >= 0; shift -= 8) {
          out.write((int) ((Long) value >>> shift));
        }
      }
    }
  }

  private static void writeCounted(byte[] bytes, ByteArrayOutputStream out) {
    out.write(bytes.length);
    out.writeBytes(bytes);
  }

  private static byte[] bytes(Object value) {
    return HexFormat.of().parseHex(((String) value).substring(2));
  }

  private static String hex(byte[] bytes) {
    return HexFormat.of().formatHex(bytes);
  }

  private static Object read(Field field, ByteBuffer body) throws MalformedException {
    return switch (field.type()) {
      case "16 B" -> "0x" + hex(take(body, 16));
      case "bytes8" -> "0x" + hex(take(body, take(body, 1)[0] & 0xFF));
      case "str8" -> utf8(take(body, take(body, 1)[0] & 0xFF));
      case "rest" -> utf8(take(body, body.remaining()));
      case "str8*" -> {
        List<String> names = new ArrayList<>();
        while (body.hasRemaining()) {
          names.add(utf8(take(body, take(body, 1)[0] & 0xFF)));
        }
        yield names;
      }
      default -> {
        long value = 0;
        for (byte b : take(body, intBytes(field.type()))) {
          value = value << 8 | (b & 0xFF);
        }
        yield value;
      }
    };
  }

  private static byte[] take(ByteBuffer body, int count) throws MalformedException {
    if (body.remaining() < count) {
      throw new MalformedException("the body is too short");
    }
    byte[] bytes = new byte[count];
    body.get(bytes);
    return bytes;
  }

  private static String utf8(byte[] bytes) throws MalformedException {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException e) {
      throw new MalformedException("not UTF-8: " + hex(bytes));
    }
  }

  private static final class Scanner {
    private final String text;
    private int at;

    Scanner(String text) {
      this.text = text.trim();
    }

    Written message() {
      String name = word();
      Map<String, Expression> fields = new LinkedHashMap<>();
      while (at < text.length()) {
        expect(' ');
        String field = word();
        expect('=');
        if (fields.put(field, expression()) != null) {
          throw new IllegalArgumentException("twice " + field + " in " + text);
        }
      }
      return new Written(name, fields);
    }

    private Expression expression() {
      if (peek() == '"') {
        return new Str(string());
      }
      if (peek() == '[') {
        return new Names(names());
      }
      if (peek() != '?') {
        return new Plain(word());
      }
      at++;
      String name = word();
      if (name.isEmpty()) {
        return new Anything();
      }
      long plus = 0;
      if (peek() == '+') {
        at++;
        plus = Long.parseLong(word());
      }
      return new Variable(name, plus);
    }

    private List<String> names() {
      List<String> names = new ArrayList<>();
      expect('[');
      while (peek() != ']') {
        names.add(string());
        if (peek() == ',') {
          at++;
        }
      }
      expect(']');
      return List.copyOf(names);
    }

    private String string() {
      StringBuilder string = new StringBuilder();
      expect('"');
      while (peek() != '"') {
        char c = text.charAt(at++);
        if (c != '\\') {
          string.append(c);
          continue;
        }
        switch (text.charAt(at++)) {
          case 'n' -> string.append('\n');
          case 't' -> string.append('\t');
          case '"' -> string.append('"');
          case '\\' -> string.append('\\');
          case 'u' -> {
            expect('{');
            string.appendCodePoint(Integer.parseInt(word(), 16));
            expect('}');
          }
          default -> throw new IllegalArgumentException("escape at " + at + " of " + text);
        }
      }
      expect('"');
      if (peek() != '*') {
        return string.toString();
      }
      at++;
      return string.toString().repeat(Integer.parseInt(word()));
    }

    private String word() {
      int start = at;
      while (Character.isLetterOrDigit(peek()) || peek() == '_') {
        at++;
      }
      return text.substring(start, at);
    }

    private char peek() {
      return at < text.length() ? text.charAt(at) : '\0';
    }

    private void expect(char c) {
      if (peek() != c) {
        throw new IllegalArgumentException("expected " + c + " at " + at + " of " + text);
      }
      at++;
    }
  }
}
