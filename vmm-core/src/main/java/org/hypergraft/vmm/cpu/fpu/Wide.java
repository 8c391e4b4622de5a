package org.hypergraft.vmm.cpu.fpu;

/** The few 128-bit unsigned operations that exact arithmetic needs. */
final class Wide {
  private Wide() {}

  /** Upper 64 bits of the unsigned product. */
  static long multiplyHigh(long a, long b) {
    return Math.multiplyHigh(a, b) + (a >> 63 & b) + (b >> 63 & a);
  }

  /**
   * Quotient of {@code (hi:lo) / d}, which must fit 64 bits ({@code hi < d} unsigned) with the top
   * bit of {@code d} set. Schoolbook division in base 2^32 (Knuth, algorithm D).
   */
  static long divide(long hi, long lo, long d) {
    long dh = d >>> 32;
    long dl = d & 0xffffffffL;
    long q1 = digit(hi, lo >>> 32, d, dh, dl);
    long rest = (hi << 32 | lo >>> 32) - q1 * d;
    long q0 = digit(rest, lo & 0xffffffffL, d, dh, dl);
    return q1 << 32 | q0;
  }

  /** One base-2^32 digit of {@code (r * 2^32 + next) / d}. */
  private static long digit(long r, long next, long d, long dh, long dl) {
    long q = Long.divideUnsigned(r, dh);
    long rest = r - q * dh;
    while (q >>> 32 != 0 || Long.compareUnsigned(q * dl, rest << 32 | next) > 0) {
      q--;
      rest += dh;
      if (rest >>> 32 != 0) {
        break;
      }
    }
    return q;
  }
}
