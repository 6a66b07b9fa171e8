/**
 * The chat itself: one room, its log, and who is in it. No sockets, no threads of its own, no clock
 * that it was not given.
 *
 * <p>The room is a log and a member is a cursor. Every event is encoded once, as the frame that all
 * receivers get, and appended to the newest of a chain of segments; a member's {@link
 * simplechat.room.Cursor} says which byte of it is the next to be sent:
 *
 * <pre>
 *    start                                                   end (published)
 *      |                                                      |
 *      v  segment            segment            segment       v
 *     [ MSG MSG JOINED ]--&gt; [ MSG MSG MSG ]--&gt; [ LEFT MSG ] ......
 *         ^                     [own]  ^            ^
 *       bob's cursor                 eve's        ann's, caught up
 * </pre>
 *
 * To deliver is to write the bytes from the cursor to the end. Where they are the member's own they
 * are left out and acknowledged instead: a {@link simplechat.room.Run} says where. When the log is
 * full its oldest segment is retired, and a cursor that was in it lapses: it goes on at the oldest
 * segment left and the member is told by a GAP how much it missed.
 *
 * <p><b>Threads.</b> {@link simplechat.room.Room}, {@link simplechat.room.Member} and the writing
 * side of the log belong to one thread, the room's loop. Cursors belong to the loop of their
 * connection, which reads what the room's loop has published: the end and the successor of each
 * segment are volatile, everything else that a reader looks at was written before them and never
 * changes. A retired segment is freed when every {@link simplechat.room.LogReader} has let go of
 * it.
 */
@NullMarked
package simplechat.room;

import org.jspecify.annotations.NullMarked;
