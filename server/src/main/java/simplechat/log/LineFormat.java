package simplechat.log;

import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.IThrowableProxy;
import ch.qos.logback.classic.spi.StackTraceElementProxy;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.regex.Pattern;
import org.slf4j.event.KeyValuePair;

/**
 * An event as one line, whatever bytes are in it.
 *
 * <p>Threading: any. Bounds: {@link #FRAMES_MAX} places of a stack, and four causes.
 */
public enum LineFormat {
  /** {@code 2026-11-26T10:53:13.123Z INFO Connection: closed reason=slow address=10.0.0.7:4711}. */
  TEXT {
    @Override
    void begin(StringBuilder line, ILoggingEvent event) {
      line.append(time(event)).append(' ').append(event.getLevel()).append(' ');
      line.append(logger(event)).append(": ");
      escape(line, event.getFormattedMessage());
    }

    @Override
    void field(StringBuilder line, String key, Object value) {
      line.append(' ').append(key).append('=');
      String text = value.toString();
      if (PLAIN.matcher(text).matches()) {
        line.append(text);
      } else {
        quote(line, text);
      }
    }

    @Override
    void end(StringBuilder line) {}
  },

  /** An object a line. */
  JSON {
    @Override
    void begin(StringBuilder line, ILoggingEvent event) {
      line.append("{\"time\":\"").append(time(event)).append('"');
      field(line, "level", event.getLevel());
      field(line, "logger", logger(event));
      field(line, "message", event.getFormattedMessage());
    }

    @Override
    void field(StringBuilder line, String key, Object value) {
      line.append(",\"").append(key).append("\":");
      if (value instanceof Long || value instanceof Integer) {
        line.append(value);
      } else {
        quote(line, value.toString());
      }
    }

    @Override
    void end(StringBuilder line) {
      line.append('}');
    }
  };

  private static final Pattern PLAIN = Pattern.compile("[\\w.:,/@+\\[\\]-]+");
  private static final int FRAMES_MAX = 8;
  private static final int CAUSES_MAX = 4;

  abstract void begin(StringBuilder line, ILoggingEvent event);

  abstract void field(StringBuilder line, String key, Object value);

  abstract void end(StringBuilder line);

  /** The line, with its end. */
  String line(ILoggingEvent event) {
    StringBuilder line = new StringBuilder();
    begin(line, event);
    List<KeyValuePair> pairs = event.getKeyValuePairs();
    if (pairs != null) {
      pairs.forEach(pair -> field(line, pair.key, pair.value == null ? "" : pair.value));
    }
    if (event.getThrowableProxy() != null) {
      field(line, "error", trace(event.getThrowableProxy()));
    }
    end(line);
    return line.append('\n').toString();
  }

  private static String time(ILoggingEvent event) {
    return DateTimeFormatter.ISO_INSTANT.format(event.getInstant().truncatedTo(ChronoUnit.MILLIS));
  }

  private static String logger(ILoggingEvent event) {
    String name = event.getLoggerName();
    return name.substring(name.lastIndexOf('.') + 1);
  }

  private static String trace(IThrowableProxy first) {
    StringBuilder trace = new StringBuilder();
    IThrowableProxy error = first;
    for (int causes = 0; error != null && causes < CAUSES_MAX; causes++) {
      trace.append(causes == 0 ? "" : " caused by ").append(error.getClassName());
      trace.append(": ").append(error.getMessage());
      StackTraceElementProxy[] frames = error.getStackTraceElementProxyArray();
      for (int i = 0; i < Math.min(FRAMES_MAX, frames.length); i++) {
        trace.append(' ').append(frames[i].getSTEAsString());
      }
      error = error.getCause();
    }
    return trace.toString();
  }

  private static void quote(StringBuilder line, String text) {
    line.append('"');
    escape(line, text);
    line.append('"');
  }

  /** What does not print, or would end a quote, is written as JSON writes it. */
  private static void escape(StringBuilder line, String text) {
    for (int i = 0; i < text.length(); ) {
      int point = text.codePointAt(i);
      int units = Character.charCount(point);
      if (point == '"' || point == '\\') {
        line.append('\\').append((char) point);
      } else if (isShown(point)) {
        line.appendCodePoint(point);
      } else {
        for (int unit = i; unit < i + units; unit++) {
          line.append(String.format("\\u%04x", (int) text.charAt(unit)));
        }
      }
      i += units;
    }
  }

  private static boolean isShown(int point) {
    return switch (Character.getType(point)) {
      case Character.CONTROL,
          Character.FORMAT,
          Character.SURROGATE,
          Character.PRIVATE_USE,
          Character.UNASSIGNED,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR ->
          false;
      default -> true;
    };
  }
}
