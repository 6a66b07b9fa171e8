/**
 * The wire contract: what the bytes between a client and the server say.
 *
 * <p>{@code protocol/PROTOCOL.md} is normative; this package is its code. Bytes are cut into frames
 * by {@link simplechat.protocol.FrameDecoder}, and frames are turned into messages and back by
 * {@link simplechat.protocol.MessageCodec}, the only class that knows the order of fields:
 *
 * <pre>
 *   bytes --FrameDecoder--> frame (type, body) --MessageCodec--> ClientMessage / ServerMessage
 * </pre>
 *
 * <p>The registries are {@link simplechat.protocol.MessageType}, {@link
 * simplechat.protocol.ErrorCode} and {@link simplechat.protocol.Limits}; the tests compare each of
 * them with the tables of the document. Names and texts have rules of their own, in {@link
 * simplechat.protocol.MemberName} and {@link simplechat.protocol.Text}, so that both ends judge
 * them alike.
 *
 * <p>Nothing here does I/O, starts a thread or reads a clock. A {@code ByteBuf} is our byte type; a
 * channel is not known here.
 */
@NullMarked
package simplechat.protocol;

import org.jspecify.annotations.NullMarked;
