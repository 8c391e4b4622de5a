package org.hypergraft.vmm.cpu.semantics;

import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.cpu.Flags;
import org.hypergraft.vmm.cpu.interpret.Op;
import org.hypergraft.vmm.mmu.GuestFault;

/**
 * Multiplication and division. One-operand forms work on AX, DX:AX, EDX:EAX or RDX:RAX of the Cpu.
 *
 * <p>SF, ZF, PF after a multiplication are undefined; here they follow from the low half and AF is
 * clear. Division leaves all flags as they were.
 */
public final class Multiply {
  private static final long MASK32 = 0xffff_ffffL;

  private Multiply() {}

  private static void flags(Cpu c, boolean overflow, long low) {
    Flags.explicit(c, overflow ? Flags.CF | Flags.OF : 0, low);
  }

  /** High half of the unsigned 128-bit product. */
  public static long unsignedHigh(long a, long b) {
    return Math.multiplyHigh(a, b) + (a >> 63 & b) + (b >> 63 & a);
  }

  public static long imul16(Cpu c, long a, long b) {
    long p = (long) (short) a * (short) b;
    flags(c, p != (short) p, (short) p);
    return p & 0xffff;
  }

  public static long imul32(Cpu c, long a, long b) {
    long p = (long) (int) a * (int) b;
    flags(c, p != (int) p, (int) p);
    return p & MASK32;
  }

  public static long imul64(Cpu c, long a, long b) {
    long p = a * b;
    flags(c, Math.multiplyHigh(a, b) != p >> 63, p);
    return p;
  }

  private static void setAx(Cpu c, long v) {
    c.r[0] = (c.r[0] & ~0xffffL) | (v & 0xffff);
  }

  private static void setDxAx(Cpu c, long v) {
    setAx(c, v);
    c.r[2] = (c.r[2] & ~0xffffL) | (v >>> 16 & 0xffff);
  }

  private static void setEdxEax(Cpu c, long v) {
    c.r[0] = v & MASK32;
    c.r[2] = v >>> 32;
  }

  public static void mulAx8(Cpu c, long b) {
    long p = (c.r[0] & 0xff) * (b & 0xff);
    setAx(c, p);
    flags(c, p >>> 8 != 0, (byte) p);
  }

  public static void mulAx16(Cpu c, long b) {
    long p = (c.r[0] & 0xffff) * (b & 0xffff);
    setDxAx(c, p);
    flags(c, p >>> 16 != 0, (short) p);
  }

  public static void mulAx32(Cpu c, long b) {
    long p = (c.r[0] & MASK32) * (b & MASK32);
    setEdxEax(c, p);
    flags(c, p >>> 32 != 0, (int) p);
  }

  public static void mulAx64(Cpu c, long b) {
    long a = c.r[0];
    long high = unsignedHigh(a, b);
    c.r[0] = a * b;
    c.r[2] = high;
    flags(c, high != 0, a * b);
  }

  public static void imulAx8(Cpu c, long b) {
    long p = (long) (byte) c.r[0] * (byte) b;
    setAx(c, p);
    flags(c, p != (byte) p, (byte) p);
  }

  public static void imulAx16(Cpu c, long b) {
    long p = (long) (short) c.r[0] * (short) b;
    setDxAx(c, p);
    flags(c, p != (short) p, (short) p);
  }

  public static void imulAx32(Cpu c, long b) {
    long p = (long) (int) c.r[0] * (int) b;
    setEdxEax(c, p);
    flags(c, p != (int) p, (int) p);
  }

  public static void imulAx64(Cpu c, long b) {
    long a = c.r[0];
    long high = Math.multiplyHigh(a, b);
    long low = a * b;
    c.r[0] = low;
    c.r[2] = high;
    flags(c, high != low >> 63, low);
  }

  /** MULX: {@link Op#d} high half, {@link Op#s} low half, RDX times register {@link Op#t}. */
  public static void mulxRegister(Cpu c, Op op) {
    mulx(c, op, c.r[op.t]);
  }

  public static void mulxMemory(Cpu c, Op op) {
    long la = op.address(c);
    mulx(c, op, op.size == 8 ? c.mmu.read64(la) : c.mmu.read32(la));
  }

  private static void mulx(Cpu c, Op op, long b) {
    long a = c.r[Cpu.RDX];
    long low;
    long high;
    if (op.size == 8) {
      low = a * b;
      high = unsignedHigh(a, b);
    } else {
      long p = (a & MASK32) * (b & MASK32);
      low = p & MASK32;
      high = p >>> 32;
    }
    // with equal destinations the high half wins
    c.r[op.s] = low;
    c.r[op.d] = high;
  }

  private static GuestFault divideError() {
    return GuestFault.of(GuestFault.DE);
  }

  public static void divAx8(Cpu c, long b) {
    long n = c.r[0] & 0xffff;
    long d = b & 0xff;
    if (d == 0 || n / d > 0xff) {
      throw divideError();
    }
    setAx(c, n % d << 8 | n / d);
  }

  public static void divAx16(Cpu c, long b) {
    long n = (c.r[2] & 0xffff) << 16 | (c.r[0] & 0xffff);
    long d = b & 0xffff;
    if (d == 0 || n / d > 0xffff) {
      throw divideError();
    }
    setDxAx(c, n % d << 16 | n / d);
  }

  public static void divAx32(Cpu c, long b) {
    long n = c.r[2] << 32 | (c.r[0] & MASK32);
    long d = b & MASK32;
    // the quotient fits exactly when the high half is below the divisor
    if (d <= (c.r[2] & MASK32)) {
      throw divideError();
    }
    long q = Long.divideUnsigned(n, d);
    c.r[0] = q;
    c.r[2] = n - q * d;
  }

  public static void divAx64(Cpu c, long b) {
    long high = c.r[2];
    long low = c.r[0];
    if (Long.compareUnsigned(b, high) <= 0) {
      throw divideError();
    }
    long q = high == 0 ? Long.divideUnsigned(low, b) : divide128(high, low, b);
    c.r[0] = q;
    c.r[2] = low - q * b;
  }

  public static void idivAx8(Cpu c, long b) {
    int n = (short) c.r[0];
    int d = (byte) b;
    if (d == 0 || n / d != (byte) (n / d)) {
      throw divideError();
    }
    setAx(c, (n % d & 0xff) << 8 | (n / d & 0xff));
  }

  public static void idivAx16(Cpu c, long b) {
    int n = (int) ((c.r[2] & 0xffff) << 16 | (c.r[0] & 0xffff));
    long d = (short) b;
    if (d == 0 || n / d != (short) (n / d)) {
      throw divideError();
    }
    setDxAx(c, (n % d & 0xffff) << 16 | (n / d & 0xffff));
  }

  public static void idivAx32(Cpu c, long b) {
    long n = c.r[2] << 32 | (c.r[0] & MASK32);
    long d = (int) b;
    // Long.MIN_VALUE / -1 wraps to itself, which the range check rejects
    if (d == 0 || n / d != (int) (n / d)) {
      throw divideError();
    }
    c.r[0] = n / d & MASK32;
    c.r[2] = n % d & MASK32;
  }

  public static void idivAx64(Cpu c, long b) {
    long high = c.r[2];
    long low = c.r[0];
    if (b == 0) {
      throw divideError();
    }
    if (high == low >> 63 && !(low == Long.MIN_VALUE && b == -1)) {
      c.r[0] = low / b;
      c.r[2] = low % b;
      return;
    }
    boolean negative = high < 0;
    if (negative) {
      low = -low;
      high = ~high + (low == 0 ? 1 : 0);
    }
    long d = Math.abs(b);
    if (Long.compareUnsigned(d, high) <= 0) {
      throw divideError();
    }
    long q = divide128(high, low, d);
    long rem = low - q * d;
    boolean negativeQuotient = negative != b < 0;
    // magnitude at most 2^63 - 1, or 2^63 when negative
    if (q < 0 && !(negativeQuotient && q == Long.MIN_VALUE)) {
      throw divideError();
    }
    c.r[0] = negativeQuotient ? -q : q;
    c.r[2] = negative ? -rem : rem;
  }

  /**
   * Unsigned 128 by 64 bit division by schoolbook division in base 2^32; {@code high < d} unsigned,
   * so the quotient fits 64 bits.
   */
  static long divide128(long high, long low, long d) {
    int shift = Long.numberOfLeadingZeros(d);
    long v = d << shift;
    long v1 = v >>> 32;
    long v0 = v & MASK32;
    long u32 = shift == 0 ? high : high << shift | low >>> (64 - shift);
    long u10 = low << shift;
    long q1 = digit(u32, v1, v0, u10 >>> 32);
    long u21 = (u32 << 32 | u10 >>> 32) - q1 * v;
    long q0 = digit(u21, v1, v0, u10 & MASK32);
    return (q1 << 32) + q0;
  }

  /**
   * One base-2^32 digit of a normalised division: estimate from the leading digit, correct by <= 2.
   */
  private static long digit(long u, long v1, long v0, long next) {
    long q = Long.divideUnsigned(u, v1);
    long r = u - q * v1;
    while (q >>> 32 != 0 || Long.compareUnsigned(q * v0, r << 32 | next) > 0) {
      q--;
      r += v1;
      if (r >>> 32 != 0) {
        break;
      }
    }
    return q;
  }
}
