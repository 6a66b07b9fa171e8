package simplechat.server;

import io.netty.channel.Channel;
import java.net.InetAddress;
import java.net.InetSocketAddress;

/**
 * Whom an address belongs to, as far as anybody can tell: of IPv6 the network of 64 bits, because
 * everybody has one; an IPv4 address that is written as IPv6 is the same as written plainly.
 */
record Address(boolean isIpv6, long bits) {
  /** Of a peer that was gone before it was asked for. */
  static final Address UNKNOWN = new Address(false, 0);

  private static final int IPV4_AT = 12;

  static Address of(Channel peer) {
    return peer.remoteAddress() instanceof InetSocketAddress known
        ? of(known.getAddress())
        : UNKNOWN;
  }

  static Address of(InetAddress address) {
    byte[] bytes = address.getAddress();
    if (bytes.length < IPV4_AT) {
      return new Address(false, bits(bytes, 0, bytes.length));
    }
    boolean mapped = bits(bytes, 0, 8) == 0 && bits(bytes, 8, IPV4_AT) == 0xFFFF;
    return mapped
        ? new Address(false, bits(bytes, IPV4_AT, bytes.length))
        : new Address(true, bits(bytes, 0, 8));
  }

  private static long bits(byte[] bytes, int from, int to) {
    long bits = 0;
    for (int i = from; i < to; i++) {
      bits = (bits << 8) | (bytes[i] & 0xFF);
    }
    return bits;
  }
}
