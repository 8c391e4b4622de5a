package org.hypergraft.vmm.gdb;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;

/** Bytes from a connection; unlike a socket's own stream it can tell its end without waiting. */
final class SocketInput extends InputStream {
  private final SocketChannel channel;
  private final ByteBuffer buffer = ByteBuffer.allocate(PacketStream.MAX_PACKET).flip();
  private boolean ended;

  /**
   * @param channel in blocking mode
   */
  SocketInput(SocketChannel channel) {
    this.channel = channel;
  }

  @Override
  public int read() throws IOException {
    while (!ended && !buffer.hasRemaining()) {
      fill();
    }
    return buffer.hasRemaining() ? buffer.get() & 0xff : -1;
  }

  private void fill() throws IOException {
    buffer.clear();
    ended = channel.read(buffer) < 0;
    buffer.flip();
  }

  /** Bytes that can be read without waiting; the end of the input counts as one. */
  @Override
  public int available() throws IOException {
    if (!ended && !buffer.hasRemaining()) {
      channel.configureBlocking(false);
      try {
        fill();
      } finally {
        channel.configureBlocking(true);
      }
    }
    return ended ? 1 : buffer.remaining();
  }
}
