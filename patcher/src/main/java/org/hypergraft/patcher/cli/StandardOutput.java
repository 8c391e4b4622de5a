package org.hypergraft.patcher.cli;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

/**
 * Standard output as buffered UTF-8 that remembers why writing failed, which {@link PrintStream}
 * alone forgets: a full disk behind a redirection must not look like success.
 */
final class StandardOutput extends OutputStream {
  private static final int BUFFER = 1 << 16;

  private final OutputStream target;
  private final byte[] buffer = new byte[BUFFER];
  private int used;
  private IOException failure;

  StandardOutput(OutputStream target) {
    this.target = target;
  }

  static StandardOutput ofProcess() {
    return new StandardOutput(new FileOutputStream(FileDescriptor.out));
  }

  PrintStream asPrintStream() {
    return new PrintStream(this, false, StandardCharsets.UTF_8);
  }

  /** The first failure to write, or null. */
  synchronized IOException failure() {
    return failure;
  }

  /** Whether the reader went away, as {@code | head} does: no reason to complain. */
  synchronized boolean readerLeft() {
    return failure != null && String.valueOf(failure.getMessage()).contains("Broken pipe");
  }

  @Override
  public synchronized void write(int b) {
    if (used == BUFFER) {
      drain();
    }
    buffer[used++] = (byte) b;
  }

  @Override
  public synchronized void write(byte[] bytes, int offset, int length) {
    if (length > BUFFER - used) {
      drain();
    }
    if (length > BUFFER) {
      pass(bytes, offset, length);
      return;
    }
    System.arraycopy(bytes, offset, buffer, used, length);
    used += length;
  }

  @Override
  public synchronized void flush() {
    drain();
  }

  private void drain() {
    pass(buffer, 0, used);
    used = 0;
  }

  private void pass(byte[] bytes, int offset, int length) {
    if (failure != null || length == 0) {
      return;
    }
    try {
      target.write(bytes, offset, length);
    } catch (IOException e) {
      failure = e;
    }
  }
}
