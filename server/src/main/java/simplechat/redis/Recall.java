package simplechat.redis;

import io.lettuce.core.StreamMessage;
import java.util.List;

/**
 * Reads what the stream still has of a room's past, up to a snapshot.
 *
 * <p>Threading: the room's loop. Bounds: a page at a time.
 */
final class Recall {
  private static final int PAGE_ENTRIES = 500;

  private final Node node;
  private final RedisLink link;
  private final Follower follower;
  private final Snapshot room;

  Recall(Node node, RedisLink link, Follower follower, Snapshot room) {
    this.node = node;
    this.link = link;
    this.follower = follower;
    this.room = room;
  }

  /**
   * @param begun called when the new room is there, still without its past
   * @param done called when all of it has been read
   */
  void begin(Runnable begun, Runnable done) {
    node.on(
        link,
        link.range("0-0", room.lastId(), PAGE_ENTRIES),
        page -> {
          follower.begin(room, Calls.firstPosition(page, room.end()), "the room has begun anew");
          begun.run();
          read(page, done);
        });
  }

  private void read(List<StreamMessage<byte[], byte[]>> page, Runnable done) {
    page.forEach(follower::recall);
    if (page.size() < PAGE_ENTRIES) {
      follower.recalled(room);
      done.run();
    } else {
      node.on(
          link,
          link.range(follower.lastId(), room.lastId(), PAGE_ENTRIES),
          next -> read(next, done));
    }
  }
}
