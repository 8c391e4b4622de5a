package org.hypergraft.patcher.cli;

import java.io.PrintStream;

/**
 * One line on standard error that says what goes on, rewritten in place: only on a terminal, and
 * only once a command has taken longer than a person waits gladly.
 */
final class Progress {
  private static final long PATIENCE_NANOS = 2_000_000_000L;
  private static final long INTERVAL_NANOS = 200_000_000L;

  private final PrintStream err;
  private final boolean terminal;
  private final long started = System.nanoTime();
  private long shown;
  private int width;

  Progress(PrintStream err, boolean terminal) {
    this.err = err;
    this.terminal = terminal;
  }

  /** Shows {@code line} if it is time to; cheap enough to be called often. */
  synchronized void show(String line) {
    long now = System.nanoTime();
    if (!terminal || now - started < PATIENCE_NANOS || now - shown < INTERVAL_NANOS) {
      return;
    }
    shown = now;
    String text = line.length() > 78 ? line.substring(0, 78) : line;
    err.print('\r' + text + " ".repeat(Math.max(0, width - text.length())));
    err.flush();
    width = text.length();
  }

  /** Removes the line, before anything else is printed. */
  synchronized void clear() {
    if (width > 0) {
      err.print('\r' + " ".repeat(width) + '\r');
      err.flush();
      width = 0;
    }
  }
}
