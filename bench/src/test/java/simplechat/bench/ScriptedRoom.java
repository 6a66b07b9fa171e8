package simplechat.bench;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import java.util.function.IntFunction;
import simplechat.protocol.ClientMessage;
import simplechat.protocol.ErrorCode;
import simplechat.protocol.FrameDecoder;
import simplechat.protocol.MessageCodec;
import simplechat.protocol.ProtocolException;
import simplechat.protocol.ResumeToken;
import simplechat.protocol.ServerMessage;

/** A room of two, in which the first speaks, and a script decides what reaches the second. */
final class ScriptedRoom implements AutoCloseable {
  /** What becomes of a message. */
  enum Fate {
    DELIVERED,
    LOST,
    CUT
  }

  private final ServerSocket listener = new ServerSocket(0, 8, InetAddress.getLoopbackAddress());
  private final CompletableFuture<Void> done;

  /**
   * @param script asked for the message of each number, from 0 on; may take its time
   */
  ScriptedRoom(IntFunction<Fate> script) throws IOException {
    done = CompletableFuture.runAsync(() -> serve(script));
  }

  /** A room that refuses whoever comes. */
  ScriptedRoom(ErrorCode code) throws IOException {
    done = CompletableFuture.runAsync(() -> refuse(code));
  }

  InetSocketAddress address() {
    return (InetSocketAddress) listener.getLocalSocketAddress();
  }

  private void serve(IntFunction<Fate> script) {
    try (Socket first = listener.accept();
        Socket second = listener.accept()) {
      send(first, welcome());
      send(second, welcome());
      relay(first, second, script);
    } catch (SocketException e) {
      // The crowd is done, and resets its connections.
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void relay(Socket first, Socket second, IntFunction<Fate> script)
      throws IOException {
    FrameDecoder decoder = new FrameDecoder(UnpooledByteBufAllocator.DEFAULT);
    byte[] bytes = new byte[64 * 1024];
    int[] number = {0};
    for (int count; (count = first.getInputStream().read(bytes)) > 0; ) {
      ByteBuf out = Unpooled.buffer();
      try {
        decoder.decode(
            Unpooled.wrappedBuffer(Arrays.copyOf(bytes, count)),
            new FrameDecoder.Sink() {
              @Override
              public boolean header(int type, int length) {
                return true;
              }

              @Override
              public boolean frame(int type, ByteBuf buffer, int index, int length)
                  throws ProtocolException {
                if (MessageCodec.decodeClient(type, buffer, index, length)
                    instanceof ClientMessage.Send send) {
                  Fate fate = script.apply(number[0]++);
                  if (fate == Fate.DELIVERED) {
                    MessageCodec.encode(
                        new ServerMessage.Msg(number[0], 0, "b00000", send.text()), out);
                  } else if (fate == Fate.CUT) {
                    closeQuietly(second);
                  }
                }
                return true;
              }
            });
      } catch (ProtocolException e) {
        throw new IOException(e);
      }
      second.getOutputStream().write(ByteBufUtil.getBytes(out));
    }
  }

  private static void closeQuietly(Socket socket) {
    try {
      socket.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void refuse(ErrorCode code) {
    try (Socket first = listener.accept()) {
      send(first, new ServerMessage.Bye(code, 1, "no"));
      first.getInputStream().readAllBytes();
    } catch (SocketException e) {
      // As above.
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static ServerMessage welcome() {
    return new ServerMessage.Welcome(
        1, false, 1, new ResumeToken(1, 2), 0, 0, 0, 2, 1024, 30, "b", "");
  }

  private static void send(Socket socket, ServerMessage message) throws IOException {
    ByteBuf out = Unpooled.buffer();
    MessageCodec.encode(message, out);
    socket.getOutputStream().write(ByteBufUtil.getBytes(out));
  }

  @Override
  public void close() throws IOException {
    listener.close();
    done.join();
  }
}
