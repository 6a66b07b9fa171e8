package simplechat.protocol;

/** The arithmetic of positions, which are 64 bits in the room and 32 on the wire. */
public final class Positions {
  private Positions() {}

  /**
   * The position whose low 32 bits are {@code seq}, at or after {@code next}.
   *
   * @param next a lower bound: the position after the last one that came
   * @throws ProtocolException MALFORMED if it lies behind, or 2^31 or more ahead
   */
  public static long expand(long next, int seq) throws ProtocolException {
    int ahead = seq - (int) next;
    if (ahead < 0) {
      throw new ProtocolException(ErrorCode.MALFORMED, "a position goes backwards");
    }
    return next + ahead;
  }
}
