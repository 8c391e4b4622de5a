package org.hypergraft.vmm.cpu.simd;

import static org.hypergraft.vmm.cpu.simd.Simd.MEMORY;

import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.cpu.interpret.Op;
import org.hypergraft.vmm.mmu.GuestFault;

/**
 * Data movement. Methods named {@code ...Store} have memory as destination and the register in
 * {@code s}.
 */
public final class Moves {
  private Moves() {}

  private static int width(Op o) {
    return o.aux == Simd.VEX256 ? 32 : 16;
  }

  private static void align(Cpu c, Op o, long la) {
    if ((la & width(o) - 1) != 0) {
      throw GuestFault.of(GuestFault.GP, 0);
    }
  }

  /** MOVAPS, MOVAPD, MOVDQA, MOVNTDQA and the load forms of their kin. */
  public static void movaps(Cpu c, Op o) {
    Simd.check(c, o);
    if (o.t == MEMORY) {
      align(c, o, o.address(c));
    }
    move(c, o);
  }

  /** MOVUPS, MOVUPD, MOVDQU, LDDQU. */
  public static void movups(Cpu c, Op o) {
    Simd.check(c, o);
    move(c, o);
  }

  private static void move(Cpu c, Op o) {
    long[] x = c.x;
    int d = o.d * 4;
    int t = o.t * 4;
    if (o.t == MEMORY) {
      Simd.load(c, o.address(c), width(o));
    }
    x[d] = x[t];
    x[d + 1] = x[t + 1];
    if (o.aux == Simd.VEX256) {
      x[d + 2] = x[t + 2];
      x[d + 3] = x[t + 3];
    } else {
      Simd.tail(c, o);
    }
  }

  /** Aligned stores, non-temporal ones included. */
  public static void movapsStore(Cpu c, Op o) {
    Simd.check(c, o);
    long la = o.address(c);
    align(c, o, la);
    Simd.store(c, la, o.s * 4, width(o));
  }

  public static void movupsStore(Cpu c, Op o) {
    Simd.check(c, o);
    Simd.store(c, o.address(c), o.s * 4, width(o));
  }

  /** MOVD and MOVQ from a general register or memory. */
  public static void movd(Cpu c, Op o) {
    if (o.aux == Simd.MMX) {
      Simd.checkMmx(c);
      Simd.setMm(c, o.d, general(c, o));
      return;
    }
    Simd.check(c, o);
    Simd.write(c, o, general(c, o), 0);
  }

  private static long general(Cpu c, Op o) {
    if (o.t == MEMORY) {
      return o.size == 8 ? c.mmu.read64(o.address(c)) : c.mmu.read32(o.address(c));
    }
    return o.size == 8 ? c.r[o.t] : c.r[o.t] & 0xffffffffL;
  }

  /** MOVD and MOVQ to a general register. */
  public static void movdGeneral(Cpu c, Op o) {
    long v = low(c, o, o.t);
    c.r[o.d] = o.size == 8 ? v : v & 0xffffffffL;
  }

  public static void movdStore(Cpu c, Op o) {
    if (o.aux == Simd.MMX) {
      Simd.checkMmx(c);
      c.x87.top = 0; // even when the store faults
      storeLow(c, o, Simd.mm(c, o.s));
      Simd.enterMmx(c);
    } else {
      Simd.check(c, o);
      storeLow(c, o, c.x[o.s * 4]);
    }
  }

  private static void storeLow(Cpu c, Op o, long v) {
    if (o.size == 8) {
      c.mmu.write64(o.address(c), v);
    } else {
      c.mmu.write32(o.address(c), v);
    }
  }

  private static long low(Cpu c, Op o, int register) {
    if (o.aux == Simd.MMX) {
      Simd.checkMmx(c);
      long v = Simd.mm(c, register);
      Simd.enterMmx(c);
      return v;
    }
    Simd.check(c, o);
    return c.x[register * 4];
  }

  /** MOVQ between vector registers or from memory. */
  public static void movq(Cpu c, Op o) {
    if (o.aux == Simd.MMX) {
      Simd.checkMmx(c);
      Simd.setMm(c, o.d, Simd.mmSource(c, o));
      return;
    }
    Simd.check(c, o);
    Simd.write(c, o, Simd.source64(c, o), 0);
  }

  /** MOVQ, MOVSD, MOVLPS, MOVLPD, MOVNTQ, MOVNTSD to memory. */
  public static void movqStore(Cpu c, Op o) {
    if (o.aux == Simd.MMX) {
      Simd.checkMmx(c);
      c.x87.top = 0; // even when the store faults
      c.mmu.write64(o.address(c), Simd.mm(c, o.s));
      Simd.enterMmx(c);
      return;
    }
    Simd.check(c, o);
    c.mmu.write64(o.address(c), c.x[o.s * 4]);
  }

  public static void movss(Cpu c, Op o) {
    Simd.check(c, o);
    if (o.t == MEMORY) {
      Simd.write(c, o, c.mmu.read32(o.address(c)), 0);
      return;
    }
    long[] x = c.x;
    Simd.write(c, o, x[o.s * 4] & 0xffffffff00000000L | x[o.t * 4] & 0xffffffffL, x[o.s * 4 + 1]);
  }

  /** MOVSS and MOVNTSS to memory. */
  public static void movssStore(Cpu c, Op o) {
    Simd.check(c, o);
    c.mmu.write32(o.address(c), c.x[o.s * 4]);
  }

  public static void movsd(Cpu c, Op o) {
    Simd.check(c, o);
    if (o.t == MEMORY) {
      Simd.write(c, o, c.mmu.read64(o.address(c)), 0);
    } else {
      Simd.write(c, o, c.x[o.t * 4], c.x[o.s * 4 + 1]);
    }
  }

  /** MOVLPS, MOVLPD from memory. */
  public static void movlps(Cpu c, Op o) {
    Simd.check(c, o);
    Simd.write(c, o, c.mmu.read64(o.address(c)), c.x[o.s * 4 + 1]);
  }

  /** MOVHPS, MOVHPD from memory. */
  public static void movhps(Cpu c, Op o) {
    Simd.check(c, o);
    long v = c.mmu.read64(o.address(c));
    Simd.write(c, o, c.x[o.s * 4], v);
  }

  public static void movhpsStore(Cpu c, Op o) {
    Simd.check(c, o);
    c.mmu.write64(o.address(c), c.x[o.s * 4 + 1]);
  }

  public static void movhlps(Cpu c, Op o) {
    Simd.check(c, o);
    Simd.write(c, o, c.x[o.t * 4 + 1], c.x[o.s * 4 + 1]);
  }

  public static void movlhps(Cpu c, Op o) {
    Simd.check(c, o);
    Simd.write(c, o, c.x[o.s * 4], c.x[o.t * 4]);
  }

  public static void movddup(Cpu c, Op o) {
    if (o.aux == Simd.VEX256) {
      Simd.whole(c, o, (x, d, a, b, imm) -> x[d] = x[d + 1] = x[b]);
      return;
    }
    Simd.check(c, o);
    long v = Simd.source64(c, o);
    Simd.write(c, o, v, v);
  }

  public static void movsldup(Cpu c, Op o) {
    Simd.unary(c, o, a -> a & 0xffffffffL | a << 32);
  }

  public static void movshdup(Cpu c, Op o) {
    Simd.unary(c, o, a -> a >>> 32 | a & 0xffffffff00000000L);
  }

  public static void movq2dq(Cpu c, Op o) {
    Simd.checkMmx(c);
    Simd.checkSse(c);
    long v = Simd.mm(c, o.t);
    Simd.enterMmx(c);
    c.x[o.d * 4] = v;
    c.x[o.d * 4 + 1] = 0;
  }

  public static void movdq2q(Cpu c, Op o) {
    Simd.checkMmx(c);
    Simd.checkSse(c);
    Simd.setMm(c, o.d, c.x[o.t * 4]);
  }

  /** Byte signs of the source in a general register. */
  public static void pmovmskb(Cpu c, Op o) {
    if (o.aux == Simd.MMX) {
      Simd.checkMmx(c);
      c.r[o.d] = Lanes.byteSigns(Simd.mm(c, o.t));
      Simd.enterMmx(c);
      return;
    }
    Simd.check(c, o);
    long[] x = c.x;
    int t = o.t * 4;
    long r = Lanes.byteSigns(x[t]) | Lanes.byteSigns(x[t + 1]) << 8;
    if (o.aux == Simd.VEX256) {
      r |= (long) Lanes.byteSigns(x[t + 2]) << 16 | (long) Lanes.byteSigns(x[t + 3]) << 24;
    }
    c.r[o.d] = r;
  }

  public static void movmskps(Cpu c, Op o) {
    Simd.check(c, o);
    int n = width(o) / 8;
    long r = 0;
    for (int i = 0; i < n; i++) {
      long v = c.x[o.t * 4 + i];
      r |= (v >>> 31 & 1 | v >>> 62 & 2) << 2 * i;
    }
    c.r[o.d] = r;
  }

  public static void movmskpd(Cpu c, Op o) {
    Simd.check(c, o);
    int n = width(o) / 8;
    long r = 0;
    for (int i = 0; i < n; i++) {
      r |= (c.x[o.t * 4 + i] >>> 63) << i;
    }
    c.r[o.d] = r;
  }

  /** Bytes of {@code s} selected by the sign bits of {@code t}, to DS:[RDI]. */
  public static void maskmovdqu(Cpu c, Op o) {
    Simd.check(c, o);
    long[] x = c.x;
    masked(c, o, new long[] {x[o.s * 4], x[o.s * 4 + 1]}, new long[] {x[o.t * 4], x[o.t * 4 + 1]});
  }

  public static void maskmovq(Cpu c, Op o) {
    Simd.checkMmx(c);
    Simd.enterMmx(c);
    masked(c, o, new long[] {Simd.mm(c, o.s)}, new long[] {Simd.mm(c, o.t)});
  }

  private static void masked(Cpu c, Op o, long[] value, long[] mask) {
    long la = o.address(c);
    for (int pass = 0; pass < 2; pass++) {
      for (int i = 0; i < value.length * 8; i++) {
        if ((mask[i >> 3] >>> 8 * (i & 7) & 0x80) == 0) {
          continue;
        }
        if (pass == 0) {
          c.mmu.rmw8(la + i); // all bytes proven writable before the first is written
        } else {
          c.mmu.write8(la + i, value[i >> 3] >>> 8 * (i & 7));
        }
      }
    }
  }

  /** EMMS: all x87 registers empty. */
  public static void emms(Cpu c, Op o) {
    Simd.checkMmx(c);
    c.x87.top = 0;
    c.x87.valid = 0;
  }

  public static void ldmxcsr(Cpu c, Op o) {
    Simd.check(c, o);
    int v = (int) c.mmu.read32(o.address(c));
    if ((v & ~MXCSR_MASK) != 0) {
      throw GuestFault.of(GuestFault.GP, 0);
    }
    c.mxcsr = v;
  }

  public static void stmxcsr(Cpu c, Op o) {
    Simd.check(c, o);
    c.mmu.write32(o.address(c), c.mxcsr & 0xffffffffL);
  }

  /** Writable bits of MXCSR (DAZ is implemented). */
  static final int MXCSR_MASK = 0xffff;
}
