package simplechat.bench;

import static java.nio.charset.StandardCharsets.US_ASCII;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;

/**
 * A member of a server that speaks in lines. Nothing is parsed that need not be: a text is the end
 * of its line, and our texts are longer than any other line that looks alike.
 */
final class LineVoice implements Voice {
  private static final byte[] PRIVMSG = " PRIVMSG ".getBytes(US_ASCII);

  private final Protocol protocol;
  private final BenchMember member;
  private final int textBytes;
  private final ByteBuf rest;

  LineVoice(Protocol protocol, BenchMember member, ByteBufAllocator allocator, int textBytes) {
    this.protocol = protocol;
    this.member = member;
    this.textBytes = textBytes;
    this.rest = allocator.directBuffer(64);
  }

  @Override
  public void join(ByteBuf out) {
    String name = member.name();
    put(
        out,
        switch (protocol) {
          case redis -> "HELLO 3\r\nSUBSCRIBE c\r\n";
          case nats -> "CONNECT {\"verbose\":false,\"echo\":false}\r\nSUB c 1\r\nPING\r\n";
          default -> "NICK " + name + "\r\nUSER " + name + " 0 * :b\r\nJOIN #c\r\n";
        });
  }

  @Override
  public int say(ByteBuf text, ByteBuf out) {
    int bytes = text.readableBytes();
    put(
        out,
        switch (protocol) {
          case redis -> "*3\r\n$7\r\nPUBLISH\r\n$1\r\nc\r\n$" + bytes + "\r\n";
          case nats -> "PUB c " + bytes + "\r\n";
          default -> "PRIVMSG #c :";
        });
    int index = out.writerIndex();
    out.writeBytes(text, text.readerIndex(), bytes);
    put(out, "\r\n");
    return index;
  }

  @Override
  public void read(ByteBuf in) {
    while (in.isReadable()) {
      int length = in.bytesBefore((byte) '\n');
      if (length < 0) {
        rest.writeBytes(in);
      } else if (rest.isReadable()) {
        rest.writeBytes(in, length);
        line(rest, 0, rest.writerIndex() - 1);
        rest.clear();
        in.skipBytes(1);
      } else {
        line(in, in.readerIndex(), length - 1);
        in.skipBytes(length + 1);
      }
    }
  }

  /**
   * @param length without the end of the line, -1 if it has no CR
   */
  private void line(ByteBuf buffer, int index, int length) {
    boolean text =
        protocol == Protocol.irc
            ? length > textBytes && isPrivmsg(buffer, index, length)
            : length == textBytes;
    if (text) {
      member.heard(buffer, index + length - textBytes, textBytes);
    } else if (length > 2 && length < 512) {
      hear(buffer.toString(index, length, US_ASCII));
    }
  }

  private void hear(String line) {
    switch (protocol) {
      case redis -> {
        if (line.equals("subscribe")) {
          member.joined();
        } else if (line.startsWith("-")) {
          member.refused(line);
        }
      }
      case nats -> {
        if (line.equals("PONG")) {
          member.joined();
        } else if (line.equals("PING")) {
          member.answer(out -> put(out, "PONG\r\n"));
        } else if (line.startsWith("-ERR")) {
          member.refused(line);
        }
      }
      default -> {
        if (line.startsWith("PING")) {
          member.answer(out -> put(out, "PONG" + line.substring(4) + "\r\n"));
        } else if (line.startsWith("ERROR")) {
          member.refused(line);
        } else if (line.contains(" 366 ")) {
          member.joined();
        }
      }
    }
  }

  /** {@code :NAME!USER@HOST PRIVMSG #c :TEXT}; the host is not long. */
  private static boolean isPrivmsg(ByteBuf buffer, int index, int length) {
    int space = buffer.indexOf(index, index + length, (byte) ' ');
    if (space < 0 || space + PRIVMSG.length > index + length) {
      return false;
    }
    for (int i = 0; i < PRIVMSG.length; i++) {
      if (buffer.getByte(space + i) != PRIVMSG[i]) {
        return false;
      }
    }
    return true;
  }

  private static void put(ByteBuf out, String line) {
    out.writeCharSequence(line, US_ASCII);
  }

  @Override
  public void close() {
    rest.release();
  }
}
