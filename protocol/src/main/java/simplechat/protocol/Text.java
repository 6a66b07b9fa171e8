package simplechat.protocol;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * The rules for the text of a message (PROTOCOL.md, section "Texts"): valid UTF-8, not blank, no C0
 * but TAB and LF, no DEL, no C1. A text is taken as it is or refused, never changed.
 */
public final class Text {
  private static final long HIGH_BITS = 0x8080808080808080L;
  private static final long ONES = 0x0101010101010101L;
  private static final int INVALID = -1;

  private Text() {}

  /**
   * Judges the text at {@code index}.
   *
   * @param maxBytes the longest that may be sent
   * @return null if it may be sent, otherwise TEXT_EMPTY, TEXT_TOO_LONG or TEXT_INVALID
   */
  public static @Nullable ErrorCode check(ByteBuf buffer, int index, int length, int maxBytes) {
    if (length > maxBytes) {
      return ErrorCode.TEXT_TOO_LONG;
    }
    boolean blank = true;
    int at = index;
    int end = index + length;
    while (at < end) {
      if (end - at >= Long.BYTES) {
        long word = buffer.getLong(at);
        if (isPlain(word)) {
          blank &= word == ' ' * ONES;
          at += Long.BYTES;
          continue;
        }
      }
      int codePoint = decode(buffer, at, end);
      if (codePoint == INVALID || isForbidden(codePoint)) {
        return ErrorCode.TEXT_INVALID;
      }
      blank &= isBlank(codePoint);
      at += utf8Length(codePoint);
    }
    return blank ? ErrorCode.TEXT_EMPTY : null;
  }

  /** Same for a text that was not encoded yet. */
  public static @Nullable ErrorCode check(String text, int maxBytes) {
    byte[] bytes = encode(text);
    return bytes == null
        ? ErrorCode.TEXT_INVALID
        : check(Unpooled.wrappedBuffer(bytes), 0, bytes.length, maxBytes);
  }

  /** The UTF-8 of a string, null if it has none because of a lone surrogate. */
  public static byte @Nullable [] encode(String text) {
    try {
      ByteBuffer bytes =
          StandardCharsets.UTF_8
              .newEncoder()
              .onMalformedInput(CodingErrorAction.REPORT)
              .encode(CharBuffer.wrap(text));
      byte[] encoded = new byte[bytes.remaining()];
      bytes.get(encoded);
      return encoded;
    } catch (CharacterCodingException e) {
      return null;
    }
  }

  /**
   * The string of the bytes at {@code index}.
   *
   * @throws ProtocolException with {@code code} if they are not valid UTF-8
   */
  static String decode(ByteBuf buffer, int index, int length, ErrorCode code, String what)
      throws ProtocolException {
    try {
      return StandardCharsets.UTF_8
          .newDecoder()
          .onMalformedInput(CodingErrorAction.REPORT)
          .decode(buffer.nioBuffer(index, length))
          .toString();
    } catch (CharacterCodingException e) {
      throw new ProtocolException(code, what + " is not valid UTF-8");
    }
  }

  /** Eight bytes at once: all of them from space to tilde. */
  private static boolean isPlain(long word) {
    long belowSpace = (word - ' ' * ONES) & ~word;
    long del = word ^ (0x7F * ONES);
    long isDel = (del - ONES) & ~del;
    return ((word | belowSpace | isDel) & HIGH_BITS) == 0;
  }

  /** A control character other than TAB and LINE FEED, which no text may have. */
  public static boolean isForbidden(int codePoint) {
    return (codePoint < 0x20 && codePoint != '\t' && codePoint != '\n')
        || (codePoint >= 0x7F && codePoint <= 0x9F);
  }

  /**
   * White space as Unicode has it: the JDK's two notions together, of which one leaves out NBSP.
   */
  private static boolean isBlank(int codePoint) {
    return Character.isWhitespace(codePoint) || Character.isSpaceChar(codePoint);
  }

  /** The code point at {@code at}, or INVALID: overlong, surrogate, above U+10FFFF or cut short. */
  private static int decode(ByteBuf buffer, int at, int end) {
    int lead = buffer.getByte(at);
    if (lead >= 0) {
      return lead;
    }
    int more;
    int min;
    int codePoint;
    if ((lead & 0xE0) == 0xC0) {
      more = 1;
      min = 0x80;
      codePoint = lead & 0x1F;
    } else if ((lead & 0xF0) == 0xE0) {
      more = 2;
      min = 0x800;
      codePoint = lead & 0x0F;
    } else if ((lead & 0xF8) == 0xF0) {
      more = 3;
      min = 0x10000;
      codePoint = lead & 0x07;
    } else {
      return INVALID;
    }
    if (end - at <= more) {
      return INVALID;
    }
    for (int i = 1; i <= more; i++) {
      int next = buffer.getByte(at + i);
      if ((next & 0xC0) != 0x80) {
        return INVALID;
      }
      codePoint = codePoint << 6 | (next & 0x3F);
    }
    boolean valid =
        codePoint >= min
            && codePoint <= Character.MAX_CODE_POINT
            && !(codePoint >= Character.MIN_SURROGATE && codePoint <= Character.MAX_SURROGATE);
    return valid ? codePoint : INVALID;
  }

  private static int utf8Length(int codePoint) {
    if (codePoint < 0x80) {
      return 1;
    }
    if (codePoint < 0x800) {
      return 2;
    }
    return codePoint < 0x10000 ? 3 : 4;
  }
}
