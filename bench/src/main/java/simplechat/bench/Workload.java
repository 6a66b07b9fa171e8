package simplechat.bench;

import java.time.Duration;

/**
 * What the members do.
 *
 * @param members who are in the room
 * @param senders how many of them speak
 * @param textBytes of each message
 * @param rate messages a second by all senders together, 0 to saturate
 * @param outstanding when saturating: how many messages of a sender may be on their way at once
 * @param messages of each sender in a run, 0 to run for a time
 * @param warmUp before the first run
 * @param run how long one is
 * @param runs how many there are
 * @param spin true to poll without a pause
 * @param protocol what the server speaks
 */
record Workload(
    int members,
    int senders,
    int textBytes,
    double rate,
    int outstanding,
    int messages,
    Duration warmUp,
    Duration run,
    int runs,
    boolean spin,
    Protocol protocol) {

  /** Whom a message reaches. */
  int receivers() {
    return protocol.echoes() ? members : members - 1;
  }
}
