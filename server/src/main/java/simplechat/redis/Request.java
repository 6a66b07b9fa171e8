package simplechat.redis;

import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;
import simplechat.room.Arrival;
import simplechat.room.Member;

/** One thing asked of publish.lua; each is one of its own kind, whatever it says. */
final class Request {
  static final int ARGUMENTS = 6;

  /** Roughly what it takes beside its text. */
  private static final int OVERHEAD_BYTES = 200;

  private final char kind;
  private final byte[][] arguments;
  private final @Nullable Member member;
  private final long claim;
  private final @Nullable Arrival arrival;

  private Request(
      char kind,
      byte[][] arguments,
      @Nullable Member member,
      long claim,
      @Nullable Arrival arrival) {
    this.kind = kind;
    this.arguments = arguments;
    this.member = member;
    this.claim = claim;
    this.arrival = arrival;
  }

  /** To join, also again: J. */
  static Request of(Arrival arrival, byte[][] arguments) {
    return new Request('J', arguments, null, 0, arrival);
  }

  /** M a text, C to count a refused one, L to go. */
  static Request of(char kind, Member member, byte[][] arguments) {
    return new Request(kind, arguments, member, member.ordinal(), null);
  }

  static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  static byte[] bytes(long number) {
    return bytes(Long.toString(number));
  }

  char kind() {
    return kind;
  }

  /** As the script names them; the last is the text. */
  byte[][] arguments() {
    return arguments;
  }

  /** Who asks; null for J. */
  @Nullable Member member() {
    return member;
  }

  /** The member's ordinal when it asked. */
  long claim() {
    return claim;
  }

  /** Who is at the door; null but for J. */
  @Nullable Arrival arrival() {
    return arrival;
  }

  /** Memory that it takes, about. */
  int length() {
    return OVERHEAD_BYTES + arguments[ARGUMENTS - 1].length;
  }
}
