package org.hypergraft.vmm.cpu.semantics;

import static org.hypergraft.vmm.cpu.semantics.Semantics.SIZES;
import static org.hypergraft.vmm.cpu.semantics.Semantics.VALUES;
import static org.hypergraft.vmm.cpu.semantics.Semantics.mask;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.math.BigInteger;
import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.cpu.Flags;
import org.hypergraft.vmm.mmu.GuestFault;
import org.junit.jupiter.api.Test;

/** Products, quotients and #DE against unbounded integers. */
class MultiplyTest {
  private static BigInteger value(long v, int size, boolean signed) {
    return signed
        ? BigInteger.valueOf(v << (64 - size) >> (64 - size))
        : new BigInteger(Long.toUnsignedString(v & mask(size)));
  }

  /** The double-width accumulator: AX, DX:AX, EDX:EAX, RDX:RAX. */
  private static void load(Cpu c, int size, long high, long low) {
    if (size == 8) {
      c.r[Cpu.RAX] = (high & 0xff) << 8 | (low & 0xff);
    } else {
      c.r[Cpu.RAX] = low & mask(size);
      c.r[Cpu.RDX] = high & mask(size);
    }
  }

  private static long high(Cpu c, int size) {
    return (size == 8 ? c.r[Cpu.RAX] >>> 8 : c.r[Cpu.RDX]) & mask(size);
  }

  private static long low(Cpu c, int size) {
    return c.r[Cpu.RAX] & mask(size);
  }

  @Test
  void products() {
    for (int size : SIZES) {
      for (long a : VALUES) {
        for (long b : VALUES) {
          product("mulAx", size, a, b, false);
          product("imulAx", size, a, b, true);
        }
      }
    }
  }

  private static void product(String name, int size, long a, long b, boolean signed) {
    Cpu c = Semantics.cpu(0);
    load(c, size, 0, a);
    Semantics.call(Multiply.class, name + size, c, b);
    BigInteger p = value(a, size, signed).multiply(value(b, size, signed));
    String what = name + size + " " + Long.toHexString(a) + " * " + Long.toHexString(b);
    assertEquals(p.longValue() & mask(size), low(c, size), what);
    assertEquals(p.shiftRight(size).longValue() & mask(size), high(c, size), what);
    boolean fits = p.equals(value(p.longValue(), size, signed));
    int expected = fits ? 0 : Flags.CF | Flags.OF;
    assertEquals(expected, Flags.status(c) & (Flags.CF | Flags.OF), what);
    if (signed && size > 8) {
      Cpu d = Semantics.cpu(0);
      assertEquals(low(c, size), Semantics.call(Multiply.class, "imul" + size, d, a, b), what);
      assertEquals(expected, Flags.status(d) & (Flags.CF | Flags.OF), what);
    }
  }

  @Test
  void quotients() {
    for (int size : SIZES) {
      for (long high : VALUES) {
        for (long low : VALUES) {
          for (long d : VALUES) {
            quotient("divAx", size, high, low, d, false);
            quotient("idivAx", size, high, low, d, true);
          }
        }
      }
    }
  }

  private static void quotient(String name, int size, long high, long low, long d, boolean signed) {
    Cpu c = Semantics.cpu(Flags.STATUS);
    load(c, size, high, low);
    BigInteger n = value(high, size, signed).shiftLeft(size).or(value(low, size, false));
    BigInteger divisor = value(d, size, signed);
    String what = name + size + " " + n + " / " + divisor;
    boolean error = divisor.signum() == 0;
    BigInteger[] qr = error ? null : n.divideAndRemainder(divisor);
    error = error || !qr[0].equals(value(qr[0].longValue(), size, signed));
    long rax = c.r[Cpu.RAX];
    long rdx = c.r[Cpu.RDX];
    try {
      Semantics.call(Multiply.class, name + size, c, d);
      assertEquals(false, error, what + " should raise #DE");
      assertEquals(qr[0].longValue() & mask(size), low(c, size), what);
      assertEquals(qr[1].longValue() & mask(size), high(c, size), what);
    } catch (GuestFault f) {
      assertEquals(true, error, what + " raised #DE");
      assertEquals(GuestFault.DE, f.vector);
      assertEquals(rax, c.r[Cpu.RAX]);
      assertEquals(rdx, c.r[Cpu.RDX]);
    }
    assertEquals(Flags.STATUS, Flags.status(c));
  }
}
