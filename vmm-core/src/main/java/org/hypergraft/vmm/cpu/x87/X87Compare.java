package org.hypergraft.vmm.cpu.x87;

import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.cpu.Flags;
import org.hypergraft.vmm.cpu.fpu.SoftFloat;
import org.hypergraft.vmm.cpu.interpret.Op;

/** Comparisons, and moves that depend on them. Operands as in {@link X87Arithmetic}. */
public final class X87Compare {
  private static final int CODES = X87.C0 | X87.C2 | X87.C3;

  private X87Compare() {}

  /** ST(0) with ST(s) or memory. */
  public static void fcom(Cpu c, Op o) {
    compare(c, o, false);
  }

  /** As {@link #fcom}, quiet NaNs raise nothing. */
  public static void fucom(Cpu c, Op o) {
    compare(c, o, true);
  }

  private static void compare(Cpu c, Op o, boolean quiet) {
    X87.begin(c, o);
    SoftFloat f = X87.unit(c);
    boolean register = (o.aux & 7) == X87Arithmetic.REGISTER;
    if (!register) {
      X87Arithmetic.load(c, o, f.b);
    }
    if (X87.empty(c, 0) || register && X87.empty(c, o.s)) {
      boolean go = X87.stackFault(c, false);
      c.x87.status |= CODES;
      if (go) {
        X87Arithmetic.pops(c, o);
      }
      return;
    }
    X87.get(c, 0, f.a);
    if (register) {
      X87.get(c, o.s, f.b);
    }
    finish(c, o, f, quiet);
  }

  private static void finish(Cpu c, Op o, SoftFloat f, boolean quiet) {
    int order = f.compare(quiet);
    boolean go = X87.settle(c, f);
    // the codes are set even when the exception is not masked
    c.x87.status = c.x87.status & ~CODES | codes(order);
    if (go) {
      X87Arithmetic.pops(c, o);
    }
  }

  private static int codes(int order) {
    switch (order) {
      case 0:
        return X87.C3;
      case -1:
        return X87.C0;
      case 1:
        return 0;
      default:
        return CODES;
    }
  }

  /** ST(0) with zero. */
  public static void ftst(Cpu c, Op o) {
    X87.begin(c, o);
    SoftFloat f = X87.unit(c);
    if (X87.empty(c, 0)) {
      X87.stackFault(c, false);
      c.x87.status |= CODES;
      return;
    }
    X87.get(c, 0, f.a);
    f.b.fromInt(0);
    finish(c, o, f, false);
  }

  /** ST(0) with ST(s), into EFLAGS. */
  public static void fcomi(Cpu c, Op o) {
    flags(c, o, false);
  }

  public static void fucomi(Cpu c, Op o) {
    flags(c, o, true);
  }

  private static void flags(Cpu c, Op o, boolean quiet) {
    X87.begin(c, o);
    SoftFloat f = X87.unit(c);
    int order = SoftFloat.UNORDERED;
    boolean go;
    if (X87.empty(c, 0) || X87.empty(c, o.s)) {
      go = X87.stackFault(c, false);
    } else {
      X87.get(c, 0, f.a);
      X87.get(c, o.s, f.b);
      order = f.compare(quiet);
      go = X87.raise(c, f.flags); // leaves C1 as it is
    }
    int bits = order == 0 ? Flags.ZF : order == -1 ? Flags.CF : 0;
    Flags.setStatus(c, order == SoftFloat.UNORDERED ? Flags.ZF | Flags.PF | Flags.CF : bits);
    if (go) {
      X87Arithmetic.pops(c, o);
    }
  }

  /** Classifies ST(0), even an empty one (Intel SDM vol. 2, FXAM). */
  public static void fxam(Cpu c, Op o) {
    X87.begin(c, o);
    int p = X87.physical(c, 0);
    int se = c.x87.signExponent[p];
    long m = c.x87.significand[p];
    int exponent = se & 0x7fff;
    int codes;
    if (X87.empty(c, 0)) {
      codes = X87.C3 | X87.C0;
    } else if (exponent == 0) {
      codes = m == 0 ? X87.C3 : X87.C3 | X87.C2;
    } else if (m >= 0) {
      codes = 0;
    } else if (exponent == 0x7fff) {
      codes = m << 1 == 0 ? X87.C2 | X87.C0 : X87.C0;
    } else {
      codes = X87.C2;
    }
    int sign = (se & 0x8000) != 0 ? X87.C1 : 0;
    c.x87.status = c.x87.status & ~(CODES | X87.C1) | codes | sign;
  }

  // FCMOVcc: aux is 0 for "when set", 1 for "when clear".

  public static void fcmovb(Cpu c, Op o) {
    move(c, o, Flags.carry(c));
  }

  public static void fcmove(Cpu c, Op o) {
    move(c, o, Flags.zero(c));
  }

  public static void fcmovbe(Cpu c, Op o) {
    move(c, o, Flags.be(c));
  }

  public static void fcmovu(Cpu c, Op o) {
    move(c, o, Flags.parity(c));
  }

  private static void move(Cpu c, Op o, boolean condition) {
    X87.begin(c, o);
    if (X87.empty(c, 0) || X87.empty(c, o.s)) {
      if (X87.stackFault(c, false)) {
        X87.indefinite(c, 0);
      }
    } else if (condition == (o.aux == 0)) {
      int from = X87.physical(c, o.s);
      X87.set(c, 0, c.x87.signExponent[from], c.x87.significand[from]);
    }
  }
}
