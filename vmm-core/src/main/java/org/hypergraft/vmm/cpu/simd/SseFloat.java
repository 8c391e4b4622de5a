package org.hypergraft.vmm.cpu.simd;

import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.cpu.fpu.SoftFloat;
import org.hypergraft.vmm.cpu.fpu.Unpacked;
import org.hypergraft.vmm.mmu.GuestFault;

/**
 * SSE arithmetic on single elements, as bit patterns. Host arithmetic is used where it gives the
 * same bits and can raise nothing new: round to nearest, "inexact" masked and already sticky,
 * operands and result ordinary. Everything else goes through {@link SoftFloat}, which collects the
 * exceptions of all elements; {@link #raise} then settles them before anything is written.
 */
final class SseFloat {
  static final int DAZ = 1 << 6;
  static final int FTZ = 1 << 15;

  private SseFloat() {}

  private static boolean quick(Cpu c) {
    return QuickDouble.quick(c);
  }

  /** Normal or zero. */
  private static boolean plain(int v) {
    int e = v >>> 23 & 0xff;
    return e != 0xff && (e != 0 || v << 1 == 0);
  }

  private static boolean plain(long v) {
    return QuickDouble.ordinary(v);
  }

  /** Normal, and not the smallest, which a tiny result may have been rounded up to. */
  private static boolean safe(int v) {
    int e = v >>> 23 & 0xff;
    return e != 0xff && e > 1;
  }

  private static SoftFloat soft(Cpu c) {
    SoftFloat f = c.sse;
    f.rounding = c.mxcsr >>> 13 & 3;
    f.masks = c.mxcsr >>> 7 & 0x3f;
    f.flushToZero = (c.mxcsr & FTZ) != 0;
    return f;
  }

  private static void daz(Cpu c, Unpacked u) {
    if (u.denormal && (c.mxcsr & DAZ) != 0) {
      u.kind = Unpacked.ZERO;
      u.denormal = false;
    }
  }

  static SoftFloat load32(Cpu c, int a, int b) {
    SoftFloat f = soft(c);
    daz(c, f.a.from32(a));
    daz(c, f.b.from32(b));
    return f;
  }

  static SoftFloat load64(Cpu c, long a, long b) {
    SoftFloat f = soft(c);
    daz(c, f.a.from64(a));
    daz(c, f.b.from64(b));
    return f;
  }

  /**
   * Adds the exceptions collected since the last call to MXCSR.
   *
   * @throws GuestFault #XM (#UD without CR4.OSXMMEXCPT) when one of them is not masked
   */
  static void raise(Cpu c) {
    int flags = c.sse.flags;
    if (flags != 0) {
      c.sse.flags = 0;
      settle(c, flags);
    }
  }

  /** Whether an unmasked exception has been collected, so that nothing more is computed. */
  static boolean refused(Cpu c) {
    return (c.sse.flags & ~(c.mxcsr >>> 7)) != 0;
  }

  private static void settle(Cpu c, int flags) {
    int open = flags & ~(c.mxcsr >>> 7);
    int before = SoftFloat.INVALID | SoftFloat.DENORMAL | SoftFloat.DIVIDE_BY_ZERO;
    if ((open & before) != 0) {
      // nothing is computed once an operand has been refused
      c.mxcsr |= flags & before;
    } else {
      c.mxcsr |= flags;
    }
    if (open != 0) {
      throw GuestFault.of((c.cr4 & Simd.CR4_OSXMMEXCPT) != 0 ? GuestFault.XM : GuestFault.UD);
    }
  }

  static int add32(Cpu c, int a, int b) {
    if (quick(c) && plain(a) && plain(b)) {
      int r = Float.floatToRawIntBits(Float.intBitsToFloat(a) + Float.intBitsToFloat(b));
      if (safe(r)) {
        return r;
      }
    }
    SoftFloat f = load32(c, a, b);
    f.add();
    f.round32();
    return f.r.to32();
  }

  static int sub32(Cpu c, int a, int b) {
    if (quick(c) && plain(a) && plain(b)) {
      int r = Float.floatToRawIntBits(Float.intBitsToFloat(a) - Float.intBitsToFloat(b));
      if (safe(r)) {
        return r;
      }
    }
    SoftFloat f = load32(c, a, b);
    f.subtract();
    f.round32();
    return f.r.to32();
  }

  static int mul32(Cpu c, int a, int b) {
    if (quick(c) && plain(a) && plain(b)) {
      int r = Float.floatToRawIntBits(Float.intBitsToFloat(a) * Float.intBitsToFloat(b));
      if (safe(r)) {
        return r;
      }
    }
    SoftFloat f = load32(c, a, b);
    f.multiply();
    f.round32();
    return f.r.to32();
  }

  static int div32(Cpu c, int a, int b) {
    if (quick(c) && plain(a) && plain(b)) {
      int r = Float.floatToRawIntBits(Float.intBitsToFloat(a) / Float.intBitsToFloat(b));
      if (safe(r)) {
        return r;
      }
    }
    SoftFloat f = load32(c, a, b);
    f.divide();
    f.round32();
    return f.r.to32();
  }

  static int sqrt32(Cpu c, int a) {
    if (quick(c) && plain(a) && a >= 0) {
      // the double root of a float is precise enough to round again
      return Float.floatToRawIntBits((float) Math.sqrt(Float.intBitsToFloat(a)));
    }
    SoftFloat f = load32(c, a, a);
    f.squareRoot();
    f.round32();
    return f.r.to32();
  }

  static long add64(Cpu c, long a, long b) {
    if (quick(c)) {
      long r = Double.doubleToRawLongBits(Double.longBitsToDouble(a) + Double.longBitsToDouble(b));
      if (QuickDouble.sum(a, b, r)) {
        return r;
      }
    }
    SoftFloat f = load64(c, a, b);
    f.add();
    f.round64();
    return f.r.to64();
  }

  static long sub64(Cpu c, long a, long b) {
    if (quick(c)) {
      long r = Double.doubleToRawLongBits(Double.longBitsToDouble(a) - Double.longBitsToDouble(b));
      if (QuickDouble.sum(a, b, r)) {
        return r;
      }
    }
    SoftFloat f = load64(c, a, b);
    f.subtract();
    f.round64();
    return f.r.to64();
  }

  static long mul64(Cpu c, long a, long b) {
    if (quick(c)) {
      long r = Double.doubleToRawLongBits(Double.longBitsToDouble(a) * Double.longBitsToDouble(b));
      if (QuickDouble.product(a, b, r)) {
        return r;
      }
    }
    SoftFloat f = load64(c, a, b);
    f.multiply();
    f.round64();
    return f.r.to64();
  }

  static long div64(Cpu c, long a, long b) {
    if (quick(c)) {
      long r = Double.doubleToRawLongBits(Double.longBitsToDouble(a) / Double.longBitsToDouble(b));
      if (QuickDouble.quotient(a, b, r)) {
        return r;
      }
    }
    SoftFloat f = load64(c, a, b);
    f.divide();
    f.round64();
    return f.r.to64();
  }

  static long sqrt64(Cpu c, long a) {
    if (quick(c) && QuickDouble.root(a)) {
      return Double.doubleToRawLongBits(Math.sqrt(Double.longBitsToDouble(a)));
    }
    SoftFloat f = load64(c, a, a);
    f.squareRoot();
    f.round64();
    return f.r.to64();
  }

  // MIN and MAX return the second source unless the first is strictly smaller (larger).

  static int min32(Cpu c, int a, int b) {
    return pick32(c, a, b, -1);
  }

  static int max32(Cpu c, int a, int b) {
    return pick32(c, a, b, 1);
  }

  private static int pick32(Cpu c, int a, int b, int wanted) {
    SoftFloat f = load32(c, a, b);
    // a denormal treated as zero is returned as zero, a NaN as it is
    if (f.compare(false) == wanted) {
      return f.a.kind == Unpacked.ZERO ? f.a.to32() : a;
    }
    return f.b.kind == Unpacked.ZERO ? f.b.to32() : b;
  }

  static long min64(Cpu c, long a, long b) {
    return pick64(c, a, b, -1);
  }

  static long max64(Cpu c, long a, long b) {
    return pick64(c, a, b, 1);
  }

  private static long pick64(Cpu c, long a, long b, int wanted) {
    if (plain(a) && plain(b)) {
      return wanted < 0 ? QuickDouble.min(a, b) : QuickDouble.max(a, b);
    }
    SoftFloat f = load64(c, a, b);
    if (f.compare(false) == wanted) {
      return f.a.kind == Unpacked.ZERO ? f.a.to64() : a;
    }
    return f.b.kind == Unpacked.ZERO ? f.b.to64() : b;
  }

  /** -1, 0, 1 or {@link SoftFloat#UNORDERED}. */
  static int compare32(Cpu c, int a, int b, boolean quiet) {
    return load32(c, a, b).compare(quiet);
  }

  static int compare64(Cpu c, long a, long b, boolean quiet) {
    if (plain(a) && plain(b)) {
      double x = Double.longBitsToDouble(a);
      double y = Double.longBitsToDouble(b);
      return x < y ? -1 : x > y ? 1 : 0;
    }
    return load64(c, a, b).compare(quiet);
  }

  /**
   * The 32 comparison predicates of VCMPPS and its kin; CMPPS has the first eight (Intel SDM vol.
   * 2, table 3-1).
   */
  static boolean predicate(int p, int order) {
    switch (p & 0xf) {
      case 0: // EQ_OQ, EQ_OS
        return order == 0;
      case 1: // LT
        return order == -1;
      case 2: // LE
        return order == -1 || order == 0;
      case 3: // UNORD
        return order == SoftFloat.UNORDERED;
      case 4: // NEQ_UQ
        return order != 0;
      case 5: // NLT
        return order != -1;
      case 6: // NLE
        return order == 1 || order == SoftFloat.UNORDERED;
      case 7: // ORD
        return order != SoftFloat.UNORDERED;
      case 8: // EQ_UQ
        return order == 0 || order == SoftFloat.UNORDERED;
      case 9: // NGE
        return order == -1 || order == SoftFloat.UNORDERED;
      case 10: // NGT
        return order != 1;
      case 11: // FALSE
        return false;
      case 12: // NEQ_OQ
        return order == -1 || order == 1;
      case 13: // GE
        return order == 0 || order == 1;
      case 14: // GT
        return order == 1;
      default: // TRUE
        return true;
    }
  }

  /** Whether only signaling NaNs make a predicate invalid. */
  static boolean quietPredicate(int p) {
    boolean lowQuiet = (p & 3) == 0 || (p & 3) == 3;
    return lowQuiet == ((p & 0x10) == 0);
  }

  static int compareMask32(Cpu c, int a, int b, int p) {
    return predicate(p, compare32(c, a, b, quietPredicate(p))) ? -1 : 0;
  }

  static long compareMask64(Cpu c, long a, long b, int p) {
    return predicate(p, compare64(c, a, b, quietPredicate(p))) ? -1 : 0;
  }

  static long widen(Cpu c, int a) {
    if (plain(a)) {
      return Double.doubleToRawLongBits(Float.intBitsToFloat(a));
    }
    SoftFloat f = load32(c, a, 0);
    same(f);
    return f.r.to64();
  }

  static int narrow(Cpu c, long a) {
    SoftFloat f = load64(c, a, 0);
    same(f);
    f.round32();
    return f.r.to32();
  }

  /** r = a with NaNs quieted and the operand exceptions of a conversion. */
  private static void same(SoftFloat f) {
    f.b.kind = Unpacked.ZERO;
    f.b.sign = f.a.sign;
    f.b.denormal = false;
    f.add();
  }

  static int fromInt32(Cpu c, long v) {
    SoftFloat f = soft(c);
    f.r.fromInt(v);
    f.round32();
    return f.r.to32();
  }

  static long fromInt64(Cpu c, long v) {
    if (v == (int) v) {
      return Double.doubleToRawLongBits((int) v);
    }
    SoftFloat f = soft(c);
    f.r.fromInt(v);
    f.round64();
    return f.r.to64();
  }

  /** To a signed integer of 32 or 64 bits. */
  static long toInt32(Cpu c, int a, int bits, boolean truncate) {
    SoftFloat f = load32(c, a, 0);
    return f.toInteger(bits, truncate ? SoftFloat.TRUNCATE : f.rounding);
  }

  static long toInt64(Cpu c, long a, int bits, boolean truncate) {
    if (truncate && quick(c) && QuickDouble.truncates(a, bits / 8)) {
      return (long) Double.longBitsToDouble(a);
    }
    SoftFloat f = load64(c, a, 0);
    return f.toInteger(bits, truncate ? SoftFloat.TRUNCATE : f.rounding);
  }

  /** ROUNDSS and its kin: imm bits 0-1 mode, 2 = use MXCSR, 3 = inexact is not raised. */
  static int round32(Cpu c, int a, int imm) {
    SoftFloat f = load32(c, a, 0);
    integral(f, imm);
    return f.r.to32();
  }

  static long round64(Cpu c, long a, int imm) {
    SoftFloat f = load64(c, a, 0);
    integral(f, imm);
    return f.r.to64();
  }

  private static void integral(SoftFloat f, int imm) {
    f.a.denormal = false; // this instruction does not raise the denormal exception
    if (f.a.isNan()) {
      same(f);
      return;
    }
    int before = f.flags;
    f.roundToInteger((imm & 4) != 0 ? f.rounding : imm & 3);
    if ((imm & 8) != 0) {
      f.flags = before;
    }
  }

  static int fma32(Cpu c, int a, int b, int addend, boolean negateProduct, boolean negateAddend) {
    SoftFloat f = load32(c, a, b);
    daz(c, f.c.from32(addend));
    f.fusedMultiplyAdd(negateProduct, negateAddend);
    f.round32();
    return f.r.to32();
  }

  static long fma64(
      Cpu c, long a, long b, long addend, boolean negateProduct, boolean negateAddend) {
    SoftFloat f = load64(c, a, b);
    daz(c, f.c.from64(addend));
    f.fusedMultiplyAdd(negateProduct, negateAddend);
    f.round64();
    return f.r.to64();
  }

  /** Half to single precision (VCVTPH2PS); denormals are never flushed. */
  static int fromHalf(Cpu c, int a) {
    SoftFloat f = soft(c);
    f.a.from16(a);
    f.a.denormal = false;
    same(f);
    return f.r.to32();
  }

  /** Single to half precision (VCVTPS2PH). */
  static int toHalf(Cpu c, int a, int imm) {
    SoftFloat f = load32(c, a, 0);
    if ((imm & 4) == 0) {
      f.rounding = imm & 3;
    }
    f.flushToZero = false;
    same(f);
    f.round(11, Unpacked.EMIN16, Unpacked.EMAX16);
    return f.r.to16();
  }

  /**
   * RCPSS: reciprocal to 12 bits, within the 1.5 * 2^-12 that every x86 processor promises (Intel
   * SDM vol. 2, RCPPS). Raises nothing.
   */
  static int reciprocal(int a) {
    int e = a >>> 23 & 0xff;
    int sign = a & 1 << 31;
    if (e == 0) {
      return sign | 0x7f800000;
    }
    if (e == 0xff) {
      return (a & 0x7fffff) != 0 ? a | 0x400000 : sign;
    }
    int r = Float.floatToRawIntBits(1.0f / Float.intBitsToFloat(a));
    return (r >>> 23 & 0xff) == 0 ? sign : nearest12(r);
  }

  /** RSQRTSS: reciprocal square root to 12 bits. */
  static int reciprocalRoot(int a) {
    int e = a >>> 23 & 0xff;
    int sign = a & 1 << 31;
    if (e == 0) {
      return sign | 0x7f800000;
    }
    if (e == 0xff && (a & 0x7fffff) != 0) {
      return a | 0x400000;
    }
    if (sign != 0) {
      return 0xffc00000;
    }
    if (e == 0xff) {
      return 0;
    }
    return nearest12(Float.floatToRawIntBits((float) (1.0 / Math.sqrt(Float.intBitsToFloat(a)))));
  }

  private static int nearest12(int bits) {
    return bits + (1 << 10) & -1 << 11;
  }
}
