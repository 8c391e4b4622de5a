package org.hypergraft.vmm.machine;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.function.IntConsumer;

/** Keeps what the guest writes to its serial port, and recognises a kernel panic in it. */
final class Console {
  private static final byte[] PANIC = "Kernel panic - not syncing".getBytes(StandardCharsets.UTF_8);
  private static final byte[] END = "---[ end Kernel panic".getBytes(StandardCharsets.UTF_8);

  /** A guest that prints without end must not take the host's memory. */
  private static final int LIMIT = 64 << 20;

  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream(1 << 16);
  private final IntConsumer tee;
  private final Runnable onPanicEnd;
  private int panicMatch;
  private int endMatch;
  private boolean panicked;

  /**
   * @param tee also gets each byte
   * @param onPanicEnd runs when the guest says that its panic is over and it will do nothing more
   */
  Console(IntConsumer tee, Runnable onPanicEnd) {
    this.tee = tee;
    this.onPanicEnd = onPanicEnd;
  }

  void put(int b) {
    if (bytes.size() < LIMIT) {
      bytes.write(b);
    }
    tee.accept(b);
    panicMatch = advance(PANIC, panicMatch, b);
    if (panicMatch == PANIC.length) {
      panicked = true;
      panicMatch = 0;
    }
    endMatch = advance(END, endMatch, b);
    if (endMatch == END.length) {
      endMatch = 0;
      onPanicEnd.run();
    }
  }

  /** Both patterns' first characters occur only there, so a mismatch restarts at 0 or 1. */
  private static int advance(byte[] pattern, int matched, int b) {
    if (pattern[matched] == (byte) b) {
      return matched + 1;
    }
    return pattern[0] == (byte) b ? 1 : 0;
  }

  boolean panicked() {
    return panicked;
  }

  byte[] bytes() {
    return bytes.toByteArray();
  }
}
