package org.hypergraft.vmm.cpu.semantics;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.cpu.Flags;

/** Calls semantics by name and size, and knows interesting operands. */
final class Semantics {
  /** Bit patterns around every sign and size boundary. */
  static final long[] VALUES = {
    0,
    1,
    2,
    7,
    0xf,
    0x10,
    0x7e,
    0x7f,
    0x80,
    0x81,
    0xfe,
    0xff,
    0x100,
    0x7ffe,
    0x7fff,
    0x8000,
    0x8001,
    0xfffe,
    0xffff,
    0x1_0000,
    0x7fff_fffeL,
    0x7fff_ffffL,
    0x8000_0000L,
    0x8000_0001L,
    0xffff_fffeL,
    0xffff_ffffL,
    0x1_0000_0000L,
    Long.MAX_VALUE - 1,
    Long.MAX_VALUE,
    Long.MIN_VALUE,
    Long.MIN_VALUE + 1,
    -2,
    -1,
    0x0123_4567_89ab_cdefL,
    0xfedc_ba98_7654_3210L
  };

  static final int[] SIZES = {8, 16, 32, 64};

  private Semantics() {}

  static long mask(int size) {
    return size == 64 ? -1 : (1L << size) - 1;
  }

  static boolean bit(long v, int n) {
    return (v >>> n & 1) != 0;
  }

  /** A processor whose status flags are {@code flags}. */
  static Cpu cpu(int flags) {
    Cpu c = new Cpu(0);
    Flags.setStatus(c, flags);
    return c;
  }

  static long call(Class<?> owner, String name, Cpu c, long... operands) {
    Class<?>[] types = new Class<?>[operands.length + 1];
    Object[] arguments = new Object[operands.length + 1];
    types[0] = Cpu.class;
    arguments[0] = c;
    for (int i = 0; i < operands.length; i++) {
      types[i + 1] = long.class;
      arguments[i + 1] = operands[i];
    }
    try {
      Method m = owner.getMethod(name, types);
      Object r = m.invoke(null, arguments);
      return r == null ? 0 : (Long) r;
    } catch (InvocationTargetException e) {
      if (e.getCause() instanceof RuntimeException cause) {
        throw cause;
      }
      throw new AssertionError(e);
    } catch (ReflectiveOperationException e) {
      throw new AssertionError(e);
    }
  }

  /** ZF, SF and PF of a result of {@code size} bits. */
  static int resultFlags(long result, int size) {
    long r = result & mask(size);
    return (r == 0 ? Flags.ZF : 0)
        | (bit(r, size - 1) ? Flags.SF : 0)
        | (Long.bitCount(r & 0xff) % 2 == 0 ? Flags.PF : 0);
  }
}
