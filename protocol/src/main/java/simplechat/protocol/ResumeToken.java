package simplechat.protocol;

import java.util.Locale;

/** 128 random bits that prove a returning client to be the one that left. */
public record ResumeToken(long high, long low) {
  public static final int BYTES = 16;

  /** 32 hexadecimal digits. Whoever knows them can take the session over: not for logs. */
  public String hex() {
    return String.format(Locale.ROOT, "%016x%016x", high, low);
  }

  /** Hides the bits: a token must not reach a log by accident. */
  @Override
  public String toString() {
    return "ResumeToken[secret]";
  }
}
