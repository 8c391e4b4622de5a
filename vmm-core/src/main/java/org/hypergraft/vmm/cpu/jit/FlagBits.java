package org.hypergraft.vmm.cpu.jit;

import org.hypergraft.vmm.cpu.Flags;

/**
 * CF, OF and AF of arithmetic, at their places in RFLAGS, from operands and result; what compiled
 * code calls. Values are sign-extended from the operand size unless said otherwise, so the sign bit
 * of the 64-bit value is that of the operand. Each method is short enough to be inlined by either
 * HotSpot compiler however often it runs.
 */
final class FlagBits {
  private static final int OF_SHIFT = 11;

  private FlagBits() {}

  /** The kind that {@link Flags} knows for one of a region. */
  static int kind(int kind) {
    return kind >= Code.DIFFERENCE64 ? Flags.SUB : kind;
  }

  /** What belongs into {@code Cpu.fr}; {@code r} unless a difference is to be computed. */
  static long result(int kind, long a, long b, long r) {
    return kind < Code.DIFFERENCE64 ? r : kind == Code.DIFFERENCE64 ? a - b : (int) (a - b);
  }

  /** Carry out of {@code r = a + b} or {@code a + b + 1}. */
  static long carry(long a, long b, long r) {
    return (a & b | (a | b) & ~r) >>> 63;
  }

  /** Borrow of {@code r = a - b} or {@code a - b - 1}. */
  static long borrow(long a, long b, long r) {
    return (~a & b | (~a | b) & r) >>> 63;
  }

  /** Whether {@code a < b}, both unsigned, as a number. */
  static long below(long a, long b) {
    return borrow(a, b, a - b);
  }

  static long adjust(long a, long b, long r) {
    return (a ^ b ^ r) & Flags.AF;
  }

  /** Overflow of {@code r = a + b} with or without carry. */
  static long sumOverflow(long a, long b, long r) {
    return ((a ^ r) & (b ^ r)) >>> 63 << OF_SHIFT;
  }

  /** Overflow of {@code r = a - b} with or without borrow. */
  static long differenceOverflow(long a, long b, long r) {
    return ((a ^ b) & (a ^ r)) >>> 63 << OF_SHIFT;
  }

  static long sum(long a, long b, long r) {
    return carry(a, b, r) | adjust(a, b, r) | sumOverflow(a, b, r);
  }

  static long difference(long a, long b, long r) {
    return borrow(a, b, r) | adjust(a, b, r) | differenceOverflow(a, b, r);
  }

  /** OF and AF of an addition. */
  static long sumRest(long a, long b, long r) {
    return adjust(a, b, r) | sumOverflow(a, b, r);
  }

  /** OF and AF of a subtraction. */
  static long differenceRest(long a, long b, long r) {
    return adjust(a, b, r) | differenceOverflow(a, b, r);
  }

  /** OF and AF of {@code r = a + 1}. */
  static long increment(long a, long r) {
    return (a ^ 1 ^ r) & Flags.AF | (~a & r) >>> 63 << OF_SHIFT;
  }

  /** OF and AF of {@code r = a - 1}. */
  static long decrement(long a, long r) {
    return (a ^ 1 ^ r) & Flags.AF | (a & ~r) >>> 63 << OF_SHIFT;
  }

  /** CF, and OF as the exclusive or of CF and the result's sign, for SHL. */
  static long leftShift(long carry, long r) {
    return carry | (r >>> 63 ^ carry) << OF_SHIFT;
  }

  /** CF and OF of a product whose high half would be {@code sign} if it fitted the low half. */
  static long product(long high, long sign) {
    return high == sign ? 0 : Flags.CF | Flags.OF;
  }
}
