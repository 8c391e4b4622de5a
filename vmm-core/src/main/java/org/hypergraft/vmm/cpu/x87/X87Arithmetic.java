package org.hypergraft.vmm.cpu.x87;

import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.cpu.fpu.Remainder;
import org.hypergraft.vmm.cpu.fpu.SoftFloat;
import org.hypergraft.vmm.cpu.fpu.Unpacked;
import org.hypergraft.vmm.cpu.interpret.Op;

/**
 * Arithmetic on the register stack. {@link Op#aux} says where the second operand is and whether the
 * stack is popped afterwards; with two registers {@code d} is the destination.
 */
public final class X87Arithmetic {
  /** Second operand, low bits of {@link Op#aux}: ST(s), or a memory operand of this type. */
  static final int REGISTER = 0;

  static final int SINGLE = 1;
  static final int DOUBLE = 2;
  static final int INT16 = 3;
  static final int INT32 = 4;
  static final int INT64 = 5;
  static final int EXTENDED = 6;
  private static final int SOURCE = 7;

  static final int POP = 8;

  /** A second pop (FCOMPP, FUCOMPP). */
  static final int POP_TWICE = 16;

  private X87Arithmetic() {}

  private interface Kernel {
    void apply(SoftFloat f);
  }

  public static void fadd(Cpu c, Op o) {
    binary(c, o, SoftFloat::add, false);
  }

  public static void fmul(Cpu c, Op o) {
    binary(c, o, SoftFloat::multiply, false);
  }

  public static void fsub(Cpu c, Op o) {
    binary(c, o, SoftFloat::subtract, false);
  }

  public static void fsubr(Cpu c, Op o) {
    binary(c, o, SoftFloat::subtract, true);
  }

  public static void fdiv(Cpu c, Op o) {
    binary(c, o, SoftFloat::divide, false);
  }

  public static void fdivr(Cpu c, Op o) {
    binary(c, o, SoftFloat::divide, true);
  }

  private static void binary(Cpu c, Op o, Kernel kernel, boolean reversed) {
    X87.begin(c, o);
    SoftFloat f = X87.unit(c);
    boolean register = (o.aux & SOURCE) == REGISTER;
    int d = register ? o.d : 0;
    Unpacked first = reversed ? f.b : f.a;
    Unpacked second = reversed ? f.a : f.b;
    if (!register) {
      load(c, o, second);
    }
    if (X87.empty(c, d) || register && X87.empty(c, o.s)) {
      if (X87.stackFault(c, false)) {
        X87.indefinite(c, d);
        pops(c, o);
      }
      return;
    }
    X87.get(c, d, first);
    if (register) {
      X87.get(c, o.s, second);
    }
    kernel.apply(f);
    X87.round(c, f);
    if (X87.settle(c, f)) {
      X87.set(c, d, f.r);
      pops(c, o);
    }
  }

  /** Takes the memory operand apart and remembers where it was. */
  static void load(Cpu c, Op o, Unpacked to) {
    long la = o.address(c);
    switch (o.aux & SOURCE) {
      case SINGLE:
        to.from32((int) c.mmu.read32(la));
        break;
      case DOUBLE:
        to.from64(c.mmu.read64(la));
        break;
      case INT16:
        to.fromInt((short) c.mmu.read16(la));
        break;
      case INT32:
        to.fromInt((int) c.mmu.read32(la));
        break;
      case INT64:
        to.fromInt(c.mmu.read64(la));
        break;
      default:
        c.mmu.probeRead(la, 10);
        to.from80((int) c.mmu.read16(la + 8), c.mmu.read64(la));
    }
    c.x87.data = o.offset(c);
    c.x87.dataSelector = 0;
  }

  static void pops(Cpu c, Op o) {
    if ((o.aux & POP) != 0) {
      X87.pop(c);
    }
    if ((o.aux & POP_TWICE) != 0) {
      X87.pop(c);
    }
  }

  /** Starts an instruction on ST(0) alone; false when it was empty, which has been dealt with. */
  static boolean unary(Cpu c, Op o, SoftFloat f) {
    if (X87.underflow(c, 0, 0)) {
      return false;
    }
    X87.get(c, 0, f.a);
    return true;
  }

  public static void fsqrt(Cpu c, Op o) {
    X87.begin(c, o);
    SoftFloat f = X87.unit(c);
    if (unary(c, o, f)) {
      f.squareRoot();
      X87.round(c, f);
      if (X87.settle(c, f)) {
        X87.set(c, 0, f.r);
      }
    }
  }

  public static void fabs(Cpu c, Op o) {
    sign(c, o, 0, 0x7fff);
  }

  public static void fchs(Cpu c, Op o) {
    sign(c, o, 0x8000, 0xffff);
  }

  private static void sign(Cpu c, Op o, int flip, int keep) {
    X87.begin(c, o);
    c.x87.status &= ~X87.C1;
    if (!X87.underflow(c, 0, 0)) {
      int p = X87.physical(c, 0);
      c.x87.signExponent[p] = (c.x87.signExponent[p] ^ flip) & keep;
    }
  }

  public static void frndint(Cpu c, Op o) {
    X87.begin(c, o);
    SoftFloat f = X87.unit(c);
    if (!unary(c, o, f)) {
      return;
    }
    if (f.a.isNan()) {
      f.nanResult();
    } else {
      if (f.a.denormal) {
        f.flags |= SoftFloat.DENORMAL;
      }
      f.roundToInteger(f.rounding);
    }
    if (X87.settle(c, f)) {
      X87.set(c, 0, f.r);
    }
  }

  /** Both operands of an instruction on ST(0) and ST(1); false when one was empty. */
  private static boolean operands(Cpu c, SoftFloat f) {
    if (X87.empty(c, 0) || X87.empty(c, 1)) {
      if (X87.stackFault(c, false)) {
        X87.indefinite(c, 0);
      }
      return false;
    }
    X87.get(c, 0, f.a);
    X87.get(c, 1, f.b);
    return true;
  }

  /** Scales ST(0) by two to the power of ST(1), truncated. */
  public static void fscale(Cpu c, Op o) {
    X87.begin(c, o);
    SoftFloat f = X87.unit(c);
    if (!operands(c, f)) {
      return;
    }
    f.scale();
    f.round(64, Unpacked.EMIN80, Unpacked.EMAX80);
    if (X87.settle(c, f)) {
      X87.set(c, 0, f.r);
    }
  }

  /** Splits ST(0) into its exponent, left in ST(0), and its significand, pushed. */
  public static void fxtract(Cpu c, Op o) {
    X87.begin(c, o);
    SoftFloat f = X87.unit(c);
    c.x87.status &= ~X87.C1;
    boolean empty = X87.empty(c, 0);
    if (empty || !X87.empty(c, 7)) {
      if (X87.stackFault(c, !empty)) {
        X87.indefinite(c, 0);
        c.x87.top = c.x87.top - 1 & 7;
        X87.indefinite(c, 0);
      }
      return;
    }
    X87.get(c, 0, f.a);
    Unpacked a = f.a;
    if (a.isNan()) {
      f.nanResult();
      a = f.r;
    } else if (a.kind == Unpacked.ZERO) {
      f.flags |= SoftFloat.DIVIDE_BY_ZERO;
    } else if (a.denormal) {
      f.flags |= SoftFloat.DENORMAL;
    }
    if (!X87.settle(c, f)) {
      return;
    }
    int p = X87.physical(c, 0);
    if (a.isNan()) {
      X87.set(c, 0, a);
    } else if (a.kind == Unpacked.ZERO) {
      X87.set(c, 0, 0xffff, 1L << 63);
    } else if (a.kind == Unpacked.INFINITE) {
      X87.set(c, 0, 0x7fff, 1L << 63);
    } else {
      f.b.fromInt(a.exp);
      X87.set(c, 0, f.b);
    }
    int exponent = c.x87.signExponent[p];
    long significand = c.x87.significand[p];
    c.x87.top = c.x87.top - 1 & 7;
    if (a.isNan()) {
      X87.set(c, 0, exponent, significand);
    } else if (a.kind == Unpacked.FINITE) {
      X87.set(c, 0, (a.sign ? 0x8000 : 0) | 16383, a.hi);
    } else {
      X87.set(c, 0, a);
    }
  }

  /** Remainder of truncating division. */
  public static void fprem(Cpu c, Op o) {
    remainder(c, o, false);
  }

  /** IEEE remainder: of division rounded to nearest. */
  public static void fprem1(Cpu c, Op o) {
    remainder(c, o, true);
  }

  private static void remainder(Cpu c, Op o, boolean nearest) {
    X87.begin(c, o);
    SoftFloat f = X87.unit(c);
    c.x87.status &= ~(X87.C1 | X87.C2);
    if (!operands(c, f)) {
      return;
    }
    int quotient = Remainder.of(f, nearest);
    f.round(64, Unpacked.EMIN80, Unpacked.EMAX80);
    f.roundedUp = false;
    if (!X87.settle(c, f)) {
      return;
    }
    X87.set(c, 0, f.r);
    if (quotient == Remainder.NONE) {
      return; // C0 and C3 stay
    }
    int codes = 0;
    if (quotient == Remainder.PARTIAL) {
      codes = X87.C2;
    } else {
      codes =
          ((quotient & 1) != 0 ? X87.C1 : 0)
              | ((quotient & 2) != 0 ? X87.C3 : 0)
              | ((quotient & 4) != 0 ? X87.C0 : 0);
    }
    c.x87.status = c.x87.status & ~(X87.C0 | X87.C1 | X87.C2 | X87.C3) | codes;
  }
}
