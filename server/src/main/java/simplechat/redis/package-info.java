/**
 * One room on many nodes: its order is a stream in Redis.
 *
 * <pre>
 *   Room  asks        Outbox  is sent to   publish.lua  writes   stream
 *                                                                 |
 *   Ledger  is written by   Follower   which reads (XREAD)   ------+------   other nodes
 * </pre>
 *
 * What members ask goes into the {@link simplechat.redis.Outbox} and from there, one call at a
 * time, to a script that gives each request its position, or refuses it. Nothing of it happens here
 * before it has been read back from the stream, in the stream's order, as on every other node. So a
 * call whose answer was lost needs no guess: the script's counter says how far it came, and the
 * stream says what became of it.
 *
 * <p><b>Threads.</b> The room's loop alone. Lettuce's connections live on the server's event loops;
 * what they answer is handed over.
 */
@NullMarked
package simplechat.redis;

import org.jspecify.annotations.NullMarked;
