package org.hypergraft.annotator.image;

import java.util.Arrays;

/**
 * Where a decompressor writes. The buffer follows what the input really delivers, so that a small
 * file cannot claim a large allocation, and never exceeds its limit.
 */
final class Output {
  /** First allocation when the input promises more: generous against every real kernel's ratio. */
  private static final long FLOOR = 1 << 20;

  private static final int RATIO = 24;

  private final int limit;
  byte[] buffer;
  int position;

  /**
   * @param limit most bytes that may come out
   * @param inputLength bytes of compressed input
   */
  Output(int limit, int inputLength) {
    this.limit = limit;
    buffer = new byte[(int) Math.min(limit, FLOOR + (long) inputLength * RATIO)];
  }

  /** Room for {@code n} more bytes, or as many as the limit leaves; returns how many. */
  int reserve(int n) {
    int wanted = Math.min(n, limit - position);
    if (buffer.length - position < wanted) {
      long doubled = Math.max(2L * buffer.length, (long) position + wanted);
      buffer = Arrays.copyOf(buffer, (int) Math.min(limit, doubled));
    }
    return wanted;
  }

  boolean full() {
    return position == limit;
  }

  int limit() {
    return limit;
  }

  /** The bytes written; no copy when the buffer is exactly full. */
  byte[] toBytes() {
    return position == buffer.length ? buffer : Arrays.copyOf(buffer, position);
  }
}
