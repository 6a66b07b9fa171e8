package simplechat.cli;

import static simplechat.cli.Program.wrong;

import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Where the door is, and under which name one goes in; options go before variables. */
final class DoorOptions {
  private static final String DEFAULT_HOST = "127.0.0.1";
  private static final String DEFAULT_PORT = "8080";

  @Option(
      names = "--host",
      paramLabel = "HOST",
      description = "name or address of the server (" + DEFAULT_HOST + ")")
  private @Nullable String host;

  @Option(
      names = {"-p", "--port"},
      paramLabel = "PORT",
      description = "its port (" + DEFAULT_PORT + ")")
  private @Nullable String port;

  @Option(
      names = {"-u", "--username"},
      paramLabel = "NAME",
      description = "your name in the chat (else asked for; of send, that of your account)")
  private @Nullable String username;

  @Option(names = "--retry", description = "go on trying until the server lets you in")
  private boolean retry;

  @Mixin private final AdmissionOptions admission = new AdmissionOptions();

  /**
   * @throws UnreadableException if there is a file that cannot be read
   */
  Admission admission() throws UnreadableException {
    return admission.admission(host());
  }

  String host() {
    String server = orElse(host, "CHAT_HOST", DEFAULT_HOST);
    if (server.startsWith("[") && server.endsWith("]")) {
      server = server.substring(1, server.length() - 1);
    }
    if (server.isBlank()) {
      throw wrong((host == null ? "CHAT_HOST" : "--host") + " is empty");
    }
    return server;
  }

  int port() {
    String what = port == null ? "CHAT_PORT" : "--port";
    return number(what, orElse(port, "CHAT_PORT", DEFAULT_PORT), 1, 65_535);
  }

  /**
   * @param otherwise if no name was given; empty to give back null then
   */
  @Nullable String username(String otherwise) {
    String name = orElse(username, "CHAT_USERNAME", otherwise);
    String fault = name.isEmpty() ? null : NameOffer.fault(name);
    if (fault != null) {
      String where = username == null && isSet("CHAT_USERNAME") ? "CHAT_USERNAME: " : "";
      throw wrong(where + "'" + name + "' cannot be a name: " + fault);
    }
    return name.isEmpty() ? null : name;
  }

  boolean retry() {
    return retry || isTrue("CHAT_RETRY");
  }

  static boolean isSet(String variable) {
    String value = System.getenv(variable);
    return value != null && !value.isEmpty();
  }

  static int number(String what, String given, int min, int max) {
    try {
      int number = Integer.parseInt(given);
      if (number >= min && number <= max) {
        return number;
      }
    } catch (NumberFormatException e) {
      // Said below.
    }
    throw wrong(what + " is a number from " + min + " to " + max + ", not '" + given + "'");
  }

  private static String orElse(@Nullable String given, String variable, String otherwise) {
    if (given != null) {
      return given;
    }
    return isSet(variable) ? System.getenv(variable) : otherwise;
  }

  static boolean isTrue(String variable) {
    String value = orElse(null, variable, "false");
    if (!value.equals("true") && !value.equals("false")) {
      throw wrong(variable + " is true or false, not '" + value + "'");
    }
    return value.equals("true");
  }
}
