package org.hypergraft.vmm.cpu.x87;

import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.cpu.fpu.SoftFloat;
import org.hypergraft.vmm.cpu.fpu.Transcendental;
import org.hypergraft.vmm.cpu.fpu.Unpacked;
import org.hypergraft.vmm.cpu.interpret.Op;

/**
 * Exponential, logarithmic and trigonometric instructions: special operands here (Intel SDM vol. 2,
 * the tables of each instruction), values from {@link Transcendental}.
 */
public final class X87Transcendental {
  private X87Transcendental() {}

  /** Fields of r for pi/4, pi/2, 3pi/4 and pi: exponent, high and low significand. */
  private static final long PI_HIGH = 0xc90fdaa22168c234L;

  private static final long PI_LOW = 0xc4c6628b80dc1cd1L;
  private static final long THREE_PI_HIGH = 0x96cbe3f9990e91a7L;
  private static final long THREE_PI_LOW = 0x9394c9e8a0a5159cL;

  /** One operand, ready in {@code f.a}; false when the instruction has been finished. */
  private static boolean ready(Cpu c, Op o, SoftFloat f) {
    if (!X87Arithmetic.unary(c, o, f)) {
      return false;
    }
    if (f.a.isNan()) {
      f.nanResult();
      finish(c, f);
      return false;
    }
    if (f.a.denormal) {
      f.flags |= SoftFloat.DENORMAL;
    }
    return true;
  }

  private static boolean finish(Cpu c, SoftFloat f) {
    f.round(64, Unpacked.EMIN80, Unpacked.EMAX80);
    if (!X87.settle(c, f)) {
      return false;
    }
    X87.set(c, 0, f.r);
    return true;
  }

  public static void f2xm1(Cpu c, Op o) {
    X87.begin(c, o);
    SoftFloat f = X87.unit(c);
    if (!ready(c, o, f)) {
      return;
    }
    if (f.a.kind == Unpacked.ZERO) {
      f.exact();
    } else if (f.a.kind == Unpacked.INFINITE) {
      if (f.a.sign) {
        f.set(0, 1L << 63, 0);
        f.r.sign = true;
      } else {
        f.exact();
      }
    } else if (f.a.exp >= 0) {
      if (f.a.exp == 0 && f.a.hi << 1 == 0) {
        // plus or minus one: exact, yet processors raise the inexact exception
        f.set(f.a.sign ? -1 : 0, 1L << 63, 0);
        f.r.sign = f.a.sign;
        f.flags |= SoftFloat.INEXACT;
      } else {
        outside(f);
      }
    } else {
      Transcendental.exponential(f);
    }
    finish(c, f);
  }

  /** Outside its domain an instruction's result is undefined: hardware keeps the operand. */
  private static void outside(SoftFloat f) {
    f.exact();
    f.flags |= SoftFloat.INEXACT;
  }

  public static void fsin(Cpu c, Op o) {
    trigonometric(c, o, SINE);
  }

  public static void fcos(Cpu c, Op o) {
    trigonometric(c, o, COSINE);
  }

  private interface Function {
    void apply(SoftFloat f);
  }

  private static void trigonometric(Cpu c, Op o, Function function) {
    X87.begin(c, o);
    SoftFloat f = X87.unit(c);
    c.x87.status &= ~X87.C2;
    if (!ready(c, o, f) || outOfRange(c, f)) {
      return;
    }
    evaluate(f, function);
    finish(c, f);
  }

  private static void evaluate(SoftFloat f, Function function) {
    if (f.a.kind == Unpacked.INFINITE) {
      f.invalidResult();
    } else if (f.a.kind != Unpacked.ZERO) {
      function.apply(f);
    } else if (function == COSINE) {
      f.set(0, 1L << 63, 0);
    } else {
      f.exact();
    }
  }

  private static final Function COSINE = Transcendental::cosine;
  private static final Function SINE = Transcendental::sine;
  private static final Function TANGENT = Transcendental::tangent;

  /** Arguments from 2^63 on are left alone and reported by C2. */
  private static boolean outOfRange(Cpu c, SoftFloat f) {
    if (f.a.kind == Unpacked.FINITE && f.a.exp >= 63) {
      c.x87.status = c.x87.status & ~X87.C1 | X87.C2;
      return true;
    }
    return false;
  }

  /** Sine in ST(0), then the cosine pushed. */
  public static void fsincos(Cpu c, Op o) {
    pushing(c, o, SINE);
  }

  /** Tangent in ST(0), then one pushed. */
  public static void fptan(Cpu c, Op o) {
    pushing(c, o, TANGENT);
  }

  private static void pushing(Cpu c, Op o, Function function) {
    X87.begin(c, o);
    SoftFloat f = X87.unit(c);
    c.x87.status &= ~(X87.C1 | X87.C2);
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
    boolean undefined = f.a.isNan() || f.a.kind == Unpacked.INFINITE;
    if (f.a.isNan()) {
      f.nanResult();
    } else if (outOfRange(c, f)) {
      return;
    } else {
      if (f.a.denormal) {
        f.flags |= SoftFloat.DENORMAL;
      }
      evaluate(f, function);
    }
    if (!finish(c, f)) {
      return;
    }
    if (!undefined) {
      if (function == SINE) {
        evaluate(f, COSINE);
      } else {
        f.set(0, 1L << 63, 0);
      }
      f.round(64, Unpacked.EMIN80, Unpacked.EMAX80);
      X87.raise(c, f.flags);
    }
    c.x87.top = c.x87.top - 1 & 7;
    X87.set(c, 0, f.r);
  }

  /** Both operands of an instruction that pops; false when it has been finished. */
  private static boolean pair(Cpu c, SoftFloat f) {
    if (X87.empty(c, 0) || X87.empty(c, 1)) {
      if (X87.stackFault(c, false)) {
        X87.indefinite(c, 1);
        X87.pop(c);
      }
      return false;
    }
    X87.get(c, 0, f.a);
    X87.get(c, 1, f.b);
    if (f.nanOperands()) {
      store(c, f);
      return false;
    }
    return true;
  }

  private static void store(Cpu c, SoftFloat f) {
    f.round(64, Unpacked.EMIN80, Unpacked.EMAX80);
    if (X87.settle(c, f)) {
      X87.set(c, 1, f.r);
      X87.pop(c);
    }
  }

  private static void denormals(SoftFloat f) {
    if (f.a.denormal || f.b.denormal) {
      f.flags |= SoftFloat.DENORMAL;
    }
  }

  /** {@code ST(1) * log2(ST(0))}. */
  public static void fyl2x(Cpu c, Op o) {
    X87.begin(c, o);
    SoftFloat f = X87.unit(c);
    if (!pair(c, f)) {
      return;
    }
    Unpacked x = f.a;
    Unpacked y = f.b;
    if (x.sign && x.kind != Unpacked.ZERO) {
      f.invalidResult();
    } else if (x.kind == Unpacked.ZERO) {
      if (y.kind == Unpacked.ZERO) {
        f.invalidResult();
      } else {
        if (y.kind == Unpacked.FINITE) {
          f.flags |= SoftFloat.DIVIDE_BY_ZERO;
        }
        f.infiniteResult(!y.sign);
      }
    } else if (x.kind == Unpacked.INFINITE) {
      if (y.kind == Unpacked.ZERO) {
        f.invalidResult();
      } else {
        denormals(f);
        f.infiniteResult(y.sign);
      }
    } else {
      boolean one = x.exp == 0 && x.hi << 1 == 0;
      boolean negative = x.exp < 0;
      if (y.kind == Unpacked.INFINITE) {
        if (one) {
          f.invalidResult();
        } else {
          denormals(f);
          f.infiniteResult(y.sign ^ negative);
        }
      } else {
        denormals(f);
        if (one || y.kind == Unpacked.ZERO) {
          f.zeroResult(y.sign ^ negative);
        } else if (x.hi << 1 == 0) {
          // a power of two: the logarithm is an integer and the product may be exact
          x.fromInt(x.exp);
          f.multiply();
        } else {
          Transcendental.logarithm(f);
        }
      }
    }
    store(c, f);
  }

  /** {@code ST(1) * log2(ST(0) + 1)}. */
  public static void fyl2xp1(Cpu c, Op o) {
    X87.begin(c, o);
    SoftFloat f = X87.unit(c);
    if (!pair(c, f)) {
      return;
    }
    Unpacked x = f.a;
    Unpacked y = f.b;
    boolean belowMinusOne = x.sign && x.kind == Unpacked.FINITE && x.exp >= 0;
    if (x.kind == Unpacked.INFINITE) {
      if (x.sign || y.kind == Unpacked.ZERO) {
        f.invalidResult();
      } else {
        denormals(f);
        f.infiniteResult(y.sign);
      }
    } else if (y.kind == Unpacked.INFINITE) {
      if (x.kind == Unpacked.ZERO) {
        f.invalidResult();
      } else {
        denormals(f);
        f.infiniteResult(y.sign ^ x.sign);
      }
    } else if (x.kind == Unpacked.ZERO || y.kind == Unpacked.ZERO) {
      denormals(f);
      f.zeroResult(x.sign ^ y.sign);
    } else if (belowMinusOne) {
      denormals(f);
      outside(f);
    } else {
      denormals(f);
      Transcendental.logarithmPlusOne(f);
    }
    store(c, f);
  }

  /** Angle of the point (ST(0), ST(1)). */
  public static void fpatan(Cpu c, Op o) {
    X87.begin(c, o);
    SoftFloat f = X87.unit(c);
    if (!pair(c, f)) {
      return;
    }
    Unpacked x = f.a;
    Unpacked y = f.b;
    denormals(f);
    boolean negative = y.sign;
    if (y.kind == Unpacked.INFINITE) {
      if (x.kind == Unpacked.INFINITE) {
        angle(f, x.sign ? 3 : 1, negative); // 3 pi/4 or pi/4
      } else {
        angle(f, 2, negative);
      }
    } else if (x.kind == Unpacked.INFINITE || y.kind == Unpacked.ZERO) {
      if (x.sign) {
        angle(f, 4, negative);
      } else {
        f.zeroResult(negative);
      }
    } else if (x.kind == Unpacked.ZERO) {
      angle(f, 2, negative);
    } else {
      Transcendental.arctangent(f);
    }
    store(c, f);
  }

  /** {@code r = quarters * pi / 4}. */
  private static void angle(SoftFloat f, int quarters, boolean negative) {
    switch (quarters) {
      case 1:
        f.set(-1, PI_HIGH, PI_LOW);
        break;
      case 2:
        f.set(0, PI_HIGH, PI_LOW);
        break;
      case 3:
        f.set(1, THREE_PI_HIGH, THREE_PI_LOW);
        break;
      default:
        f.set(1, PI_HIGH, PI_LOW);
    }
    f.r.sign = negative;
  }
}
