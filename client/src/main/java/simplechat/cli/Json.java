package simplechat.cli;

import java.util.List;
import java.util.Locale;

/**
 * An object of JSON on one line. Whatever a text holds, nothing of the object can drive a terminal
 * or hide in it: what the {@link Sanitiser} would change is written as an escape, which stands for
 * the same text.
 */
final class Json {
  private final StringBuilder json = new StringBuilder("{");

  Json(String type) {
    put("type", type);
  }

  Json put(String name, String value) {
    key(name);
    string(value);
    return this;
  }

  Json put(String name, long value) {
    key(name);
    json.append(value);
    return this;
  }

  Json put(String name, boolean value) {
    key(name);
    json.append(value);
    return this;
  }

  Json put(String name, List<String> values) {
    key(name);
    json.append('[');
    String separator = "";
    for (String value : values) {
      json.append(separator);
      string(value);
      separator = ",";
    }
    json.append(']');
    return this;
  }

  Line line() {
    return Line.of(json + "}");
  }

  private void key(String name) {
    json.append(json.length() > 1 ? "," : "").append('"').append(name).append("\":");
  }

  private void string(String value) {
    String printable = value.replace('\n', ' ').replace('\t', ' ');
    boolean asItIs = Sanitiser.text(printable).equals(printable);
    json.append('"');
    for (int i = 0; i < value.length(); i++) {
      char c = value.charAt(i);
      if (c == '"' || c == '\\') {
        json.append('\\').append(c);
      } else if (c == '\n') {
        json.append("\\n");
      } else if (c == '\t') {
        json.append("\\t");
      } else if (c < ' ' || c == 0x7F || (c > 0x7F && !asItIs)) {
        json.append(String.format(Locale.ROOT, "\\u%04x", (int) c));
      } else {
        json.append(c);
      }
    }
    json.append('"');
  }
}
