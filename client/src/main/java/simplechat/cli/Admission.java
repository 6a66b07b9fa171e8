package simplechat.cli;

import org.jspecify.annotations.Nullable;
import simplechat.client.Trust;
import simplechat.protocol.RoomKey;

/**
 * What it takes to be let in, beside a name.
 *
 * @param trust to speak TLS, null to speak without
 * @param key the room's, null if none was given
 * @param insecure whether the key may be sent where the network can read it
 */
record Admission(@Nullable Trust trust, @Nullable RoomKey key, boolean insecure) {
  /** To a room that anybody may enter. */
  static final Admission FREE = new Admission(null, null, false);
}
