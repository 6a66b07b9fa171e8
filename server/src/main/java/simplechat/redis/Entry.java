package simplechat.redis;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import simplechat.protocol.Limits;
import simplechat.protocol.MemberName;
import simplechat.protocol.ProtocolException;
import simplechat.protocol.ResumeToken;
import simplechat.protocol.Text;

/**
 * One entry of the stream, as common.lua writes it.
 *
 * @param position its own, or the next one for an entry that takes none
 * @param kind J joined, B came back, M a text, C a SEND counted, L left, E the first of a room
 * @param node who asked for it, - for none
 * @param number of the request at that node, 0 for none
 * @param claim position of the JOINED that it goes back to
 * @param what number of the SEND, or why somebody left, or the SENDs taken of who came back
 * @param members how many are there now
 * @param time of Redis, in seconds
 */
record Entry(
    long position,
    char kind,
    String node,
    long number,
    ResumeToken token,
    long claim,
    int what,
    int members,
    int time,
    @Nullable MemberName name,
    ByteBuf text) {
  private static final String VERSION = "1";
  private static final String KINDS = "JBMCLE";
  private static final int FIELDS = 10;
  private static final int HEADER_MAX_BYTES = 512;
  private static final ResumeToken NOBODY = new ResumeToken(0, 0);

  /** Null for what is not ours, of another version, or breaks a rule. */
  static @Nullable Entry of(String id, Map<byte[], byte[]> body) {
    byte[] header = null;
    byte[] text = null;
    for (Map.Entry<byte[], byte[]> field : body.entrySet()) {
      if (field.getKey().length == 1 && field.getKey()[0] == 'h') {
        header = field.getValue();
      } else if (field.getKey().length == 1 && field.getKey()[0] == 'x') {
        text = field.getValue();
      }
    }
    if (header == null || text == null || header.length > HEADER_MAX_BYTES) {
      return null;
    }
    try {
      return parse(id, new String(header, StandardCharsets.UTF_8), Unpooled.wrappedBuffer(text));
    } catch (NumberFormatException | ProtocolException e) {
      return null;
    }
  }

  /** True if it has a place in the room's order. */
  boolean takesPosition() {
    return kind != 'C' && kind != 'E';
  }

  private static @Nullable Entry parse(String id, String header, ByteBuf text)
      throws ProtocolException {
    String[] field = header.split(" ", FIELDS);
    if (field.length != FIELDS || !field[0].equals(VERSION) || field[2].length() != 1) {
      return null;
    }
    char kind = field[2].charAt(0);
    long position = Long.parseLong(field[1]);
    boolean first = kind == 'E';
    if (KINDS.indexOf(kind) < 0 || position < 0) {
      return null;
    }
    int length = text.readableBytes();
    if (kind == 'M' ? Text.check(text, 0, length, Limits.TEXT_MAX_BYTES) != null : length > 0) {
      return null;
    }
    return new Entry(
        position,
        kind,
        field[3],
        Long.parseLong(field[4]),
        first ? NOBODY : token(field[5]),
        Long.parseLong(field[6]),
        Integer.parseInt(field[7]),
        Integer.parseInt(field[8]),
        (int) (Long.parseLong(id.substring(0, id.indexOf('-'))) / 1000),
        first ? null : MemberName.of(field[9]),
        text);
  }

  static ResumeToken token(String hex) {
    if (hex.length() != 2 * ResumeToken.BYTES) {
      throw new NumberFormatException("a token of " + hex.length() + " digits");
    }
    return new ResumeToken(
        Long.parseUnsignedLong(hex.substring(0, ResumeToken.BYTES), 16),
        Long.parseUnsignedLong(hex.substring(ResumeToken.BYTES), 16));
  }
}
