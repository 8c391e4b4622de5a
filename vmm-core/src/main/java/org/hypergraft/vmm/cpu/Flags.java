package org.hypergraft.vmm.cpu;

/**
 * Lazy status flags. Instructions record what they did ({@link Cpu#fk}, {@link Cpu#fa}, {@link
 * Cpu#fb}, {@link Cpu#fr}); the six status flags are computed when somebody asks.
 *
 * <p>Operands and results are kept sign-extended from the operand size to 64 bits. Sign extension
 * preserves both the signed and the unsigned order, so no rule below depends on the size.
 *
 * <p>Bit positions: Intel SDM vol. 1, 3.4.3 (EFLAGS register).
 */
public final class Flags {
  public static final int CF = 1;
  public static final int PF = 1 << 2;
  public static final int AF = 1 << 4;
  public static final int ZF = 1 << 6;
  public static final int SF = 1 << 7;
  public static final int TF = 1 << 8;
  public static final int IF = 1 << 9;
  public static final int DF = 1 << 10;
  public static final int OF = 1 << 11;
  public static final int IOPL = 3 << 12;
  public static final int NT = 1 << 14;
  public static final int RF = 1 << 16;
  public static final int VM = 1 << 17;
  public static final int AC = 1 << 18;
  public static final int VIF = 1 << 19;
  public static final int VIP = 1 << 20;
  public static final int ID = 1 << 21;

  /** Bit 1 of EFLAGS always reads as one. */
  public static final int RESERVED_ONE = 2;

  /** The six status flags held lazily. */
  public static final int STATUS = CF | PF | AF | ZF | SF | OF;

  /** The flags held in {@link Cpu#sysFlags}. */
  public static final int SYSTEM = TF | IF | DF | IOPL | NT | RF | VM | AC | VIF | VIP | ID;

  /** {@link Cpu#fk}: all six flags are in {@code fa} at their EFLAGS positions. */
  public static final int RAW = 0;

  /** {@link Cpu#fk}: CF = OF = AF = 0, the others follow from {@code fr}. */
  public static final int LOGIC = 1;

  /** {@link Cpu#fk}: {@code fr = fa + fb}. */
  public static final int ADD = 2;

  /** {@link Cpu#fk}: {@code fr = fa - fb}. */
  public static final int SUB = 3;

  /** {@link Cpu#fk}: CF, OF and AF are in {@code fa}, the others follow from {@code fr}. */
  public static final int EXPLICIT = 4;

  private Flags() {}

  public static boolean carry(Cpu c) {
    switch (c.fk) {
      case LOGIC:
        return false;
      case ADD:
        return Long.compareUnsigned(c.fr, c.fa) < 0;
      case SUB:
        return Long.compareUnsigned(c.fa, c.fb) < 0;
      default:
        return (c.fa & CF) != 0;
    }
  }

  public static boolean zero(Cpu c) {
    return c.fk == RAW ? (c.fa & ZF) != 0 : c.fr == 0;
  }

  public static boolean sign(Cpu c) {
    return c.fk == RAW ? (c.fa & SF) != 0 : c.fr < 0;
  }

  public static boolean parity(Cpu c) {
    return c.fk == RAW ? (c.fa & PF) != 0 : (Integer.bitCount((int) c.fr & 0xff) & 1) == 0;
  }

  public static boolean overflow(Cpu c) {
    switch (c.fk) {
      case LOGIC:
        return false;
      case ADD:
        // fr is the sum cut to the operand size, so its sign differs from both on overflow
        return ((c.fa ^ c.fr) & (c.fb ^ c.fr)) < 0;
      case SUB:
        return ((c.fa ^ c.fb) & (c.fa ^ c.fr)) < 0;
      default:
        return (c.fa & OF) != 0;
    }
  }

  public static boolean adjust(Cpu c) {
    switch (c.fk) {
      case LOGIC:
        return false;
      case ADD:
      case SUB:
        return ((c.fa ^ c.fb ^ c.fr) & AF) != 0;
      default:
        return (c.fa & AF) != 0;
    }
  }

  // The 16 conditions in encoding order (Intel SDM vol. 2, appendix B.1.4.7).

  public static boolean o(Cpu c) {
    return overflow(c);
  }

  public static boolean no(Cpu c) {
    return !overflow(c);
  }

  public static boolean b(Cpu c) {
    return carry(c);
  }

  public static boolean ae(Cpu c) {
    return !carry(c);
  }

  public static boolean e(Cpu c) {
    return zero(c);
  }

  public static boolean ne(Cpu c) {
    return !zero(c);
  }

  public static boolean be(Cpu c) {
    if (c.fk == SUB) {
      return Long.compareUnsigned(c.fa, c.fb) <= 0;
    }
    return carry(c) || zero(c);
  }

  public static boolean a(Cpu c) {
    return !be(c);
  }

  public static boolean s(Cpu c) {
    return sign(c);
  }

  public static boolean ns(Cpu c) {
    return !sign(c);
  }

  public static boolean p(Cpu c) {
    return parity(c);
  }

  public static boolean np(Cpu c) {
    return !parity(c);
  }

  public static boolean l(Cpu c) {
    if (c.fk == SUB) {
      return c.fa < c.fb;
    }
    return sign(c) != overflow(c);
  }

  public static boolean ge(Cpu c) {
    return !l(c);
  }

  public static boolean le(Cpu c) {
    if (c.fk == SUB) {
      return c.fa <= c.fb;
    }
    return zero(c) || sign(c) != overflow(c);
  }

  public static boolean g(Cpu c) {
    return !le(c);
  }

  /** Evaluates condition {@code cond} (low opcode nibble). */
  public static boolean test(Cpu c, int cond) {
    boolean r;
    switch (cond >> 1) {
      case 0:
        r = overflow(c);
        break;
      case 1:
        r = carry(c);
        break;
      case 2:
        r = zero(c);
        break;
      case 3:
        r = be(c);
        break;
      case 4:
        r = sign(c);
        break;
      case 5:
        r = parity(c);
        break;
      case 6:
        r = l(c);
        break;
      default:
        r = le(c);
        break;
    }
    return r ^ ((cond & 1) != 0);
  }

  /** The six status flags at their EFLAGS positions. */
  public static int status(Cpu c) {
    if (c.fk == RAW) {
      return (int) c.fa & STATUS;
    }
    return (carry(c) ? CF : 0)
        | (parity(c) ? PF : 0)
        | (adjust(c) ? AF : 0)
        | (c.fr == 0 ? ZF : 0)
        | (c.fr < 0 ? SF : 0)
        | (overflow(c) ? OF : 0);
  }

  /** Replaces the six status flags; other bits of {@code bits} are ignored. */
  public static void setStatus(Cpu c, int bits) {
    c.fk = RAW;
    c.fa = bits & STATUS;
  }

  /** RFLAGS as PUSHF would store it, RF and VM included. */
  public static int get(Cpu c) {
    return status(c) | c.sysFlags | RESERVED_ONE;
  }

  /**
   * Replaces all of RFLAGS without any privilege rule. The caller applies POPF/IRET masks, and
   * calls {@link Cpu#updateMode()} when VM or AC may have changed.
   */
  public static void set(Cpu c, int value) {
    setStatus(c, value);
    c.sysFlags = value & SYSTEM;
  }

  /** Sets CF, OF and AF from {@code bits}, and ZF, SF, PF from a sign-extended result. */
  public static void explicit(Cpu c, long bits, long result) {
    c.fk = EXPLICIT;
    c.fa = bits;
    c.fr = result;
  }

  /** Logic result (sign-extended): CF = OF = AF = 0. */
  public static void logic(Cpu c, long result) {
    c.fk = LOGIC;
    c.fr = result;
  }

  /** Replaces CF and OF by those in {@code bits} and keeps the other four. */
  public static void setCarryOverflow(Cpu c, long bits) {
    if (c.fk == RAW) {
      c.fa = (c.fa & ~(CF | OF)) | bits;
    } else {
      c.fa = (adjust(c) ? AF | bits : bits);
      c.fk = EXPLICIT;
    }
  }

  /** Replaces CF and keeps the other five. */
  public static void setCarry(Cpu c, boolean carry) {
    long bit = carry ? CF : 0;
    if (c.fk == RAW || c.fk == EXPLICIT) {
      c.fa = (c.fa & ~CF) | bit;
    } else {
      c.fa = (adjust(c) ? AF : 0) | (overflow(c) ? OF : 0) | bit;
      c.fk = EXPLICIT;
    }
  }

  /** Replaces ZF and keeps the other five. */
  public static void setZero(Cpu c, boolean zero) {
    setStatus(c, zero ? status(c) | ZF : status(c) & ~ZF);
  }
}
