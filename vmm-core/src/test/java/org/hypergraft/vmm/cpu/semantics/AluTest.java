package org.hypergraft.vmm.cpu.semantics;

import static org.hypergraft.vmm.cpu.semantics.Semantics.SIZES;
import static org.hypergraft.vmm.cpu.semantics.Semantics.VALUES;
import static org.hypergraft.vmm.cpu.semantics.Semantics.bit;
import static org.hypergraft.vmm.cpu.semantics.Semantics.mask;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.math.BigInteger;
import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.cpu.Flags;
import org.junit.jupiter.api.Test;

/** Results and all six flags against arithmetic on unbounded integers. */
class AluTest {
  private static BigInteger unsigned(long v, int size) {
    return new BigInteger(Long.toUnsignedString(v & mask(size)));
  }

  private static BigInteger signed(long v, int size) {
    return BigInteger.valueOf(v << (64 - size) >> (64 - size));
  }

  private static int range(BigInteger unsignedResult, BigInteger signedResult, int size) {
    boolean carry = unsignedResult.signum() < 0 || unsignedResult.bitLength() > size;
    boolean overflow = signedResult.bitLength() >= size;
    return (carry ? Flags.CF : 0) | (overflow ? Flags.OF : 0);
  }

  /** Flags and result of {@code a + b + in} or {@code a - b - in}. */
  private static void check(String name, long a, long b, int size, int in, boolean subtract) {
    Cpu c = Semantics.cpu(in);
    boolean writes = !name.equals("cmp");
    long got = Semantics.call(Alu.class, name + size, c, a, b);
    boolean withCarry = name.equals("adc") || name.equals("sbb");
    BigInteger carry = BigInteger.valueOf(withCarry ? in & 1 : 0);
    BigInteger ub = unsigned(b, size).add(carry);
    BigInteger sb = signed(b, size).add(carry);
    BigInteger u = unsigned(a, size);
    BigInteger s = signed(a, size);
    u = subtract ? u.subtract(ub) : u.add(ub);
    s = subtract ? s.subtract(sb) : s.add(sb);
    long low =
        subtract ? (a & 15) - (b & 15) - carry.intValue() : (a & 15) + (b & 15) + carry.intValue();
    int expected = range(u, s, size) | Semantics.resultFlags(u.longValue(), size);
    if (low < 0 || low > 15) {
      expected |= Flags.AF;
    }
    String what =
        name + size + " " + Long.toHexString(a) + ", " + Long.toHexString(b) + " CF=" + in;
    if (writes) {
      assertEquals(u.longValue() & mask(size), got, what);
    }
    assertEquals(expected, Flags.status(c), what);
    conditions(c, expected, what);
  }

  /** Every condition must agree with its definition on the materialised flags. */
  private static void conditions(Cpu c, int f, String what) {
    boolean cf = (f & Flags.CF) != 0;
    boolean zf = (f & Flags.ZF) != 0;
    boolean sf = (f & Flags.SF) != 0;
    boolean of = (f & Flags.OF) != 0;
    boolean pf = (f & Flags.PF) != 0;
    boolean[] expected = {of, cf, zf, cf || zf, sf, pf, sf != of, zf || sf != of};
    boolean[] got = {
      Flags.o(c),
      Flags.b(c),
      Flags.e(c),
      Flags.be(c),
      Flags.s(c),
      Flags.p(c),
      Flags.l(c),
      Flags.le(c)
    };
    boolean[] inverse = {
      Flags.no(c),
      Flags.ae(c),
      Flags.ne(c),
      Flags.a(c),
      Flags.ns(c),
      Flags.np(c),
      Flags.ge(c),
      Flags.g(c)
    };
    for (int i = 0; i < 8; i++) {
      assertEquals(expected[i], got[i], what + " condition " + 2 * i);
      assertEquals(!expected[i], inverse[i], what + " condition " + (2 * i + 1));
      assertEquals(expected[i], Flags.test(c, 2 * i), what + " condition " + 2 * i);
      assertEquals(!expected[i], Flags.test(c, 2 * i + 1), what + " condition " + (2 * i + 1));
    }
  }

  @Test
  void addsAndSubtracts() {
    for (int size : SIZES) {
      for (long a : VALUES) {
        for (long b : VALUES) {
          for (int carry = 0; carry <= 1; carry++) {
            check("add", a, b, size, carry, false);
            check("adc", a, b, size, carry, false);
            check("sub", a, b, size, carry, true);
            check("sbb", a, b, size, carry, true);
            check("cmp", a, b, size, carry, true);
          }
        }
      }
    }
  }

  @Test
  void logicClearsCarryOverflowAndAdjust() {
    for (int size : SIZES) {
      for (long a : VALUES) {
        for (long b : VALUES) {
          logic("and", a, b, a & b, size);
          logic("or", a, b, a | b, size);
          logic("xor", a, b, a ^ b, size);
          logic("test", a, b, a & b, size);
        }
      }
    }
  }

  private static void logic(String name, long a, long b, long result, int size) {
    Cpu c = Semantics.cpu(Flags.STATUS);
    long got = Semantics.call(Alu.class, name + size, c, a, b);
    if (!name.equals("test")) {
      assertEquals(result & mask(size), got, name + size);
    }
    assertEquals(Semantics.resultFlags(result, size), Flags.status(c), name + size);
    conditions(c, Flags.status(c), name + size);
  }

  @Test
  void incrementAndDecrementKeepCarry() {
    for (int size : SIZES) {
      for (long a : VALUES) {
        for (int carry = 0; carry <= 1; carry++) {
          Cpu c = Semantics.cpu(carry);
          assertEquals(a + 1 & mask(size), Semantics.call(Alu.class, "inc" + size, c, a));
          int overflow = (a & mask(size)) == mask(size) >>> 1 ? Flags.OF : 0;
          int adjust = (a & 15) == 15 ? Flags.AF : 0;
          assertEquals(
              carry | overflow | adjust | Semantics.resultFlags(a + 1, size), Flags.status(c));
          c = Semantics.cpu(carry);
          assertEquals(a - 1 & mask(size), Semantics.call(Alu.class, "dec" + size, c, a));
          overflow = (a & mask(size)) == (mask(size) >>> 1) + 1 ? Flags.OF : 0;
          adjust = (a & 15) == 0 ? Flags.AF : 0;
          assertEquals(
              carry | overflow | adjust | Semantics.resultFlags(a - 1, size), Flags.status(c));
        }
      }
    }
  }

  @Test
  void negateIsSubtractionFromZero() {
    for (int size : SIZES) {
      for (long a : VALUES) {
        Cpu c = Semantics.cpu(0);
        assertEquals(-a & mask(size), Semantics.call(Alu.class, "neg" + size, c, a));
        int got = Flags.status(c);
        Cpu d = Semantics.cpu(0);
        Semantics.call(Alu.class, "cmp" + size, d, 0, a);
        assertEquals(Flags.status(d), got);
        assertEquals((a & mask(size)) != 0, bit(got, 0));
      }
    }
  }

  @Test
  void notTouchesNoFlag() {
    for (int size : SIZES) {
      Cpu c = Semantics.cpu(Flags.STATUS);
      assertEquals(~0x5aL & mask(size), Semantics.call(Alu.class, "not" + size, c, 0x5a));
      assertEquals(Flags.STATUS, Flags.status(c));
    }
  }
}
