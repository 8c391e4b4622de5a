package org.hypergraft.vmm.cpu.fpu;

/**
 * A floating-point number taken apart: the value of a {@link #FINITE} one is {@code (-1)^sign *
 * (hi:lo / 2^127) * 2^exp} with the top bit of {@code hi} set. Results carry up to 128 significant
 * bits, the lowest of which is "sticky": set when anything below it was lost.
 */
public final class Unpacked {
  public static final int ZERO = 0;
  public static final int FINITE = 1;
  public static final int INFINITE = 2;
  public static final int QUIET_NAN = 3;
  public static final int SIGNALING_NAN = 4;

  /** An 80-bit pattern that no longer has a meaning (Intel SDM vol. 1 table 8-3). */
  public static final int UNSUPPORTED = 5;

  private static final long TOP = 1L << 63;

  /** Unbiased exponent limits of the formats: binary16, binary32, binary64 and 80-bit extended. */
  public static final int EMIN16 = -14;

  public static final int EMAX16 = 15;
  public static final int EMIN32 = -126;
  public static final int EMAX32 = 127;
  public static final int EMIN64 = -1022;
  public static final int EMAX64 = 1023;
  public static final int EMIN80 = -16382;
  public static final int EMAX80 = 16383;

  public int kind;
  public boolean sign;
  public int exp;

  /** Significand; of a NaN the payload, left aligned, top bit set. */
  public long hi;

  public long lo;

  /** The number came from a denormal encoding. */
  public boolean denormal;

  public boolean isNan() {
    return kind >= QUIET_NAN;
  }

  void set(Unpacked o) {
    kind = o.kind;
    sign = o.sign;
    exp = o.exp;
    hi = o.hi;
    lo = o.lo;
    denormal = o.denormal;
  }

  void zero(boolean negative) {
    kind = ZERO;
    sign = negative;
    exp = 0;
    hi = 0;
    lo = 0;
    denormal = false;
  }

  void infinite(boolean negative) {
    kind = INFINITE;
    sign = negative;
    exp = 0;
    hi = TOP;
    lo = 0;
    denormal = false;
  }

  /** The "real indefinite" quiet NaN: negative, quiet bit only. */
  void indefinite() {
    kind = QUIET_NAN;
    sign = true;
    hi = 3L << 62;
    lo = 0;
    denormal = false;
  }

  /** Takes a binary32 pattern apart. */
  public Unpacked from32(int bits) {
    from(bits < 0, bits >>> 23 & 0xff, 0xff, (long) (bits & 0x7fffff) << 40, EMIN32);
    return this;
  }

  /** Takes a binary64 pattern apart. */
  public Unpacked from64(long bits) {
    from(bits < 0, (int) (bits >>> 52) & 0x7ff, 0x7ff, (bits & 0xfffffffffffffL) << 11, EMIN64);
    return this;
  }

  /** Takes a binary16 pattern apart. */
  public Unpacked from16(int bits) {
    from((bits & 0x8000) != 0, bits >>> 10 & 0x1f, 0x1f, (long) (bits & 0x3ff) << 53, EMIN16);
    return this;
  }

  private void from(boolean negative, int biased, int special, long fraction, int emin) {
    sign = negative;
    lo = 0;
    denormal = false;
    if (biased == special) {
      hi = TOP | fraction;
      kind = fraction == 0 ? INFINITE : fraction << 1 < 0 ? QUIET_NAN : SIGNALING_NAN;
    } else if (biased != 0) {
      kind = FINITE;
      exp = biased - 1 + emin;
      hi = TOP | fraction;
    } else if (fraction == 0) {
      zero(negative);
    } else {
      kind = FINITE;
      denormal = true;
      int shift = Long.numberOfLeadingZeros(fraction);
      exp = emin - shift;
      hi = fraction << shift;
    }
  }

  /**
   * Takes an 80-bit pattern apart.
   *
   * @param se sign and exponent, the upper 16 bits
   */
  public Unpacked from80(int se, long significand) {
    int biased = se & 0x7fff;
    sign = (se & 0x8000) != 0;
    lo = 0;
    denormal = false;
    hi = significand;
    if (biased == 0) {
      if (significand == 0) {
        zero(sign);
        return this;
      }
      // Also a "pseudo-denormal" with the integer bit set: same value, counted as denormal.
      kind = FINITE;
      denormal = true;
      int shift = Long.numberOfLeadingZeros(significand);
      exp = EMIN80 - shift;
      hi = significand << shift;
    } else if (significand >= 0) {
      kind = UNSUPPORTED;
    } else if (biased == 0x7fff) {
      long fraction = significand << 1;
      kind = fraction == 0 ? INFINITE : fraction < 0 ? QUIET_NAN : SIGNALING_NAN;
    } else {
      kind = FINITE;
      exp = biased - 16383;
    }
    return this;
  }

  /** A signed integer; always exact. */
  public Unpacked fromInt(long value) {
    if (value == 0) {
      zero(false);
      return this;
    }
    kind = FINITE;
    denormal = false;
    sign = value < 0;
    long magnitude = sign ? -value : value;
    int shift = Long.numberOfLeadingZeros(magnitude);
    hi = magnitude << shift;
    lo = 0;
    exp = 63 - shift;
    return this;
  }

  /** The binary32 pattern of a number already rounded to 24 bits. */
  public int to32() {
    int s = sign ? 1 << 31 : 0;
    switch (kind) {
      case ZERO:
        return s;
      case FINITE:
        int fraction = (int) (hi >>> 40) & 0x7fffff;
        return hi < 0 ? s | (exp - EMIN32 + 1) << 23 | fraction : s | fraction;
      case INFINITE:
        return s | 0x7f800000;
      default:
        return s | 0x7fc00000 | (int) (hi >>> 40) & 0x7fffff;
    }
  }

  /** The binary64 pattern of a number already rounded to 53 bits. */
  public long to64() {
    long s = sign ? 1L << 63 : 0;
    switch (kind) {
      case ZERO:
        return s;
      case FINITE:
        long fraction = hi >>> 11 & 0xfffffffffffffL;
        return hi < 0 ? s | (long) (exp - EMIN64 + 1) << 52 | fraction : s | fraction;
      case INFINITE:
        return s | 0x7ff0000000000000L;
      default:
        return s | 0x7ff8000000000000L | hi >>> 11 & 0xfffffffffffffL;
    }
  }

  /** The binary16 pattern of a number already rounded to 11 bits. */
  public int to16() {
    int s = sign ? 0x8000 : 0;
    switch (kind) {
      case ZERO:
        return s;
      case FINITE:
        int fraction = (int) (hi >>> 53) & 0x3ff;
        return hi < 0 ? s | (exp - EMIN16 + 1) << 10 | fraction : s | fraction;
      case INFINITE:
        return s | 0x7c00;
      default:
        return s | 0x7e00 | (int) (hi >>> 53) & 0x3ff;
    }
  }

  /** Sign and exponent of the 80-bit pattern of a number already rounded; see {@link #to80()}. */
  public int signExponent80() {
    int s = sign ? 0x8000 : 0;
    switch (kind) {
      case ZERO:
        return s;
      case FINITE:
        return hi < 0 ? s | (exp + 16383 & 0x7fff) : s;
      default:
        return s | 0x7fff;
    }
  }

  /** Significand of the 80-bit pattern; NaNs are quieted. */
  public long to80() {
    switch (kind) {
      case ZERO:
        return 0;
      case FINITE:
        return hi;
      case INFINITE:
        return TOP;
      default:
        return hi | 3L << 62;
    }
  }
}
