package org.hypergraft.vmm.cpu.fpu;

/** Partial remainders (FPREM, FPREM1): {@code r} becomes {@code a} modulo {@code b}. */
public final class Remainder {
  /** The exponents were so far apart that only part of the reduction was done. */
  public static final int PARTIAL = -1;

  /** The result is a NaN; no quotient. */
  public static final int NONE = -2;

  private Remainder() {}

  /**
   * Reduces by at most 63 binary digits of the quotient.
   *
   * @param nearest quotient rounded to nearest even (FPREM1), else truncated (FPREM)
   * @return the low three bits of the quotient, {@link #PARTIAL} or {@link #NONE}
   */
  public static int of(SoftFloat f, boolean nearest) {
    Unpacked a = f.a;
    Unpacked b = f.b;
    Unpacked r = f.r;
    if (f.nan(a, b)) {
      return NONE;
    }
    if (a.kind == Unpacked.INFINITE || b.kind == Unpacked.ZERO) {
      f.invalid();
      return NONE;
    }
    if (a.denormal || b.denormal) {
      f.flags |= SoftFloat.DENORMAL;
    }
    if (a.kind == Unpacked.ZERO || b.kind == Unpacked.INFINITE) {
      r.set(a);
      return 0;
    }
    int difference = a.exp - b.exp;
    if (difference < -1 || difference < 0 && !nearest) {
      r.set(a);
      return 0;
    }
    if (difference >= 64) {
      // 32 to 63 digits, so that the rest needs whole steps of 32
      int digits = difference & 31 | 32;
      long rest = a.hi;
      boolean carry = false;
      for (int i = 0; i < digits; i++) {
        if (carry || Long.compareUnsigned(rest, b.hi) >= 0) {
          rest -= b.hi;
        }
        carry = rest < 0;
        rest <<= 1;
      }
      if (carry || Long.compareUnsigned(rest, b.hi) >= 0) {
        rest -= b.hi;
      }
      normalized(f, a.sign, a.exp - digits, rest);
      return PARTIAL;
    }
    return finish(f, difference, nearest);
  }

  private static int finish(SoftFloat f, int difference, boolean nearest) {
    Unpacked a = f.a;
    Unpacked b = f.b;
    long rest = a.hi;
    long quotient = 0;
    boolean carry = false;
    for (int i = difference; i >= 0; i--) {
      quotient <<= 1;
      if (carry || Long.compareUnsigned(rest, b.hi) >= 0) {
        rest -= b.hi;
        quotient |= 1;
      }
      if (i > 0) {
        carry = rest < 0;
        rest <<= 1;
      }
    }
    boolean sign = a.sign;
    int exp = b.exp;
    if (difference == -1) {
      // |a| < |b|: the rest is a itself, half a binade below b's scale
      boolean above = Long.compareUnsigned(a.hi, b.hi) > 0;
      if (above) {
        // b - a, with a = hi / 2 on b's scale
        long twice = b.hi - a.hi + b.hi; // 2b - a, below 2^64 as a > b
        quotient = 1;
        normalized(f, !sign, exp - 1, twice);
      } else {
        f.r.set(a);
      }
      return (int) quotient & 7;
    }
    if (nearest) {
      long other = b.hi - rest;
      int order = Long.compareUnsigned(rest, other);
      if (order > 0 || order == 0 && (quotient & 1) != 0) {
        rest = other;
        sign = !sign;
        quotient++;
      }
    }
    normalized(f, sign, exp, rest);
    if (f.r.kind == Unpacked.ZERO) {
      f.r.sign = a.sign;
    }
    return (int) quotient & 7;
  }

  private static void normalized(SoftFloat f, boolean sign, int exp, long significand) {
    if (significand == 0) {
      f.r.zero(sign);
      return;
    }
    int zeros = Long.numberOfLeadingZeros(significand);
    f.finite(sign, exp - zeros, significand << zeros, 0);
  }
}
