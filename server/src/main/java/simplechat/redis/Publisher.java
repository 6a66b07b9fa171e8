package simplechat.redis;

import java.util.List;

/**
 * Sends what the {@link Outbox} holds, one call at a time, so that there is never more than one of
 * which it is not known whether it was taken.
 *
 * <p>Threading: the room's loop.
 */
final class Publisher {
  /**
   * An answer that takes more of the node's ticks, 0.5 s, does not come from a Redis that keeps up.
   * They are counted, not timed: a loop that is held up itself finds the answer before it ticks
   * again, and must not take its own delay for that of Redis.
   */
  private static final int PROMPT_TICKS = 5;

  private final RedisSettings settings;
  private final RedisKeys keys;
  private final Node node;
  private final Outbox outbox;
  private final Life life;
  private boolean underWay;
  private int ticks;

  Publisher(RedisSettings settings, RedisKeys keys, Node node, Outbox outbox, Life life) {
    this.settings = settings;
    this.keys = keys;
    this.node = node;
    this.outbox = outbox;
    this.life = life;
  }

  /** True unless a call waits for longer than it should. */
  boolean isPrompt() {
    return !underWay || ticks < PROMPT_TICKS;
  }

  void ticked() {
    ticks++;
  }

  /** Sends the next call, if none is under way. */
  void publish(RedisLink to) {
    if (underWay || outbox.isEmpty()) {
      return;
    }
    List<Request> call = outbox.call();
    underWay = true;
    ticks = 0;
    life.sending(outbox.first(), call);
    byte[][] arguments =
        Calls.publish(settings, keys, node.epoch(), node.name(), outbox.first(), call);
    node.on(to, to.run(Script.PUBLISH, node.name(), arguments), reply -> answered(to, reply));
  }

  /** The answer to what is under way, if anything is, will not come. */
  void giveUp() {
    underWay = false;
  }

  /** Forgets what was asked: it is asked by a name that is not ours any more. */
  void clear() {
    giveUp();
    outbox.clear(life::forgotten);
  }

  /**
   * So many were taken, as the script's counter says; their answers were lost.
   *
   * @param end how far the stream must be read to see what came of them
   * @return false if that cannot be
   */
  boolean settle(long taken, long end) {
    if (taken < outbox.first() - 1 || taken > outbox.last()) {
      return false;
    }
    while (outbox.first() <= taken) {
      long number = outbox.first();
      life.takenUnseen(number, outbox.answered(), end);
    }
    return true;
  }

  private void answered(RedisLink from, List<Object> reply) {
    long verdict = Snapshot.number(reply, 0);
    if (verdict < 0) {
      underWay = false;
      node.refused(verdict);
      return;
    }
    for (Object result : reply) {
      long number = outbox.first();
      life.done(number, outbox.answered(), (Long) result);
    }
    // Not before: whoever hears of it may ask for something, and the rest would be sent again.
    underWay = false;
    publish(from);
    life.moved();
  }
}
