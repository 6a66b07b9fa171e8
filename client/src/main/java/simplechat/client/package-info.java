/**
 * The client library: a membership in a chat, without a thread that waits.
 *
 * <pre>{@code
 * ChatListener printer =
 *     new ChatListener() {
 *       @Override
 *       public void message(RoomEvent.Message message) {
 *         System.out.println(message.name() + ": " + message.text());
 *       }
 *     };
 *
 * ChatClient.connect("127.0.0.1", 8080, printer)
 *     .thenCompose(
 *         client ->
 *             client
 *                 .join("alice", 0)
 *                 .thenCompose(welcome -> client.send("hello, everybody"))
 *                 .thenCompose(position -> client.leave()))
 *     .toCompletableFuture()
 *     .join(); // only a main may wait
 * }</pre>
 *
 * <p>{@link simplechat.client.ChatClient} is what a program holds, {@link
 * simplechat.client.ChatListener} what it is told through; {@link simplechat.client.ClientOptions}
 * makes it come back by itself when its connection is lost. Behind them:
 *
 * <pre>
 *   any thread                      event loop (one daemon thread)
 *   ----------                      ------------------------------------------------
 *   ChatClient --- execute ------>  Link             finds a connection, and the next one
 *                                    |   |-- BackOff, Wakefulness   when to
 *                                    |   +-- Connector, Connection  bytes, liveness, ends
 *                                    v                  |
 *                                   Session  &lt;-------+
 *                                       |            what may come when; outlives connections
 *                                       |-- Outbox        texts that wait for their ACK
 *                                       |-- Stream        is every position explained?
 *                                       |-- RosterCalls   answers to WHO
 *                                       v
 *                                   CompletionStages, ChatListener
 * </pre>
 *
 * <p>Everything but the methods of {@code ChatClient} is confined to the event loop; nothing on it
 * blocks. What a server sends is not trusted: it is decoded within fixed bounds, and the first lie
 * ends the connection with a {@link simplechat.client.Goodbye} that says so. Texts and names are
 * handed out as they came; whoever shows them makes them safe first.
 *
 * <p>Only {@code protocol} and Netty may be imported here: no terminal, no logging.
 */
@NullMarked
package simplechat.client;

import org.jspecify.annotations.NullMarked;
