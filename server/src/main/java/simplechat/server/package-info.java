/**
 * Sockets and life-cycle: what stands between the network and the room.
 *
 * <pre>
 *   in:   socket, Inbound, Connection, RoomLink, Room    appends; publishes once a turn
 *                                                  |
 *   out:  socket, Outbound, Cursor ............... log   ConnectionLoop wakes its members
 * </pre>
 *
 * <p><b>Threads.</b> N event loops, by default as many as there are cores, and no others. A
 * connection lives on one loop for its life, and {@link simplechat.server.Connection}, its {@link
 * simplechat.server.Inbound}, {@link simplechat.server.Outbound} and the loop's {@link
 * simplechat.server.ConnectionLoop} are touched there alone. The first loop is also the room's and
 * accepts connections. A connection on the room's loop calls the room directly; from another loop a
 * task carries what one read brought. Nothing here blocks, sleeps or takes a lock; only {@link
 * simplechat.server.ServerMain} waits.
 *
 * <p><b>Time.</b> Deadlines are kept by a sweep of each loop over its connections, in time that the
 * loop has served: a pause of the process passes for nobody.
 */
@NullMarked
package simplechat.server;

import org.jspecify.annotations.NullMarked;
