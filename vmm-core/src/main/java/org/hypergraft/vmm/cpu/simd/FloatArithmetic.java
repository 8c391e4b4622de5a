package org.hypergraft.vmm.cpu.simd;

import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.cpu.Flags;
import org.hypergraft.vmm.cpu.fpu.SoftFloat;
import org.hypergraft.vmm.cpu.interpret.Op;

/**
 * Floating-point arithmetic and comparison. Nothing is written before all elements are computed and
 * their exceptions settled.
 */
public final class FloatArithmetic {
  private FloatArithmetic() {}

  interface Single {
    int apply(Cpu c, int a, int b);
  }

  interface Double {
    long apply(Cpu c, long a, long b);
  }

  private static long pair(Cpu c, Single f, long a, long b) {
    return f.apply(c, (int) a, (int) b) & 0xffffffffL
        | (long) f.apply(c, (int) (a >> 32), (int) (b >> 32)) << 32;
  }

  private static void packed(Cpu c, Op o, Single f) {
    packedLanes(c, o, (u, a, b) -> pair(u, f, a, b));
  }

  /** All 64-bit lanes of the operands, then exceptions, then the result. */
  private static void packedLanes(Cpu c, Op o, Double f) {
    Simd.check(c, o);
    int b = Simd.source(c, o);
    int a = o.s * 4;
    int d = o.d * 4;
    long[] x = c.x;
    long r0 = f.apply(c, x[a], x[b]);
    long r1 = f.apply(c, x[a + 1], x[b + 1]);
    if (o.aux == Simd.VEX256) {
      long r2 = f.apply(c, x[a + 2], x[b + 2]);
      long r3 = f.apply(c, x[a + 3], x[b + 3]);
      SseFloat.raise(c);
      x[d] = r0;
      x[d + 1] = r1;
      x[d + 2] = r2;
      x[d + 3] = r3;
    } else {
      SseFloat.raise(c);
      Simd.write(c, o, r0, r1);
    }
  }

  private static void scalar32(Cpu c, Op o, Single f) {
    Simd.check(c, o);
    int b = Simd.source32(c, o);
    long a = c.x[o.s * 4];
    int r = f.apply(c, (int) a, b);
    SseFloat.raise(c);
    Simd.write(c, o, a & 0xffffffff00000000L | r & 0xffffffffL, c.x[o.s * 4 + 1]);
  }

  private static void scalar64(Cpu c, Op o, Double f) {
    Simd.check(c, o);
    long b = Simd.source64(c, o);
    long r = f.apply(c, c.x[o.s * 4], b);
    SseFloat.raise(c);
    Simd.write(c, o, r, c.x[o.s * 4 + 1]);
  }

  public static void addps(Cpu c, Op o) {
    packed(c, o, SseFloat::add32);
  }

  public static void addpd(Cpu c, Op o) {
    packedLanes(c, o, SseFloat::add64);
  }

  public static void addss(Cpu c, Op o) {
    scalar32(c, o, SseFloat::add32);
  }

  public static void addsd(Cpu c, Op o) {
    scalar64(c, o, SseFloat::add64);
  }

  public static void subps(Cpu c, Op o) {
    packed(c, o, SseFloat::sub32);
  }

  public static void subpd(Cpu c, Op o) {
    packedLanes(c, o, SseFloat::sub64);
  }

  public static void subss(Cpu c, Op o) {
    scalar32(c, o, SseFloat::sub32);
  }

  public static void subsd(Cpu c, Op o) {
    scalar64(c, o, SseFloat::sub64);
  }

  public static void mulps(Cpu c, Op o) {
    packed(c, o, SseFloat::mul32);
  }

  public static void mulpd(Cpu c, Op o) {
    packedLanes(c, o, SseFloat::mul64);
  }

  public static void mulss(Cpu c, Op o) {
    scalar32(c, o, SseFloat::mul32);
  }

  public static void mulsd(Cpu c, Op o) {
    scalar64(c, o, SseFloat::mul64);
  }

  public static void divps(Cpu c, Op o) {
    packed(c, o, SseFloat::div32);
  }

  public static void divpd(Cpu c, Op o) {
    packedLanes(c, o, SseFloat::div64);
  }

  public static void divss(Cpu c, Op o) {
    scalar32(c, o, SseFloat::div32);
  }

  public static void divsd(Cpu c, Op o) {
    scalar64(c, o, SseFloat::div64);
  }

  public static void minps(Cpu c, Op o) {
    packed(c, o, SseFloat::min32);
  }

  public static void minpd(Cpu c, Op o) {
    packedLanes(c, o, SseFloat::min64);
  }

  public static void minss(Cpu c, Op o) {
    scalar32(c, o, SseFloat::min32);
  }

  public static void minsd(Cpu c, Op o) {
    scalar64(c, o, SseFloat::min64);
  }

  public static void maxps(Cpu c, Op o) {
    packed(c, o, SseFloat::max32);
  }

  public static void maxpd(Cpu c, Op o) {
    packedLanes(c, o, SseFloat::max64);
  }

  public static void maxss(Cpu c, Op o) {
    scalar32(c, o, SseFloat::max32);
  }

  public static void maxsd(Cpu c, Op o) {
    scalar64(c, o, SseFloat::max64);
  }

  public static void sqrtps(Cpu c, Op o) {
    packed(c, o, (u, a, b) -> SseFloat.sqrt32(u, b));
  }

  public static void sqrtpd(Cpu c, Op o) {
    packedLanes(c, o, (u, a, b) -> SseFloat.sqrt64(u, b));
  }

  public static void sqrtss(Cpu c, Op o) {
    scalar32(c, o, (u, a, b) -> SseFloat.sqrt32(u, b));
  }

  public static void sqrtsd(Cpu c, Op o) {
    scalar64(c, o, (u, a, b) -> SseFloat.sqrt64(u, b));
  }

  public static void rcpps(Cpu c, Op o) {
    packed(c, o, (u, a, b) -> SseFloat.reciprocal(b));
  }

  public static void rcpss(Cpu c, Op o) {
    scalar32(c, o, (u, a, b) -> SseFloat.reciprocal(b));
  }

  public static void rsqrtps(Cpu c, Op o) {
    packed(c, o, (u, a, b) -> SseFloat.reciprocalRoot(b));
  }

  public static void rsqrtss(Cpu c, Op o) {
    scalar32(c, o, (u, a, b) -> SseFloat.reciprocalRoot(b));
  }

  public static void cmpps(Cpu c, Op o) {
    int p = condition(o);
    packed(c, o, (u, a, b) -> SseFloat.compareMask32(u, a, b, p));
  }

  public static void roundps(Cpu c, Op o) {
    int imm = (int) o.imm;
    packed(c, o, (u, a, b) -> SseFloat.round32(u, b, imm));
  }

  public static void cmppd(Cpu c, Op o) {
    int p = condition(o);
    packedLanes(c, o, (u, a, b) -> SseFloat.compareMask64(u, a, b, p));
  }

  public static void roundpd(Cpu c, Op o) {
    int imm = (int) o.imm;
    packedLanes(c, o, (u, a, b) -> SseFloat.round64(u, b, imm));
  }

  public static void cmpss(Cpu c, Op o) {
    int p = condition(o);
    scalar32(c, o, (u, a, b) -> SseFloat.compareMask32(u, a, b, p));
  }

  public static void roundss(Cpu c, Op o) {
    int imm = (int) o.imm;
    scalar32(c, o, (u, a, b) -> SseFloat.round32(u, b, imm));
  }

  public static void cmpsd(Cpu c, Op o) {
    int p = condition(o);
    scalar64(c, o, (u, a, b) -> SseFloat.compareMask64(u, a, b, p));
  }

  public static void roundsd(Cpu c, Op o) {
    int imm = (int) o.imm;
    scalar64(c, o, (u, a, b) -> SseFloat.round64(u, b, imm));
  }

  /** Legacy encodings know the first eight predicates only. */
  private static int condition(Op o) {
    return (int) o.imm & (o.aux == Simd.SSE ? 7 : 31);
  }

  public static void addsubps(Cpu c, Op o) {
    packedLanes(
        c,
        o,
        (u, a, b) ->
            SseFloat.sub32(u, (int) a, (int) b) & 0xffffffffL
                | (long) SseFloat.add32(u, (int) (a >> 32), (int) (b >> 32)) << 32);
  }

  public static void addsubpd(Cpu c, Op o) {
    lanes(
        c,
        o,
        (u, x, a, b, imm, r, at) -> {
          r[at] = SseFloat.sub64(u, x[a], x[b]);
          r[at + 1] = SseFloat.add64(u, x[a + 1], x[b + 1]);
        });
  }

  /** A function of two 128-bit values with exceptions; writes {@code r[at]} and the next. */
  private interface Half {
    void apply(Cpu c, long[] x, int a, int b, int imm, long[] r, int at);
  }

  private static void lanes(Cpu c, Op o, Half f) {
    Simd.check(c, o);
    int b = Simd.source(c, o);
    int a = o.s * 4;
    int d = o.d * 4;
    long[] r = new long[4];
    f.apply(c, c.x, a, b, (int) o.imm, r, 0);
    if (o.aux == Simd.VEX256) {
      f.apply(c, c.x, a + 2, b + 2, (int) o.imm, r, 2);
    }
    SseFloat.raise(c);
    Simd.write(c, o, r[0], r[1]);
    if (o.aux == Simd.VEX256) {
      c.x[d + 2] = r[2];
      c.x[d + 3] = r[3];
    }
  }

  /** Both elements of one lane combined. */
  private static long across(Cpu c, Single f, long v) {
    return f.apply(c, (int) v, (int) (v >> 32)) & 0xffffffffL;
  }

  private static void horizontal32(Cpu c, Op o, Single f) {
    lanes(
        c,
        o,
        (u, x, a, b, imm, r, at) -> {
          r[at] = across(u, f, x[a]) | across(u, f, x[a + 1]) << 32;
          r[at + 1] = across(u, f, x[b]) | across(u, f, x[b + 1]) << 32;
        });
  }

  private static void horizontal64(Cpu c, Op o, Double f) {
    lanes(
        c,
        o,
        (u, x, a, b, imm, r, at) -> {
          r[at] = f.apply(u, x[a], x[a + 1]);
          r[at + 1] = f.apply(u, x[b], x[b + 1]);
        });
  }

  public static void haddps(Cpu c, Op o) {
    horizontal32(c, o, SseFloat::add32);
  }

  public static void hsubps(Cpu c, Op o) {
    horizontal32(c, o, SseFloat::sub32);
  }

  public static void haddpd(Cpu c, Op o) {
    horizontal64(c, o, SseFloat::add64);
  }

  public static void hsubpd(Cpu c, Op o) {
    horizontal64(c, o, SseFloat::sub64);
  }

  /** Dot product: imm bits 4-7 choose the products, bits 0-3 the places of the sum. */
  public static void dpps(Cpu c, Op o) {
    lanes(
        c,
        o,
        (u, x, a, b, imm, r, at) -> {
          int[] p = new int[4];
          for (int i = 0; i < 4; i++) {
            if ((imm >> 4 + i & 1) != 0) {
              int shift = 32 * (i & 1);
              p[i] =
                  SseFloat.mul32(
                      u, (int) (x[a + (i >> 1)] >> shift), (int) (x[b + (i >> 1)] >> shift));
            }
          }
          if (SseFloat.refused(u)) {
            return;
          }
          int even = SseFloat.add32(u, p[0], p[1]);
          int odd = SseFloat.add32(u, p[2], p[3]);
          if (SseFloat.refused(u)) {
            return;
          }
          long sum = SseFloat.add32(u, even, odd) & 0xffffffffL;
          r[at] = ((imm & 1) != 0 ? sum : 0) | ((imm & 2) != 0 ? sum << 32 : 0);
          r[at + 1] = ((imm & 4) != 0 ? sum : 0) | ((imm & 8) != 0 ? sum << 32 : 0);
        });
  }

  public static void dppd(Cpu c, Op o) {
    lanes(
        c,
        o,
        (u, x, a, b, imm, r, at) -> {
          long p0 = (imm & 0x10) != 0 ? SseFloat.mul64(u, x[a], x[b]) : 0;
          long p1 = (imm & 0x20) != 0 ? SseFloat.mul64(u, x[a + 1], x[b + 1]) : 0;
          if (SseFloat.refused(u)) {
            return;
          }
          long sum = SseFloat.add64(u, p0, p1);
          r[at] = (imm & 1) != 0 ? sum : 0;
          r[at + 1] = (imm & 2) != 0 ? sum : 0;
        });
  }

  public static void comiss(Cpu c, Op o) {
    compare32(c, o, false);
  }

  public static void ucomiss(Cpu c, Op o) {
    compare32(c, o, true);
  }

  public static void comisd(Cpu c, Op o) {
    compare64(c, o, false);
  }

  public static void ucomisd(Cpu c, Op o) {
    compare64(c, o, true);
  }

  private static void compare32(Cpu c, Op o, boolean quiet) {
    Simd.check(c, o);
    int b = Simd.source32(c, o);
    int order = SseFloat.compare32(c, (int) c.x[o.d * 4], b, quiet);
    SseFloat.raise(c);
    flags(c, order);
  }

  private static void compare64(Cpu c, Op o, boolean quiet) {
    Simd.check(c, o);
    long b = Simd.source64(c, o);
    int order = SseFloat.compare64(c, c.x[o.d * 4], b, quiet);
    SseFloat.raise(c);
    flags(c, order);
  }

  private static void flags(Cpu c, int order) {
    int bits = order == 0 ? Flags.ZF : order == -1 ? Flags.CF : 0;
    Flags.setStatus(c, order == SoftFloat.UNORDERED ? Flags.ZF | Flags.PF | Flags.CF : bits);
  }

  // Fused multiply-add. Bits of the immediate say which, see SimdLowering.

  /** Operand order: bits 0-1 = 0 for 132, 1 for 213, 2 for 231. */
  static final int FMA_ORDER = 3;

  static final int FMA_NEGATE_PRODUCT = 4;
  static final int FMA_SUBTRACT = 8;

  /** FMADDSUB and FMSUBADD: the even elements do the opposite. */
  static final int FMA_ALTERNATE = 16;

  public static void fmaps(Cpu c, Op o) {
    fused(c, o, false);
  }

  public static void fmapd(Cpu c, Op o) {
    fused(c, o, true);
  }

  private static void fused(Cpu c, Op o, boolean wide) {
    Simd.check(c, o);
    int b = Simd.source(c, o);
    int a = o.s * 4;
    int d = o.d * 4;
    int n = o.aux == Simd.VEX256 ? 4 : 2;
    int v = (int) o.imm;
    long[] x = c.x;
    long[] r = new long[4];
    for (int i = 0; i < n; i++) {
      if (wide) {
        r[i] = fma64(c, v, (i & 1) == 0, x[d + i], x[a + i], x[b + i]);
      } else {
        long hi =
            fma32(
                c,
                v,
                false,
                (int) (x[d + i] >> 32),
                (int) (x[a + i] >> 32),
                (int) (x[b + i] >> 32));
        r[i] =
            fma32(c, v, true, (int) x[d + i], (int) x[a + i], (int) x[b + i]) & 0xffffffffL
                | hi << 32;
      }
    }
    SseFloat.raise(c);
    Simd.write(c, o, r[0], r[1]);
    if (n == 4) {
      x[d + 2] = r[2];
      x[d + 3] = r[3];
    }
  }

  public static void fmass(Cpu c, Op o) {
    Simd.check(c, o);
    int b = Simd.source32(c, o);
    long d = c.x[o.d * 4];
    long r = fma32(c, (int) o.imm, false, (int) d, (int) c.x[o.s * 4], b) & 0xffffffffL;
    SseFloat.raise(c);
    Simd.write(c, o, d & 0xffffffff00000000L | r, c.x[o.d * 4 + 1]);
  }

  public static void fmasd(Cpu c, Op o) {
    Simd.check(c, o);
    long b = Simd.source64(c, o);
    long r = fma64(c, (int) o.imm, false, c.x[o.d * 4], c.x[o.s * 4], b);
    SseFloat.raise(c);
    Simd.write(c, o, r, c.x[o.d * 4 + 1]);
  }

  private static boolean subtracts(int v, boolean even) {
    boolean alternate = (v & FMA_ALTERNATE) != 0 && even;
    return (v & FMA_SUBTRACT) != 0 != alternate;
  }

  private static int fma32(Cpu c, int v, boolean even, int d, int s, int t) {
    boolean product = (v & FMA_NEGATE_PRODUCT) != 0;
    boolean subtract = subtracts(v, even);
    switch (v & FMA_ORDER) {
      case 0:
        return SseFloat.fma32(c, d, t, s, product, subtract);
      case 1:
        return SseFloat.fma32(c, s, d, t, product, subtract);
      default:
        return SseFloat.fma32(c, s, t, d, product, subtract);
    }
  }

  private static long fma64(Cpu c, int v, boolean even, long d, long s, long t) {
    boolean product = (v & FMA_NEGATE_PRODUCT) != 0;
    boolean subtract = subtracts(v, even);
    switch (v & FMA_ORDER) {
      case 0:
        return SseFloat.fma64(c, d, t, s, product, subtract);
      case 1:
        return SseFloat.fma64(c, s, d, t, product, subtract);
      default:
        return SseFloat.fma64(c, s, t, d, product, subtract);
    }
  }
}
