package org.hypergraft.vmm.cpu.simd;

import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.cpu.interpret.Op;
import org.hypergraft.vmm.mmu.GuestFault;

/**
 * What all vector instructions share: operand shapes, availability checks and memory operands.
 *
 * <p>{@link SimdLowering} leaves in an op: {@code d} the destination register, {@code s} the first
 * source (the destination again in two-operand forms), {@code t} the second source or {@link
 * #MEMORY}, {@code aux} the encoding.
 */
final class Simd {
  /** Values of {@link Op#aux}: 64-bit registers aliased on the x87 stack. */
  static final int MMX = 0;

  /** Legacy encoding: upper halves of the YMM registers stay, memory operands are aligned. */
  static final int SSE = 1;

  static final int VEX128 = 2;
  static final int VEX256 = 3;

  /** {@link Op#t}: the operand is in memory; the register number of {@link Cpu#x}'s spare slot. */
  static final int MEMORY = 32;

  private static final long CR0_EM_TS = Cpu.CR0_EM | Cpu.CR0_TS;
  static final long CR4_OSFXSR = 1 << 9;
  static final long CR4_OSXMMEXCPT = 1 << 10;
  static final long CR4_OSXSAVE = 1 << 18;

  /** XCR0 bits that AVX needs: SSE and AVX state (Intel SDM vol. 1, 13.1). */
  private static final long XCR0_AVX = 6;

  private Simd() {}

  /** A function of two 64-bit lanes. */
  interface Lane {
    long apply(long a, long b);
  }

  /** A function of one 64-bit lane. */
  interface Unary {
    long apply(long a);
  }

  /** A function of a 64-bit lane and a number. */
  interface Counted {
    long apply(long a, int n);
  }

  /** A function of two 128-bit values in {@code c.x}; must read everything before it writes. */
  interface Whole {
    void apply(long[] x, int d, int a, int b, int imm);
  }

  /** Raises what forbids an XMM or YMM instruction now (Intel SDM vol. 2, 2.4 and 2.5). */
  static void check(Cpu c, Op o) {
    if (o.aux == SSE) {
      checkSse(c);
    } else {
      checkAvx(c);
    }
  }

  /** Whether the operating system lets SSE instructions run. */
  static boolean sseUsable(Cpu c) {
    return (c.cr0 & CR0_EM_TS) == 0 && (c.cr4 & CR4_OSFXSR) != 0;
  }

  static void checkSse(Cpu c) {
    if (!sseUsable(c)) {
      throw GuestFault.of(
          (c.cr0 & Cpu.CR0_EM) != 0 || (c.cr4 & CR4_OSFXSR) == 0 ? GuestFault.UD : GuestFault.NM);
    }
  }

  private static void checkAvx(Cpu c) {
    if ((c.cr4 & CR4_OSXSAVE) == 0 || (c.xcr0 & XCR0_AVX) != XCR0_AVX) {
      throw GuestFault.of(GuestFault.UD);
    }
    if ((c.cr0 & Cpu.CR0_TS) != 0) {
      throw GuestFault.of(GuestFault.NM);
    }
  }

  /** Raises what forbids an MMX instruction now. */
  static void checkMmx(Cpu c) {
    if ((c.cr0 & CR0_EM_TS) != 0) {
      throw GuestFault.of((c.cr0 & Cpu.CR0_EM) != 0 ? GuestFault.UD : GuestFault.NM);
    }
    if ((c.x87.status & 0x80) != 0) {
      throw GuestFault.of(GuestFault.MF);
    }
  }

  /** What every MMX instruction but EMMS does to the x87 state (Intel SDM vol. 1, 9.5.1). */
  static void enterMmx(Cpu c) {
    c.x87.top = 0;
    c.x87.valid = 0xff;
  }

  static long mm(Cpu c, int register) {
    return c.x87.significand[register & 7];
  }

  /** Writes an MMX register; the exponent field aliased with it becomes all ones. */
  static void setMm(Cpu c, int register, long value) {
    enterMmx(c);
    c.x87.significand[register & 7] = value;
    c.x87.signExponent[register & 7] = 0xffff;
  }

  /** Second source of an MMX instruction. */
  static long mmSource(Cpu c, Op o) {
    return o.t == MEMORY ? c.mmu.read64(o.address(c)) : mm(c, o.t);
  }

  /** Index in {@link Cpu#x} of the full-width second source, loaded if it is in memory. */
  static int source(Cpu c, Op o) {
    return o.t != MEMORY ? o.t * 4 : load(c, o);
  }

  private static int load(Cpu c, Op o) {
    long la = o.address(c);
    if (o.aux == SSE && (la & 15) != 0) {
      throw GuestFault.of(GuestFault.GP, 0);
    }
    return load(c, la, o.aux == VEX256 ? 32 : 16);
  }

  /** As {@link #source} without an alignment rule and always of 16 bytes. */
  static int source128(Cpu c, Op o) {
    return o.t != MEMORY ? o.t * 4 : load(c, o.address(c), 16);
  }

  /** The second source's low 64 bits. */
  static long source64(Cpu c, Op o) {
    return o.t != MEMORY ? c.x[o.t * 4] : c.mmu.read64(o.address(c));
  }

  /** The second source's low 32 bits. */
  static int source32(Cpu c, Op o) {
    return (int) (o.t != MEMORY ? c.x[o.t * 4] : c.mmu.read32(o.address(c)));
  }

  /** Loads 16 or 32 bytes into the spare slot. */
  static int load(Cpu c, long la, int size) {
    int at = MEMORY * 4;
    c.mmu.read128(la, c.x, at);
    if (size == 32) {
      c.mmu.read128(la + 16, c.x, at + 2);
    }
    return at;
  }

  /** Stores 16 or 32 bytes of {@code c.x}; on a fault nothing has been written. */
  static void store(Cpu c, long la, int from, int size) {
    long[] x = c.x;
    if (size == 32) {
      c.mmu.probeWrite(la, 32);
      c.mmu.write128(la, x[from], x[from + 1]);
      c.mmu.write128(la + 16, x[from + 2], x[from + 3]);
    } else {
      c.mmu.write128(la, x[from], x[from + 1]);
    }
  }

  /** Clears or keeps what lies above the 128-bit result, by encoding. */
  static void tail(Cpu c, Op o) {
    if (o.aux != SSE) {
      c.x[o.d * 4 + 2] = 0;
      c.x[o.d * 4 + 3] = 0;
    }
  }

  /** Writes a 128-bit result. */
  static void write(Cpu c, Op o, long lo, long hi) {
    c.x[o.d * 4] = lo;
    c.x[o.d * 4 + 1] = hi;
    tail(c, o);
  }

  /** {@code d = f(s, t)} lane by lane. */
  static void binary(Cpu c, Op o, Lane f) {
    if (o.aux == MMX) {
      checkMmx(c);
      setMm(c, o.d, f.apply(mm(c, o.s), mmSource(c, o)));
      return;
    }
    check(c, o);
    int b = source(c, o);
    int a = o.s * 4;
    int d = o.d * 4;
    long[] x = c.x;
    x[d] = f.apply(x[a], x[b]);
    x[d + 1] = f.apply(x[a + 1], x[b + 1]);
    if (o.aux == VEX256) {
      x[d + 2] = f.apply(x[a + 2], x[b + 2]);
      x[d + 3] = f.apply(x[a + 3], x[b + 3]);
    } else {
      tail(c, o);
    }
  }

  /** {@code d = f(t)} lane by lane. */
  static void unary(Cpu c, Op o, Unary f) {
    if (o.aux == MMX) {
      checkMmx(c);
      setMm(c, o.d, f.apply(mmSource(c, o)));
      return;
    }
    check(c, o);
    int b = source(c, o);
    int d = o.d * 4;
    long[] x = c.x;
    x[d] = f.apply(x[b]);
    x[d + 1] = f.apply(x[b + 1]);
    if (o.aux == VEX256) {
      x[d + 2] = f.apply(x[b + 2]);
      x[d + 3] = f.apply(x[b + 3]);
    } else {
      tail(c, o);
    }
  }

  /**
   * Neighbouring elements combined: the low half of each 128-bit result from the first source, the
   * high half from the second (packs, horizontal adds). The MMX form is one application.
   */
  static void horizontal(Cpu c, Op o, Lane f) {
    if (o.aux == MMX) {
      checkMmx(c);
      setMm(c, o.d, f.apply(mm(c, o.s), mmSource(c, o)));
      return;
    }
    whole(
        c,
        o,
        (x, d, a, b, imm) -> {
          long lo = f.apply(x[a], x[a + 1]);
          x[d + 1] = f.apply(x[b], x[b + 1]);
          x[d] = lo;
        });
  }

  /** Interleaves elements of the low (or high) halves of the sources. */
  static void interleave(Cpu c, Op o, boolean high, Lane lower, Lane upper) {
    if (o.aux == MMX) {
      checkMmx(c);
      Lane f = high ? upper : lower;
      // PUNPCKL reads only 32 bits of a memory operand, the low half
      long b = o.t == MEMORY && !high ? c.mmu.read32(o.address(c)) : mmSource(c, o);
      setMm(c, o.d, f.apply(mm(c, o.s), b));
      return;
    }
    int half = high ? 1 : 0;
    whole(
        c,
        o,
        (x, d, a, b, imm) -> {
          long p = x[a + half];
          long q = x[b + half];
          x[d] = lower.apply(p, q);
          x[d + 1] = upper.apply(p, q);
        });
  }

  /** {@code d = f(s, t, imm)} on each 128-bit half. */
  static void whole(Cpu c, Op o, Whole f) {
    check(c, o);
    int b = source(c, o);
    int a = o.s * 4;
    int d = o.d * 4;
    int imm = (int) o.imm & 0xff;
    f.apply(c.x, d, a, b, imm);
    if (o.aux == VEX256) {
      f.apply(c.x, d + 2, a + 2, b + 2, imm);
    } else {
      tail(c, o);
    }
  }

  /**
   * Shifts elements of {@code s} by a count that is the low 64 bits of {@code t}, always 16 bytes
   * of memory, or the immediate when {@code t} is absent (lowering then sets {@code t = -1}).
   */
  static void shift(Cpu c, Op o, Counted f) {
    if (o.aux == MMX) {
      checkMmx(c);
      long n = o.t < 0 ? o.imm & 0xff : mmSource(c, o);
      setMm(c, o.d, f.apply(mm(c, o.s), count(n)));
      return;
    }
    check(c, o);
    long n;
    if (o.t < 0) {
      n = o.imm & 0xff;
    } else if (o.t == MEMORY) {
      long la = o.address(c);
      if (o.aux == SSE && (la & 15) != 0) {
        throw GuestFault.of(GuestFault.GP, 0);
      }
      n = c.x[load(c, la, 16)];
    } else {
      n = c.x[o.t * 4];
    }
    int k = count(n);
    int a = o.s * 4;
    int d = o.d * 4;
    long[] x = c.x;
    x[d] = f.apply(x[a], k);
    x[d + 1] = f.apply(x[a + 1], k);
    if (o.aux == VEX256) {
      x[d + 2] = f.apply(x[a + 2], k);
      x[d + 3] = f.apply(x[a + 3], k);
    } else {
      tail(c, o);
    }
  }

  /** Any count of 64 and more shifts everything out. */
  private static int count(long n) {
    return Long.compareUnsigned(n, 64) < 0 ? (int) n : 64;
  }
}
