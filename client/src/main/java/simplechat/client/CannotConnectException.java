package simplechat.client;

import io.netty.channel.ConnectTimeoutException;
import io.netty.handler.codec.DecoderException;
import java.io.IOException;
import java.net.ConnectException;
import java.net.NoRouteToHostException;
import java.net.UnknownHostException;
import java.nio.channels.ClosedChannelException;
import java.security.cert.CertificateException;
import java.util.Locale;
import java.util.concurrent.RejectedExecutionException;
import javax.net.ssl.SSLException;

/** No connection came about; the message says to where and why, in a line. */
public final class CannotConnectException extends IOException {
  private static final long serialVersionUID = 1L;

  CannotConnectException(String host, int port, Throwable cause) {
    super("cannot connect to " + address(host, port) + ": " + reason(cause), cause);
  }

  private static String address(String host, int port) {
    return (host.indexOf(':') < 0 ? host : "[" + host + "]") + ":" + port;
  }

  /** In our words, because those of systems and libraries differ and repeat the address. */
  private static String reason(Throwable cause) {
    if (cause instanceof SSLException
        || cause instanceof CertificateException
        || cause instanceof DecoderException) {
      return Trust.reason(cause);
    }
    if (cause instanceof ClosedChannelException) {
      return "the server hung up";
    }
    if (cause instanceof ConnectTimeoutException) {
      return "no answer";
    }
    if (cause instanceof UnknownHostException) {
      return "unknown host";
    }
    if (cause instanceof NoRouteToHostException) {
      return "no route to host";
    }
    if (cause instanceof IllegalArgumentException || cause instanceof RejectedExecutionException) {
      return String.valueOf(cause.getMessage());
    }
    String text = String.valueOf(cause.getMessage()).toLowerCase(Locale.ROOT);
    if (text.contains("unreachable")) {
      return "network is unreachable";
    }
    return cause instanceof ConnectException && text.contains("refused")
        ? "connection refused"
        : "connection failed";
  }
}
