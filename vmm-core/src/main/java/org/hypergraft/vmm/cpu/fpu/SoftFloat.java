package org.hypergraft.vmm.cpu.fpu;

/**
 * Exact arithmetic on {@link Unpacked} numbers. Operands go into {@link #a}, {@link #b} (and {@link
 * #c}), an operation leaves its exact (or sticky) result in {@link #r}, and {@link #round} brings
 * it into a format. Exceptions are collected in {@link #flags}, whose bits are those of MXCSR and
 * of the x87 status word (Intel SDM vol. 1 sections 8.1.3.3 and 10.2.3). Reused, never allocates.
 */
public final class SoftFloat {
  public static final int INVALID = 1;
  public static final int DENORMAL = 2;
  public static final int DIVIDE_BY_ZERO = 4;
  public static final int OVERFLOW = 8;
  public static final int UNDERFLOW = 16;
  public static final int INEXACT = 32;

  /** Values of {@link #rounding}: the RC field of MXCSR and of the x87 control word. */
  public static final int NEAREST = 0;

  public static final int DOWN = 1;
  public static final int UP = 2;
  public static final int TRUNCATE = 3;

  private static final long TOP = 1L << 63;

  /** Exponent adjustment of an unmasked x87 overflow or underflow (SDM vol. 1 section 8.5.4). */
  static final int WRAP = 24576;

  public final Unpacked a = new Unpacked();
  public final Unpacked b = new Unpacked();
  public final Unpacked c = new Unpacked();
  public final Unpacked r = new Unpacked();

  /** Exceptions raised since the caller cleared it. */
  public int flags;

  public int rounding;

  /** Masked exceptions, bits as in {@link #flags}. */
  public int masks = 0x3f;

  /** Tiny results become zero (MXCSR.FTZ); takes effect while underflow is masked. */
  public boolean flushToZero;

  /** x87 rules for NaN operands and for unmasked overflow and underflow, else those of SSE. */
  public final boolean x87;

  /** The last {@link #round} or {@link #roundToInteger} increased the magnitude (x87 C1). */
  public boolean roundedUp;

  public SoftFloat(boolean x87) {
    this.x87 = x87;
  }

  /** {@code a + b}. */
  public void add() {
    addSigned(b.sign);
  }

  /** {@code a - b}. */
  public void subtract() {
    addSigned(!b.sign);
  }

  private void addSigned(boolean bSign) {
    if (nan(a, b)) {
      return;
    }
    if (a.kind == Unpacked.INFINITE || b.kind == Unpacked.INFINITE) {
      if (a.kind == b.kind && a.sign != bSign) {
        invalid();
        return;
      }
      r.infinite(a.kind == Unpacked.INFINITE ? a.sign : bSign);
      denormals();
      return;
    }
    denormals();
    sum(a, bSign);
  }

  /** r = x + b with the sign of b given; both finite or zero. */
  private void sum(Unpacked x, boolean bSign) {
    if (x.kind == Unpacked.ZERO || b.kind == Unpacked.ZERO) {
      if (x.kind == b.kind) {
        r.zero(x.sign == bSign ? x.sign : rounding == DOWN);
      } else if (x.kind == Unpacked.ZERO) {
        r.set(b);
        r.sign = bSign;
      } else {
        r.set(x);
      }
      return;
    }
    Unpacked big = x;
    Unpacked small = b;
    boolean bigSign = x.sign;
    boolean smallSign = bSign;
    if (x.exp < b.exp || x.exp == b.exp && below(x.hi, x.lo, b.hi, b.lo)) {
      big = b;
      small = x;
      bigSign = bSign;
      smallSign = x.sign;
    }
    int shift = big.exp - small.exp;
    long sh = shiftHigh(small.hi, shift);
    long sl = shiftLow(small.hi, small.lo, shift);
    int exp = big.exp;
    long hi;
    long lo;
    if (bigSign == smallSign) {
      lo = big.lo + sl;
      long carry = Long.compareUnsigned(lo, sl) < 0 ? 1 : 0;
      hi = big.hi + sh + carry;
      boolean overflow =
          carry == 0 ? Long.compareUnsigned(hi, sh) < 0 : Long.compareUnsigned(hi, sh) <= 0;
      if (overflow) {
        lo = hi << 63 | lo >>> 1 | lo & 1;
        hi = hi >>> 1 | TOP;
        exp++;
      }
    } else {
      lo = big.lo - sl;
      hi = big.hi - sh - (Long.compareUnsigned(big.lo, sl) < 0 ? 1 : 0);
      if ((hi | lo) == 0) {
        r.zero(rounding == DOWN);
        return;
      }
      int zeros = hi != 0 ? Long.numberOfLeadingZeros(hi) : 64 + Long.numberOfLeadingZeros(lo);
      exp -= zeros;
      if (zeros >= 64) {
        hi = lo << (zeros - 64);
        lo = 0;
      } else if (zeros != 0) {
        hi = hi << zeros | lo >>> (64 - zeros);
        lo <<= zeros;
      }
    }
    finite(bigSign, exp, hi, lo);
  }

  /** {@code a * b}. */
  public void multiply() {
    if (nan(a, b)) {
      return;
    }
    boolean sign = a.sign ^ b.sign;
    if (a.kind == Unpacked.INFINITE || b.kind == Unpacked.INFINITE) {
      if (a.kind == Unpacked.ZERO || b.kind == Unpacked.ZERO) {
        invalid();
        return;
      }
      denormals();
      r.infinite(sign);
      return;
    }
    denormals();
    product(sign);
  }

  private void product(boolean sign) {
    if (a.kind == Unpacked.ZERO || b.kind == Unpacked.ZERO) {
      r.zero(sign);
      return;
    }
    long hi = Wide.multiplyHigh(a.hi, b.hi);
    long lo = a.hi * b.hi;
    int exp = a.exp + b.exp + 1;
    if (hi >= 0) {
      hi = hi << 1 | lo >>> 63;
      lo <<= 1;
      exp--;
    }
    finite(sign, exp, hi, lo);
  }

  /** {@code a / b}. */
  public void divide() {
    if (nan(a, b)) {
      return;
    }
    boolean sign = a.sign ^ b.sign;
    if (a.kind == b.kind && a.kind != Unpacked.FINITE) {
      invalid(); // 0/0 or inf/inf
    } else if (a.kind == Unpacked.INFINITE) {
      denormals();
      r.infinite(sign);
    } else if (b.kind == Unpacked.ZERO) {
      flags |= DIVIDE_BY_ZERO;
      r.infinite(sign);
    } else if (a.kind == Unpacked.ZERO || b.kind == Unpacked.INFINITE) {
      denormals();
      r.zero(sign);
    } else {
      denormals();
      quotient(sign);
    }
  }

  private void quotient(boolean sign) {
    int exp = a.exp - b.exp;
    long hi = a.hi;
    long lo = 0;
    if (Long.compareUnsigned(hi, b.hi) >= 0) {
      lo = hi << 63;
      hi >>>= 1;
    } else {
      exp--;
    }
    long q1 = Wide.divide(hi, lo, b.hi);
    long rest = lo - q1 * b.hi;
    long q0 = Wide.divide(rest, 0, b.hi);
    boolean sticky = q0 * b.hi != 0;
    finite(sign, exp, q1, sticky ? q0 | 1 : q0);
  }

  /** Square root of {@code a}. */
  public void squareRoot() {
    if (nan(a, a)) {
      return;
    }
    if (a.kind == Unpacked.ZERO) {
      r.zero(a.sign);
    } else if (a.sign) {
      invalid();
    } else if (a.kind == Unpacked.INFINITE) {
      r.infinite(false);
    } else {
      if (a.denormal) {
        flags |= DENORMAL;
      }
      root();
    }
  }

  /** Digit by digit, two bits of the radicand for one of the root. */
  private void root() {
    boolean odd = (a.exp & 1) != 0;
    // Radicand as 128 bits: 1.x * 2^126 or, for an odd exponent, * 2^127.
    long nh = odd ? a.hi : a.hi >>> 1;
    long nl = odd ? 0 : a.hi << 63;
    long root = 0;
    long restHigh = 0;
    long rest = 0;
    for (int i = 0; i < 64; i++) {
      restHigh = restHigh << 2 | rest >>> 62;
      rest = rest << 2 | nh >>> 62;
      nh = nh << 2 | nl >>> 62;
      nl <<= 2;
      long trialHigh = root >>> 62;
      long trial = root << 2 | 1;
      root <<= 1;
      if (!below(restHigh, rest, trialHigh, trial)) {
        restHigh -= trialHigh + (Long.compareUnsigned(rest, trial) < 0 ? 1 : 0);
        rest -= trial;
        root |= 1;
      }
    }
    // sqrt(n) is above root + 1/2 exactly when the remainder exceeds the root; never equal to it.
    long lo = 0;
    if (restHigh != 0 || Long.compareUnsigned(rest, root) > 0) {
      lo = 3L << 62;
    } else if (rest != 0) {
      lo = 1L << 62;
    }
    finite(false, odd ? a.exp - 1 >> 1 : a.exp >> 1, root, lo);
  }

  /**
   * {@code ±(a * b) ± c} with one rounding, operands of at most 53 significant bits.
   *
   * @param negateProduct of the FNMADD and FNMSUB forms
   * @param negateAddend of the FMSUB and FNMSUB forms
   */
  public void fusedMultiplyAdd(boolean negateProduct, boolean negateAddend) {
    boolean badProduct =
        a.kind == Unpacked.ZERO && b.kind == Unpacked.INFINITE
            || a.kind == Unpacked.INFINITE && b.kind == Unpacked.ZERO;
    if (a.isNan() || b.isNan() || c.isNan()) {
      if (signaling(a) || signaling(b) || signaling(c)) {
        flags |= INVALID;
      }
      // a quiet NaN addend wins over an invalid product without raising it
      quiet(a.isNan() ? a : b.isNan() ? b : c);
      return;
    }
    boolean sign = a.sign ^ b.sign ^ negateProduct;
    boolean addendSign = c.sign ^ negateAddend;
    boolean infinite = a.kind == Unpacked.INFINITE || b.kind == Unpacked.INFINITE;
    if (badProduct || infinite && c.kind == Unpacked.INFINITE && sign != addendSign) {
      invalid();
      return;
    }
    denormals();
    if (c.denormal) {
      flags |= DENORMAL;
    }
    if (infinite || c.kind == Unpacked.INFINITE) {
      r.infinite(infinite ? sign : addendSign);
      return;
    }
    product(sign);
    a.set(r);
    b.set(c);
    sum(a, addendSign);
  }

  /** Result of {@link #compare}: {@code a < b}, equal, greater. */
  public static final int LESS = -1;

  public static final int UNORDERED = 2;

  /**
   * Compares {@code a} with {@code b}.
   *
   * @param quiet only signaling NaNs raise {@link #INVALID}
   * @return -1, 0, 1 or {@link #UNORDERED}
   */
  public int compare(boolean quiet) {
    if (a.isNan() || b.isNan()) {
      if (!quiet || signaling(a) || signaling(b)) {
        flags |= INVALID;
      }
      return UNORDERED;
    }
    denormals();
    return order(a, b);
  }

  static int order(Unpacked x, Unpacked y) {
    if (x.kind == Unpacked.ZERO && y.kind == Unpacked.ZERO) {
      return 0;
    }
    boolean xn = x.sign && x.kind != Unpacked.ZERO;
    boolean yn = y.sign && y.kind != Unpacked.ZERO;
    if (xn != yn) {
      return xn ? -1 : 1;
    }
    if (x.kind == Unpacked.ZERO) {
      return yn ? 1 : -1;
    }
    if (y.kind == Unpacked.ZERO) {
      return xn ? -1 : 1;
    }
    int m = magnitude(x, y);
    return xn ? -m : m;
  }

  /** Compares absolute values of finite or infinite numbers, not zero. */
  static int magnitude(Unpacked x, Unpacked y) {
    if (x.kind != y.kind) {
      return x.kind == Unpacked.INFINITE ? 1 : -1;
    }
    if (x.kind == Unpacked.INFINITE) {
      return 0;
    }
    if (x.exp != y.exp) {
      return x.exp < y.exp ? -1 : 1;
    }
    return Long.compareUnsigned(x.hi, y.hi);
  }

  /**
   * Rounds {@link #r} into a format and raises overflow, underflow and inexact. Tininess is
   * detected after rounding, as all x86 processors do (SDM vol. 1 section 4.9.1.5).
   *
   * @param precision significant bits: 11, 24, 53 or 64
   */
  public void round(int precision, int emin, int emax) {
    roundedUp = false;
    if (r.kind != Unpacked.FINITE) {
      return;
    }
    if (r.exp < emin && !(r.exp == emin - 1 && carries(precision))) {
      roundTiny(precision, emin);
      return;
    }
    boolean inexact = truncate(precision);
    if (r.exp > emax) {
      overflow(precision, emax, inexact);
    } else if (inexact) {
      flags |= INEXACT;
    }
  }

  public void round32() {
    round(24, Unpacked.EMIN32, Unpacked.EMAX32);
  }

  public void round64() {
    round(53, Unpacked.EMIN64, Unpacked.EMAX64);
  }

  private void roundTiny(int precision, int emin) {
    if ((masks & UNDERFLOW) == 0) {
      flags |= UNDERFLOW;
      if (x87) {
        r.exp += WRAP;
        if (r.exp < emin) { // FSCALE can go that far
          flags |= INEXACT;
          r.zero(r.sign);
          return;
        }
      }
      if (truncate(precision)) {
        flags |= INEXACT;
      }
      return;
    }
    if (flushToZero) {
      flags |= UNDERFLOW | INEXACT;
      r.zero(r.sign);
      return;
    }
    int shift = emin - r.exp;
    long hi = shiftHigh(r.hi, shift);
    r.lo = shiftLow(r.hi, r.lo, shift);
    r.hi = hi;
    r.exp = emin;
    if (truncate(precision)) {
      flags |= UNDERFLOW | INEXACT;
    }
    if (r.hi == 0) {
      r.zero(r.sign);
    }
  }

  private void overflow(int precision, int emax, boolean inexact) {
    flags |= OVERFLOW;
    if ((masks & OVERFLOW) == 0) {
      if (inexact) {
        flags |= INEXACT;
      }
      if (x87) {
        r.exp -= WRAP;
        if (r.exp > emax) {
          flags |= INEXACT;
          r.infinite(r.sign);
        }
      }
      return;
    }
    flags |= INEXACT;
    boolean toInfinity = rounding == NEAREST || rounding == (r.sign ? DOWN : UP);
    roundedUp = toInfinity;
    if (toInfinity) {
      r.infinite(r.sign);
    } else {
      r.exp = emax;
      r.hi = -1L << (64 - precision);
      r.lo = 0;
    }
  }

  /** Whether rounding at this precision would carry into the next power of two. */
  private boolean carries(int precision) {
    long kept = -1L << (64 - precision);
    return (r.hi & kept) == kept && increments(precision);
  }

  /** Whether rounding increases the magnitude. */
  private boolean increments(int precision) {
    long rest;
    boolean sticky;
    if (precision == 64) {
      rest = r.lo;
      sticky = false;
    } else {
      rest = r.hi << precision;
      sticky = r.lo != 0;
    }
    if (rest == 0 && !sticky) {
      return false;
    }
    switch (rounding) {
      case NEAREST:
        boolean odd = (r.hi >>> (64 - precision) & 1) != 0;
        return rest < 0 && (rest != TOP || sticky || odd);
      case DOWN:
        return r.sign;
      case UP:
        return !r.sign;
      default:
        return false;
    }
  }

  /** Cuts r to a precision, rounding; returns whether anything was lost. */
  private boolean truncate(int precision) {
    boolean inexact = precision == 64 ? r.lo != 0 : (r.hi << precision | r.lo) != 0;
    roundedUp = increments(precision);
    r.lo = 0;
    r.hi &= -1L << (64 - precision);
    if (roundedUp) {
      long before = r.hi;
      r.hi += 1L << (64 - precision);
      if (before < 0 && r.hi >= 0) {
        r.hi = TOP;
        r.exp++;
      }
    }
    return inexact;
  }

  /**
   * Rounds {@code a} to an integral value in r, raising {@link #INEXACT} when it changes and the
   * denormal exception; NaNs and infinities are the caller's.
   */
  public void roundToInteger(int mode) {
    roundedUp = false;
    r.set(a);
    if (a.kind != Unpacked.FINITE || a.exp >= 63) {
      return;
    }
    // Place the binary point between hi and lo.
    int shift = 63 - a.exp;
    long lo = shiftLow(a.hi, a.lo, shift);
    long hi = shiftHigh(a.hi, shift);
    if (lo == 0) {
      return;
    }
    flags |= INEXACT;
    boolean up;
    switch (mode) {
      case NEAREST:
        up = lo < 0 && (lo != TOP || (hi & 1) != 0);
        break;
      case DOWN:
        up = a.sign;
        break;
      case UP:
        up = !a.sign;
        break;
      default:
        up = false;
    }
    roundedUp = up;
    if (up) {
      hi++;
    }
    if (hi == 0) {
      r.zero(a.sign);
      return;
    }
    int zeros = Long.numberOfLeadingZeros(hi);
    finite(a.sign, 63 - zeros, hi << zeros, 0);
  }

  /**
   * Converts {@code a} to a signed integer of 16, 32 or 64 bits. Out of range or not a number:
   * raises {@link #INVALID} and returns the "integer indefinite", the most negative value.
   */
  public long toInteger(int bits, int mode) {
    long indefinite = -1L << (bits - 1);
    if (a.kind == Unpacked.ZERO) {
      roundedUp = false;
      return 0;
    }
    if (a.kind != Unpacked.FINITE || a.exp > 63) {
      flags |= INVALID;
      roundedUp = false;
      return indefinite;
    }
    int before = flags;
    roundToInteger(mode);
    if (r.kind == Unpacked.ZERO) {
      return 0;
    }
    long magnitude = r.exp > 63 ? -1 : r.hi >>> (63 - r.exp);
    long limit = r.sign ? 1L << (bits - 1) : (1L << (bits - 1)) - 1;
    if (r.exp > 63 || Long.compareUnsigned(magnitude, limit) > 0) {
      flags = before | INVALID;
      roundedUp = false;
      return indefinite;
    }
    return r.sign ? -magnitude : magnitude;
  }

  /** Sets r to a quieted NaN operand when there is one; raises {@link #INVALID} as needed. */
  boolean nan(Unpacked x, Unpacked y) {
    if (x.kind < Unpacked.QUIET_NAN && y.kind < Unpacked.QUIET_NAN) {
      return false;
    }
    if (x.kind == Unpacked.UNSUPPORTED || y.kind == Unpacked.UNSUPPORTED) {
      invalid();
      return true;
    }
    if (signaling(x) || signaling(y)) {
      flags |= INVALID;
    }
    quiet(!x.isNan() ? y : !y.isNan() || !x87 ? x : largerNan(x, y));
    return true;
  }

  /** The x87 choice between two NaNs (SDM vol. 1 table 4-7). */
  private static Unpacked largerNan(Unpacked x, Unpacked y) {
    if (x.kind != y.kind) {
      return x.kind == Unpacked.QUIET_NAN ? x : y;
    }
    int order = Long.compareUnsigned(x.hi, y.hi);
    return order != 0 ? (order > 0 ? x : y) : x.sign ? y : x;
  }

  /** The result of an instruction whose only operand {@code a} is not a number. */
  public void nanResult() {
    nan(a, a);
  }

  /** As {@link #nanResult} for two operands; false when neither is a NaN. */
  public boolean nanOperands() {
    return nan(a, b);
  }

  /** An invalid operation: r becomes the indefinite NaN. */
  public void invalidResult() {
    invalid();
  }

  public void infiniteResult(boolean negative) {
    r.infinite(negative);
  }

  public void zeroResult(boolean negative) {
    r.zero(negative);
  }

  /** {@code r = a}. */
  public void exact() {
    r.set(a);
  }

  /** {@code r} = a positive finite number, see {@link Unpacked}. */
  public void set(int exp, long hi, long lo) {
    finite(false, exp, hi, lo);
  }

  /** FSCALE: {@code a * 2^trunc(b)}. */
  public void scale() {
    if (nan(a, b)) {
      return;
    }
    if (b.kind == Unpacked.INFINITE) {
      if (a.kind == (b.sign ? Unpacked.INFINITE : Unpacked.ZERO)) {
        invalid();
        return;
      }
      denormals();
      if (b.sign) {
        r.zero(a.sign);
      } else {
        r.infinite(a.sign);
      }
      return;
    }
    denormals();
    r.set(a);
    if (a.kind != Unpacked.FINITE || b.kind != Unpacked.FINITE || b.exp < 0) {
      return;
    }
    // beyond any exponent range everything over- or underflows alike
    int by = b.exp > 16 ? 1 << 17 : (int) (b.hi >>> (63 - b.exp));
    r.exp += b.sign ? -by : by;
  }

  /** Sets r to a NaN, quieted. */
  void quiet(Unpacked nan) {
    r.set(nan);
    r.kind = Unpacked.QUIET_NAN;
    r.hi |= 3L << 62;
  }

  /** An invalid operation: r becomes the indefinite NaN. */
  void invalid() {
    flags |= INVALID;
    r.indefinite();
  }

  private void denormals() {
    if (a.denormal || b.denormal) {
      flags |= DENORMAL;
    }
  }

  private static boolean signaling(Unpacked x) {
    return x.kind >= Unpacked.SIGNALING_NAN;
  }

  void finite(boolean sign, int exp, long hi, long lo) {
    r.kind = Unpacked.FINITE;
    r.sign = sign;
    r.exp = exp;
    r.hi = hi;
    r.lo = lo;
    r.denormal = false;
  }

  private static boolean below(long ah, long al, long bh, long bl) {
    int order = Long.compareUnsigned(ah, bh);
    return order < 0 || order == 0 && Long.compareUnsigned(al, bl) < 0;
  }

  /** Upper half of {@code hi:lo >>> n}. */
  private static long shiftHigh(long hi, int n) {
    return n < 64 ? hi >>> n : 0;
  }

  /** Lower half of {@code hi:lo >>> n}; bits shifted out stick to bit 0. */
  private static long shiftLow(long hi, long lo, int n) {
    if (n == 0) {
      return lo;
    }
    if (n < 64) {
      return hi << (64 - n) | lo >>> n | (lo << (64 - n) != 0 ? 1 : 0);
    }
    if (n == 64) {
      return hi | (lo != 0 ? 1 : 0);
    }
    if (n < 128) {
      return hi >>> (n - 64) | ((hi << (128 - n) | lo) != 0 ? 1 : 0);
    }
    return 1;
  }
}
