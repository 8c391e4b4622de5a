package org.hypergraft.vmm.cpu.fpu;

import java.math.BigInteger;

/**
 * Elementary functions of {@link SoftFloat#a} (and b) into r, to more than 100 bits: after rounding
 * to 64 bits the result is the correctly rounded one but for about one argument in 2^35. All in
 * fixed point on integers, so the same on every host.
 *
 * <p>Trigonometric arguments are reduced by the 66-bit value of pi that x87 units use (Intel SDM
 * vol. 1, 8.3.8), which decides the result for large arguments.
 */
public final class Transcendental {
  /** Fraction bits kept beyond the leading bit of what is computed. */
  private static final int GUARD = 144;

  /** pi, ln 2 scaled by 2^256. */
  private static final BigInteger PI =
      new BigInteger("3243f6a8885a308d313198a2e03707344a4093822299f31d0082efa98ec4e6c89", 16);

  private static final BigInteger LN2 =
      new BigInteger("b17217f7d1cf79abc9e3b39803f2f6af40f343267298b62d8a0d175b8baafa2b", 16);

  private static final int SCALE = 256;

  /** The internal pi of the hardware: C90FDAA2 2168C234 C, scaled by 2^66. */
  private static final BigInteger PI66 = new BigInteger("c90fdaa22168c234c", 16);

  private Transcendental() {}

  /** {@code 2^a - 1} for |a| at most 1. */
  public static void exponential(SoftFloat f) {
    Unpacked a = f.a;
    int small = Math.min(Math.max(0, -a.exp), 80);
    int bits = GUARD + small;
    if (a.exp < -80) {
      // the linear term is all that 64 bits can show; the rest makes it inexact
      multiply(f, a, LN2, SCALE);
      return;
    }
    BigInteger x = fixed(a, bits).multiply(LN2).shiftRight(SCALE);
    BigInteger term = x;
    BigInteger sum = x;
    for (int n = 2; term.signum() != 0 && term.bitLength() > 1; n++) {
      term = term.multiply(x).shiftRight(bits).divide(BigInteger.valueOf(n));
      sum = sum.add(term);
    }
    result(f, sum, bits);
  }

  /** {@code b * log2(a)} for positive finite a. */
  public static void logarithm(SoftFloat f) {
    Unpacked a = f.a;
    // a = m * 2^e with m in [0.707, 1.414)
    int e = a.exp;
    int shift = 63;
    if (Long.compareUnsigned(a.hi, 0xb504f333f9de6484L) >= 0) {
      e++;
      shift = 64;
    }
    BigInteger m = unsigned(a.hi);
    BigInteger one = BigInteger.ONE.shiftLeft(shift);
    logarithm(f, m.subtract(one), m.add(one), e);
  }

  /** {@code b * log2(a + 1)} for a in the range of the instruction, not zero. */
  public static void logarithmPlusOne(SoftFloat f) {
    Unpacked a = f.a;
    if (a.exp < -70) {
      // log2(1 + a) = a / ln 2 to any precision that shows
      BigInteger inverse = BigInteger.ONE.shiftLeft(2 * SCALE).divide(LN2);
      multiply(f, a, inverse, SCALE);
      timesB(f);
      return;
    }
    BigInteger x = unsigned(a.hi);
    int scale = 63 - a.exp;
    if (a.exp < -2) {
      x = a.sign ? x.negate() : x;
      logarithm(f, x, x.add(BigInteger.ONE.shiftLeft(scale + 1)), 0);
      return;
    }
    if (scale >= 0) {
      BigInteger one = BigInteger.ONE.shiftLeft(scale);
      x = a.sign ? one.subtract(x) : one.add(x);
    }
    // 1 + a = m * 2^e with m in [0.707, 1.414), as above
    int length = x.bitLength();
    int e = length - 1 - scale;
    int shift = length - 1;
    if (x.multiply(x).bitLength() == 2 * length) {
      e++;
      shift++;
    }
    BigInteger one = BigInteger.ONE.shiftLeft(shift);
    logarithm(f, x.subtract(one), x.add(one), e);
  }

  /** {@code b * (e + 2 atanh(p / q) / ln 2)}. */
  private static void logarithm(SoftFloat f, BigInteger p, BigInteger q, int e) {
    int small = e == 0 ? Math.max(0, q.bitLength() - p.bitLength()) : 0;
    int bits = GUARD + small;
    BigInteger z = p.shiftLeft(bits).divide(q);
    BigInteger square = z.multiply(z).shiftRight(bits);
    BigInteger power = z;
    BigInteger sum = z;
    for (int n = 3; power.bitLength() > 1; n += 2) {
      power = power.multiply(square).shiftRight(bits);
      sum = sum.add(power.divide(BigInteger.valueOf(n)));
    }
    BigInteger log = sum.shiftLeft(SCALE + 1).divide(LN2);
    log = log.add(BigInteger.valueOf(e).shiftLeft(bits));
    if (log.signum() == 0) {
      f.r.zero(f.b.sign);
      return;
    }
    result(f, log, bits);
    timesB(f);
  }

  /** Multiplies r, up to 128 bits, by b; both finite and not zero. */
  private static void timesB(SoftFloat f) {
    Unpacked r = f.r;
    BigInteger p = unsigned(r.hi).shiftLeft(64).or(unsigned(r.lo)).multiply(unsigned(f.b.hi));
    int exp = r.exp + f.b.exp;
    place(f, r.sign ^ f.b.sign, p, exp - 127 - 63);
  }

  /** {@code atan2(b, a)} for finite operands, not both zero; a and b both not zero. */
  public static void arctangent(SoftFloat f) {
    Unpacked x = f.a;
    Unpacked y = f.b;
    boolean steep = SoftFloat.magnitude(y, x) > 0;
    Unpacked small = steep ? x : y;
    Unpacked large = steep ? y : x;
    int distance = large.exp - small.exp;
    if (distance > 70 && !steep && !x.sign) {
      quotient(f, y, x);
      return;
    }
    int bits = GUARD + Math.min(distance, 80);
    BigInteger t = ratio(small, large, bits, distance);
    BigInteger angle = arctangent(t, bits);
    BigInteger pi = PI.shiftRight(SCALE - bits);
    if (steep) {
      BigInteger half = pi.shiftRight(1);
      angle = x.sign ? half.add(angle) : half.subtract(angle);
    } else if (x.sign) {
      angle = pi.subtract(angle);
    }
    result(f, y.sign ? angle.negate() : angle, bits);
  }

  private static BigInteger ratio(Unpacked small, Unpacked large, int bits, int distance) {
    if (distance > bits) {
      return BigInteger.ONE; // next to nothing, but not nothing
    }
    return unsigned(small.hi).shiftLeft(bits - distance).divide(unsigned(large.hi));
  }

  /** {@code r = y / x} for positive x, a little less in magnitude: arctangent of a tiny ratio. */
  private static void quotient(SoftFloat f, Unpacked y, Unpacked x) {
    BigInteger q = unsigned(y.hi).shiftLeft(200).divide(unsigned(x.hi));
    place(f, y.sign, q.subtract(BigInteger.ONE), y.exp - x.exp - 200);
  }

  /** Fixed-point arctangent of t in [0, 1]. */
  private static BigInteger arctangent(BigInteger t, int bits) {
    BigInteger one = BigInteger.ONE.shiftLeft(bits);
    BigInteger z = t;
    int halvings = 0;
    // atan t = 2 atan(t / (1 + sqrt(1 + t^2)))
    while (z.shiftLeft(3).compareTo(one) > 0) {
      BigInteger root = one.shiftLeft(bits).add(z.multiply(z)).sqrt();
      z = z.shiftLeft(bits).divide(one.add(root));
      halvings++;
    }
    BigInteger square = z.multiply(z).shiftRight(bits);
    BigInteger power = z;
    BigInteger sum = z;
    for (int n = 3; power.bitLength() > 1; n += 2) {
      power = power.multiply(square).shiftRight(bits).negate();
      sum = sum.add(power.divide(BigInteger.valueOf(n)));
    }
    return sum.shiftLeft(halvings);
  }

  /** A reduced trigonometric argument: sine and cosine of what is left, and the quadrant. */
  private static final class Angle {
    BigInteger sine;
    BigInteger cosine;
    int quadrant;
    int bits;
  }

  /** {@code sin a}, 0 < |a| < 2^63. */
  public static void sine(SoftFloat f) {
    Unpacked a = f.a;
    if (a.exp < -40) {
      // a - a^3/6: a hair below a
      place(f, a.sign, unsigned(a.hi).shiftLeft(60).subtract(BigInteger.ONE), a.exp - 123);
      return;
    }
    Angle g = reduce(a);
    BigInteger s = (g.quadrant & 1) == 0 ? g.sine : g.cosine;
    signed(f, s, g.bits, (g.quadrant & 2) != 0 ^ a.sign);
  }

  /** {@code cos a}, |a| < 2^63. */
  public static void cosine(SoftFloat f) {
    Unpacked a = f.a;
    if (a.exp < -40) {
      // a hair below one
      place(f, false, BigInteger.ONE.shiftLeft(126).subtract(BigInteger.ONE), -126);
      return;
    }
    Angle g = reduce(a);
    BigInteger s = (g.quadrant & 1) == 0 ? g.cosine : g.sine;
    signed(f, s, g.bits, ((g.quadrant + 1) & 2) != 0);
  }

  /** {@code tan a}, 0 < |a| < 2^63. */
  public static void tangent(SoftFloat f) {
    Unpacked a = f.a;
    if (a.exp < -40) {
      place(f, a.sign, unsigned(a.hi).shiftLeft(60).add(BigInteger.ONE), a.exp - 123);
      return;
    }
    Angle g = reduce(a);
    boolean swap = (g.quadrant & 1) != 0;
    BigInteger p = swap ? g.cosine : g.sine;
    BigInteger q = swap ? g.sine : g.cosine;
    signed(f, p.shiftLeft(g.bits).divide(q), g.bits, swap ^ a.sign);
  }

  private static void signed(SoftFloat f, BigInteger v, int bits, boolean negate) {
    result(f, negate ? v.negate() : v, bits);
  }

  /** Sine and cosine of |a| less the nearest multiple of pi/2. */
  private static Angle reduce(Unpacked a) {
    Angle g = new Angle();
    // 66 fraction bits of pi/2 for exponents up to 62; the rest may be as small as 2^-66
    g.bits = GUARD + 72;
    BigInteger x = unsigned(a.hi);
    int shift = g.bits + a.exp - 63;
    x = shift >= 0 ? x.shiftLeft(shift) : x.shiftRight(-shift);
    BigInteger half = PI66.shiftLeft(g.bits - 67);
    BigInteger[] parts = x.add(half.shiftRight(1)).divideAndRemainder(half);
    BigInteger rest = parts[1].subtract(half.shiftRight(1));
    g.quadrant = parts[0].intValue() & 3;
    BigInteger square = rest.multiply(rest).shiftRight(g.bits);
    g.sine = series(rest, square, g.bits, 2);
    g.cosine = series(BigInteger.ONE.shiftLeft(g.bits), square, g.bits, 1);
    return g;
  }

  /** {@code first * (1 - x^2/(n(n+1)) + ...)}. */
  private static BigInteger series(BigInteger first, BigInteger square, int bits, int from) {
    BigInteger term = first;
    BigInteger sum = first;
    for (int n = from; term.bitLength() > 1; n += 2) {
      term = term.multiply(square).shiftRight(bits).divide(BigInteger.valueOf((long) n * (n + 1)));
      term = term.negate();
      sum = sum.add(term);
    }
    return sum;
  }

  private static BigInteger unsigned(long v) {
    return new BigInteger(Long.toHexString(v), 16);
  }

  /** {@code a} with {@code bits} fraction bits. */
  private static BigInteger fixed(Unpacked a, int bits) {
    int shift = bits + a.exp - 63;
    BigInteger x = unsigned(a.hi);
    x = shift >= 0 ? x.shiftLeft(shift) : x.shiftRight(-shift);
    return a.sign ? x.negate() : x;
  }

  /** r = a * k / 2^scale, inexact. */
  private static void multiply(SoftFloat f, Unpacked a, BigInteger k, int scale) {
    place(f, a.sign, unsigned(a.hi).multiply(k), a.exp - 63 - scale);
  }

  private static void result(SoftFloat f, BigInteger v, int bits) {
    if (v.signum() == 0) {
      f.r.zero(false);
    } else {
      place(f, v.signum() < 0, v.abs(), -bits);
    }
  }

  /** r = ±v * 2^exp, marked inexact. */
  private static void place(SoftFloat f, boolean negative, BigInteger v, int exp) {
    int length = v.bitLength();
    BigInteger n = length <= 128 ? v.shiftLeft(128 - length) : v.shiftRight(length - 128);
    f.finite(negative, exp + length - 1, n.shiftRight(64).longValue(), n.longValue() | 1);
  }
}
