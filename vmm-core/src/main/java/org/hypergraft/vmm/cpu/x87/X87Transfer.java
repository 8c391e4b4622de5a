package org.hypergraft.vmm.cpu.x87;

import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.cpu.fpu.SoftFloat;
import org.hypergraft.vmm.cpu.fpu.Unpacked;
import org.hypergraft.vmm.cpu.interpret.Op;

/** Loads, stores, exchanges and constants. Operand types as in {@link X87Arithmetic}. */
public final class X87Transfer {
  private X87Transfer() {}

  /** Pushes a memory operand of up to 64 bits. */
  public static void fld(Cpu c, Op o) {
    X87.begin(c, o);
    SoftFloat f = X87.unit(c);
    X87Arithmetic.load(c, o, f.a);
    c.x87.status &= ~X87.C1;
    if (!X87.empty(c, 7)) {
      X87.push(c);
      return;
    }
    if (f.a.isNan()) {
      f.nanResult();
    } else {
      f.exact();
      if (f.a.denormal) {
        f.flags |= SoftFloat.DENORMAL;
      }
    }
    // a denormal is loaded even when its exception is not masked
    if (X87.settle(c, f) || (f.flags & SoftFloat.INVALID) == 0) {
      X87.push(c);
      X87.set(c, 0, f.r);
    }
  }

  /** Pushes an 80-bit memory operand, bits as they are. */
  public static void fldExtended(Cpu c, Op o) {
    X87.begin(c, o);
    long la = o.address(c);
    c.mmu.probeRead(la, 10);
    long significand = c.mmu.read64(la);
    int signExponent = (int) c.mmu.read16(la + 8);
    c.x87.data = o.offset(c);
    if (X87.push(c)) {
      X87.set(c, 0, signExponent, significand);
    }
  }

  /** Pushes a copy of ST(d). */
  public static void fldRegister(Cpu c, Op o) {
    X87.begin(c, o);
    int from = X87.physical(c, o.d);
    if (X87.empty(c, o.d)) {
      if (X87.stackFault(c, false)) {
        c.x87.top = c.x87.top - 1 & 7;
        X87.indefinite(c, 0);
      }
      return;
    }
    if (X87.push(c)) {
      X87.set(c, 0, c.x87.signExponent[from], c.x87.significand[from]);
    }
  }

  /** Copies ST(0) to ST(d). */
  public static void fstRegister(Cpu c, Op o) {
    X87.begin(c, o);
    c.x87.status &= ~X87.C1;
    if (X87.empty(c, 0)) {
      if (!X87.stackFault(c, false)) {
        return;
      }
      X87.indefinite(c, o.d);
    } else {
      int from = X87.physical(c, 0);
      X87.set(c, o.d, c.x87.signExponent[from], c.x87.significand[from]);
    }
    X87Arithmetic.pops(c, o);
  }

  /** FSTPNCE, an undocumented FSTP that never faults on an empty ST(0). */
  public static void fstpnce(Cpu c, Op o) {
    if (!X87.empty(c, 0)) {
      fstRegister(c, o);
      return;
    }
    X87.begin(c, o);
    int from = X87.physical(c, 0);
    int to = X87.physical(c, o.d);
    c.x87.signExponent[to] = c.x87.signExponent[from];
    c.x87.significand[to] = c.x87.significand[from];
    X87Arithmetic.pops(c, o);
  }

  public static void fstSingle(Cpu c, Op o) {
    X87.begin(c, o);
    SoftFloat f = X87.unit(c);
    narrow(c, f, 24, Unpacked.EMIN32, Unpacked.EMAX32);
    if (commit(c, o, f, 4)) {
      c.mmu.write32(o.address(c), f.r.to32());
      stored(c, o);
    }
  }

  public static void fstDouble(Cpu c, Op o) {
    X87.begin(c, o);
    SoftFloat f = X87.unit(c);
    narrow(c, f, 53, Unpacked.EMIN64, Unpacked.EMAX64);
    if (commit(c, o, f, 8)) {
      c.mmu.write64(o.address(c), f.r.to64());
      stored(c, o);
    }
  }

  private static void stored(Cpu c, Op o) {
    c.x87.data = o.offset(c);
    X87Arithmetic.pops(c, o);
  }

  /**
   * Settles the exceptions of a store. A page fault comes before they are noted, unmasked ones come
   * before memory is looked at.
   *
   * @return whether to store and pop
   */
  private static boolean commit(Cpu c, Op o, SoftFloat f, int size) {
    boolean empty = X87.empty(c, 0);
    int flags = empty ? SoftFloat.INVALID : f.flags;
    // an unmasked overflow or underflow leaves memory alone, too
    int open = flags & ~f.masks & ~SoftFloat.INEXACT;
    if (open == 0) {
      c.mmu.probeWrite(o.address(c), size);
    } else if ((open & (SoftFloat.OVERFLOW | SoftFloat.UNDERFLOW)) != 0) {
      f.flags &= ~SoftFloat.INEXACT;
      f.roundedUp = false;
    }
    if (empty) {
      X87.stackFault(c, false);
    } else {
      X87.settle(c, f);
    }
    return open == 0;
  }

  /** ST(0), or the indefinite NaN when it is empty, in a narrower format. */
  private static void narrow(Cpu c, SoftFloat f, int precision, int emin, int emax) {
    if (X87.empty(c, 0)) {
      f.r.from80(0xffff, 3L << 62);
      return;
    }
    X87.get(c, 0, f.a);
    if (f.a.isNan()) {
      f.nanResult();
    } else {
      f.exact();
      f.round(precision, emin, emax);
    }
  }

  public static void fstExtended(Cpu c, Op o) {
    X87.begin(c, o);
    SoftFloat f = X87.unit(c);
    int p = X87.physical(c, 0);
    boolean empty = X87.empty(c, 0);
    if (commit(c, o, f, 10)) {
      long la = o.address(c);
      c.mmu.write64(la, empty ? 3L << 62 : c.x87.significand[p]);
      c.mmu.write16(la + 8, empty ? 0xffff : c.x87.signExponent[p]);
      stored(c, o);
    }
  }

  /** FIST and FISTP. */
  public static void fist(Cpu c, Op o) {
    integer(c, o, c.x87.control >>> 10 & 3);
  }

  public static void fisttp(Cpu c, Op o) {
    integer(c, o, SoftFloat.TRUNCATE);
  }

  private static void integer(Cpu c, Op o, int mode) {
    X87.begin(c, o);
    SoftFloat f = X87.unit(c);
    int source = o.aux & 7;
    int bits = source == X87Arithmetic.INT16 ? 16 : source == X87Arithmetic.INT32 ? 32 : 64;
    long v = -1L << (bits - 1);
    if (!X87.empty(c, 0)) {
      X87.get(c, 0, f.a);
      v = f.toInteger(bits, mode);
    }
    if (!commit(c, o, f, bits / 8)) {
      return;
    }
    long la = o.address(c);
    switch (bits) {
      case 16:
        c.mmu.write16(la, v);
        break;
      case 32:
        c.mmu.write32(la, v);
        break;
      default:
        c.mmu.write64(la, v);
    }
    stored(c, o);
  }

  /** Pushes an 18-digit packed decimal. Digits above nine count as they are. */
  public static void fbld(Cpu c, Op o) {
    X87.begin(c, o);
    long la = o.address(c);
    c.mmu.probeRead(la, 10);
    long low = c.mmu.read64(la);
    long high = c.mmu.read16(la + 8);
    long v = 0;
    for (int i = 17; i >= 0; i--) {
      long digit = (i >= 16 ? high >>> 4 * (i - 16) : low >>> 4 * i) & 0xf;
      v = v * 10 + digit;
    }
    c.x87.data = o.offset(c);
    if (X87.push(c)) {
      SoftFloat f = X87.unit(c);
      f.a.fromInt(v);
      f.a.sign = (high & 0x8000) != 0;
      X87.set(c, 0, f.a);
    }
  }

  private static final long TEN_TO_18 = 1_000_000_000_000_000_000L;

  public static void fbstp(Cpu c, Op o) {
    X87.begin(c, o);
    SoftFloat f = X87.unit(c);
    long low = 0xc000000000000000L; // packed decimal indefinite
    long high = 0xffff;
    if (!X87.empty(c, 0)) {
      X87.get(c, 0, f.a);
      boolean negative = f.a.sign;
      long v = f.toInteger(64, f.rounding);
      if (v >= TEN_TO_18 || v <= -TEN_TO_18) {
        f.flags = SoftFloat.INVALID;
        f.roundedUp = false;
      }
      if ((f.flags & SoftFloat.INVALID) == 0) {
        low = 0;
        long rest = Math.abs(v);
        for (int i = 0; i < 16; i++) {
          low |= rest % 10 << 4 * i;
          rest /= 10;
        }
        high = rest % 10 | rest / 10 << 4 | (negative ? 0x8000 : 0);
      }
    }
    if (commit(c, o, f, 10)) {
      long la = o.address(c);
      c.mmu.write64(la, low);
      c.mmu.write16(la + 8, high);
      stored(c, o);
    }
  }

  public static void fxch(Cpu c, Op o) {
    X87.begin(c, o);
    c.x87.status &= ~X87.C1;
    if (X87.empty(c, 0) || X87.empty(c, o.d)) {
      if (!X87.stackFault(c, false)) {
        return;
      }
      if (X87.empty(c, 0)) {
        X87.indefinite(c, 0);
      }
      if (X87.empty(c, o.d)) {
        X87.indefinite(c, o.d);
      }
    }
    int p = X87.physical(c, 0);
    int q = X87.physical(c, o.d);
    int se = c.x87.signExponent[p];
    long m = c.x87.significand[p];
    c.x87.signExponent[p] = c.x87.signExponent[q];
    c.x87.significand[p] = c.x87.significand[q];
    c.x87.signExponent[q] = se;
    c.x87.significand[q] = m;
  }

  public static void fldz(Cpu c, Op o) {
    X87.begin(c, o);
    if (X87.push(c)) {
      X87.set(c, 0, 0, 0);
    }
  }

  public static void fld1(Cpu c, Op o) {
    X87.begin(c, o);
    if (X87.push(c)) {
      X87.set(c, 0, 16383, 1L << 63);
    }
  }

  // Irrational constants: 128 bits here, rounded by RC to 64 (Intel SDM vol. 1, 8.3.8).

  public static void fldpi(Cpu c, Op o) {
    constant(c, o, 1, 0xc90fdaa22168c234L, 0xc4c6628b80dc1cd1L);
  }

  public static void fldl2t(Cpu c, Op o) {
    constant(c, o, 1, 0xd49a784bcd1b8afeL, 0x492bf6ff4dafdb4cL);
  }

  public static void fldl2e(Cpu c, Op o) {
    constant(c, o, 0, 0xb8aa3b295c17f0bbL, 0xbe87fed0691d3e88L);
  }

  public static void fldlg2(Cpu c, Op o) {
    constant(c, o, -2, 0x9a209a84fbcff798L, 0x8f8959ac0b7c9178L);
  }

  public static void fldln2(Cpu c, Op o) {
    constant(c, o, -1, 0xb17217f7d1cf79abL, 0xc9e3b39803f2f6afL);
  }

  private static void constant(Cpu c, Op o, int exp, long hi, long lo) {
    X87.begin(c, o);
    if (X87.push(c)) {
      SoftFloat f = X87.unit(c);
      f.set(exp, hi, lo);
      f.round(64, Unpacked.EMIN80, Unpacked.EMAX80);
      X87.set(c, 0, f.r); // inexact is not raised
    }
  }
}
