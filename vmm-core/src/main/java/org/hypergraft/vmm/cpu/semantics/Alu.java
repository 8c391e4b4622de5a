package org.hypergraft.vmm.cpu.semantics;

import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.cpu.Flags;

/** Addition, subtraction, comparison and logic at the four operand sizes. */
public final class Alu {
  private Alu() {}

  // Recorders: operands and result already sign-extended.

  private static long added(Cpu c, long x, long y, long r) {
    c.fk = Flags.ADD;
    c.fa = x;
    c.fb = y;
    c.fr = r;
    return r;
  }

  private static long subtracted(Cpu c, long x, long y, long r) {
    c.fk = Flags.SUB;
    c.fa = x;
    c.fb = y;
    c.fr = r;
    return r;
  }

  private static long logic(Cpu c, long r) {
    c.fk = Flags.LOGIC;
    c.fr = r;
    return r;
  }

  private static long addedWithCarry(Cpu c, long x, long y, long r, boolean carryIn) {
    int order = Long.compareUnsigned(r, x);
    long bits = (x ^ y ^ r) & Flags.AF;
    if (order < 0 || (order == 0 && carryIn)) {
      bits |= Flags.CF;
    }
    if (((x ^ r) & (y ^ r)) < 0) {
      bits |= Flags.OF;
    }
    Flags.explicit(c, bits, r);
    return r;
  }

  private static long subtractedWithBorrow(Cpu c, long x, long y, long r, boolean borrowIn) {
    int order = Long.compareUnsigned(x, y);
    long bits = (x ^ y ^ r) & Flags.AF;
    if (order < 0 || (order == 0 && borrowIn)) {
      bits |= Flags.CF;
    }
    if (((x ^ y) & (x ^ r)) < 0) {
      bits |= Flags.OF;
    }
    Flags.explicit(c, bits, r);
    return r;
  }

  /** INC leaves CF alone. */
  private static long incremented(Cpu c, long x, long r) {
    long bits = Flags.carry(c) ? Flags.CF : 0;
    if ((~x & r) < 0) {
      bits |= Flags.OF;
    }
    if ((r & 0xf) == 0) {
      bits |= Flags.AF;
    }
    Flags.explicit(c, bits, r);
    return r;
  }

  private static long decremented(Cpu c, long x, long r) {
    long bits = Flags.carry(c) ? Flags.CF : 0;
    if ((x & ~r) < 0) {
      bits |= Flags.OF;
    }
    if ((r & 0xf) == 0xf) {
      bits |= Flags.AF;
    }
    Flags.explicit(c, bits, r);
    return r;
  }

  public static long add8(Cpu c, long a, long b) {
    long x = (byte) a;
    long y = (byte) b;
    return added(c, x, y, (byte) (x + y)) & 0xff;
  }

  public static long sub8(Cpu c, long a, long b) {
    long x = (byte) a;
    long y = (byte) b;
    return subtracted(c, x, y, (byte) (x - y)) & 0xff;
  }

  public static void cmp8(Cpu c, long a, long b) {
    long x = (byte) a;
    long y = (byte) b;
    subtracted(c, x, y, (byte) (x - y));
  }

  public static long adc8(Cpu c, long a, long b) {
    boolean carry = Flags.carry(c);
    long x = (byte) a;
    long y = (byte) b;
    return addedWithCarry(c, x, y, (byte) (x + y + (carry ? 1 : 0)), carry) & 0xff;
  }

  public static long sbb8(Cpu c, long a, long b) {
    boolean borrow = Flags.carry(c);
    long x = (byte) a;
    long y = (byte) b;
    return subtractedWithBorrow(c, x, y, (byte) (x - y - (borrow ? 1 : 0)), borrow) & 0xff;
  }

  public static long and8(Cpu c, long a, long b) {
    return logic(c, (byte) (a & b)) & 0xff;
  }

  public static void test8(Cpu c, long a, long b) {
    logic(c, (byte) (a & b));
  }

  public static long or8(Cpu c, long a, long b) {
    return logic(c, (byte) (a | b)) & 0xff;
  }

  public static long xor8(Cpu c, long a, long b) {
    return logic(c, (byte) (a ^ b)) & 0xff;
  }

  public static long inc8(Cpu c, long a) {
    long x = (byte) a;
    return incremented(c, x, (byte) (x + 1)) & 0xff;
  }

  public static long dec8(Cpu c, long a) {
    long x = (byte) a;
    return decremented(c, x, (byte) (x - 1)) & 0xff;
  }

  public static long neg8(Cpu c, long a) {
    long x = (byte) a;
    return subtracted(c, 0, x, (byte) (-x)) & 0xff;
  }

  public static long not8(Cpu c, long a) {
    return ~a & 0xff;
  }

  public static long add16(Cpu c, long a, long b) {
    long x = (short) a;
    long y = (short) b;
    return added(c, x, y, (short) (x + y)) & 0xffff;
  }

  public static long sub16(Cpu c, long a, long b) {
    long x = (short) a;
    long y = (short) b;
    return subtracted(c, x, y, (short) (x - y)) & 0xffff;
  }

  public static void cmp16(Cpu c, long a, long b) {
    long x = (short) a;
    long y = (short) b;
    subtracted(c, x, y, (short) (x - y));
  }

  public static long adc16(Cpu c, long a, long b) {
    boolean carry = Flags.carry(c);
    long x = (short) a;
    long y = (short) b;
    return addedWithCarry(c, x, y, (short) (x + y + (carry ? 1 : 0)), carry) & 0xffff;
  }

  public static long sbb16(Cpu c, long a, long b) {
    boolean borrow = Flags.carry(c);
    long x = (short) a;
    long y = (short) b;
    return subtractedWithBorrow(c, x, y, (short) (x - y - (borrow ? 1 : 0)), borrow) & 0xffff;
  }

  public static long and16(Cpu c, long a, long b) {
    return logic(c, (short) (a & b)) & 0xffff;
  }

  public static void test16(Cpu c, long a, long b) {
    logic(c, (short) (a & b));
  }

  public static long or16(Cpu c, long a, long b) {
    return logic(c, (short) (a | b)) & 0xffff;
  }

  public static long xor16(Cpu c, long a, long b) {
    return logic(c, (short) (a ^ b)) & 0xffff;
  }

  public static long inc16(Cpu c, long a) {
    long x = (short) a;
    return incremented(c, x, (short) (x + 1)) & 0xffff;
  }

  public static long dec16(Cpu c, long a) {
    long x = (short) a;
    return decremented(c, x, (short) (x - 1)) & 0xffff;
  }

  public static long neg16(Cpu c, long a) {
    long x = (short) a;
    return subtracted(c, 0, x, (short) (-x)) & 0xffff;
  }

  public static long not16(Cpu c, long a) {
    return ~a & 0xffff;
  }

  public static long add32(Cpu c, long a, long b) {
    long x = (int) a;
    long y = (int) b;
    return added(c, x, y, (int) (x + y)) & 0xffff_ffffL;
  }

  public static long sub32(Cpu c, long a, long b) {
    long x = (int) a;
    long y = (int) b;
    return subtracted(c, x, y, (int) (x - y)) & 0xffff_ffffL;
  }

  public static void cmp32(Cpu c, long a, long b) {
    long x = (int) a;
    long y = (int) b;
    subtracted(c, x, y, (int) (x - y));
  }

  public static long adc32(Cpu c, long a, long b) {
    boolean carry = Flags.carry(c);
    long x = (int) a;
    long y = (int) b;
    return addedWithCarry(c, x, y, (int) (x + y + (carry ? 1 : 0)), carry) & 0xffff_ffffL;
  }

  public static long sbb32(Cpu c, long a, long b) {
    boolean borrow = Flags.carry(c);
    long x = (int) a;
    long y = (int) b;
    return subtractedWithBorrow(c, x, y, (int) (x - y - (borrow ? 1 : 0)), borrow) & 0xffff_ffffL;
  }

  public static long and32(Cpu c, long a, long b) {
    return logic(c, (int) (a & b)) & 0xffff_ffffL;
  }

  public static void test32(Cpu c, long a, long b) {
    logic(c, (int) (a & b));
  }

  public static long or32(Cpu c, long a, long b) {
    return logic(c, (int) (a | b)) & 0xffff_ffffL;
  }

  public static long xor32(Cpu c, long a, long b) {
    return logic(c, (int) (a ^ b)) & 0xffff_ffffL;
  }

  public static long inc32(Cpu c, long a) {
    long x = (int) a;
    return incremented(c, x, (int) (x + 1)) & 0xffff_ffffL;
  }

  public static long dec32(Cpu c, long a) {
    long x = (int) a;
    return decremented(c, x, (int) (x - 1)) & 0xffff_ffffL;
  }

  public static long neg32(Cpu c, long a) {
    long x = (int) a;
    return subtracted(c, 0, x, (int) (-x)) & 0xffff_ffffL;
  }

  public static long not32(Cpu c, long a) {
    return ~a & 0xffff_ffffL;
  }

  public static long add64(Cpu c, long a, long b) {
    long x = a;
    long y = b;
    return added(c, x, y, x + y);
  }

  public static long sub64(Cpu c, long a, long b) {
    long x = a;
    long y = b;
    return subtracted(c, x, y, x - y);
  }

  public static void cmp64(Cpu c, long a, long b) {
    long x = a;
    long y = b;
    subtracted(c, x, y, x - y);
  }

  public static long adc64(Cpu c, long a, long b) {
    boolean carry = Flags.carry(c);
    long x = a;
    long y = b;
    return addedWithCarry(c, x, y, x + y + (carry ? 1 : 0), carry);
  }

  public static long sbb64(Cpu c, long a, long b) {
    boolean borrow = Flags.carry(c);
    long x = a;
    long y = b;
    return subtractedWithBorrow(c, x, y, x - y - (borrow ? 1 : 0), borrow);
  }

  public static long and64(Cpu c, long a, long b) {
    return logic(c, a & b);
  }

  public static void test64(Cpu c, long a, long b) {
    logic(c, a & b);
  }

  public static long or64(Cpu c, long a, long b) {
    return logic(c, a | b);
  }

  public static long xor64(Cpu c, long a, long b) {
    return logic(c, a ^ b);
  }

  public static long inc64(Cpu c, long a) {
    long x = a;
    return incremented(c, x, x + 1);
  }

  public static long dec64(Cpu c, long a) {
    long x = a;
    return decremented(c, x, x - 1);
  }

  public static long neg64(Cpu c, long a) {
    long x = a;
    return subtracted(c, 0, x, -x);
  }

  public static long not64(Cpu c, long a) {
    return ~a;
  }
}
