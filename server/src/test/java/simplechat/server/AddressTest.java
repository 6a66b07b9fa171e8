package simplechat.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import org.junit.jupiter.api.Test;

/** Which addresses are held to be one. */
class AddressTest {
  @Test
  void anIpv4AddressIsOneHoweverItIsWritten() throws UnknownHostException {
    byte[] mapped = new byte[16];
    mapped[10] = -1;
    mapped[11] = -1;
    mapped[12] = (byte) 192;
    mapped[15] = 7;
    Address plain = Address.of(InetAddress.getByName("192.0.0.7"));
    // As the native transport makes it; InetAddress.getByAddress would give the plain one.
    assertThat(Address.of(Inet6Address.getByAddress(null, mapped, -1))).isEqualTo(plain);
    assertThat(Address.of(InetAddress.getByName("192.0.0.8"))).isNotEqualTo(plain);
  }

  @Test
  void ofIpv6TheNetworkCounts() throws UnknownHostException {
    Address one = Address.of(InetAddress.getByName("2001:db8:1:2::1"));
    assertThat(Address.of(InetAddress.getByName("2001:db8:1:2:ffff::9"))).isEqualTo(one);
    assertThat(Address.of(InetAddress.getByName("2001:db8:1:3::1"))).isNotEqualTo(one);
    assertThat(one).isNotEqualTo(Address.of(InetAddress.getByName("192.0.0.7")));
  }
}
