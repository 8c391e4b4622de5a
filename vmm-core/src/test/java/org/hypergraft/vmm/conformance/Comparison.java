package org.hypergraft.vmm.conformance;

import org.hypergraft.annotator.isa.RegisterNames;
import org.hypergraft.vmm.mmu.GuestFault;

/** Finds the first difference between two resulting states. */
final class Comparison {
  /** CF PF AF ZF SF DF OF, and ID. */
  private static final int FLAGS = 0x200cd5;

  /** x87 condition codes; C1 of an approximate result depends on its last bit. */
  private static final int C1 = 1 << 9;

  private Comparison() {}

  /** The first difference as text, or null. */
  static String difference(TestCase test, MachineState expected, MachineState got, boolean avx) {
    String d = outcome(expected, got);
    if (d != null) {
      return d;
    }
    // compatibility mode leaves upper halves and R8-R15 undefined
    boolean narrow = test.input.compatibility();
    for (int i = 0; i < (narrow ? 8 : 16); i++) {
      long mask = narrow ? 0xffffffffL : -1;
      if ((expected.gpr(i) & mask) != (got.gpr(i) & mask)) {
        return values(RegisterNames.GENERAL.get(i), expected.gpr(i), got.gpr(i));
      }
    }
    int flags = FLAGS & ~test.undefinedFlags;
    long e = expected.u64(MachineState.RFLAGS) & flags;
    long g = got.u64(MachineState.RFLAGS) & flags;
    if (e != g) {
      return values("rflags", e, g);
    }
    d = vectors(test, expected, got, avx);
    if (d == null) {
      d = x87(test, expected, got);
    }
    return d != null ? d : memory(test, expected, got);
  }

  private static String outcome(MachineState expected, MachineState got) {
    long vector = expected.u64(MachineState.VECTOR);
    if (vector != got.u64(MachineState.VECTOR)) {
      return values("exception vector", vector, got.u64(MachineState.VECTOR));
    }
    if (vector == MachineState.NO_EXCEPTION) {
      return null;
    }
    if (vector == GuestFault.PF || vector == GuestFault.GP || vector == GuestFault.SS) {
      // Linux reports every user access to kernel addresses as a protection violation
      long shown = vector == GuestFault.PF && expected.u64(MachineState.CR2) < 0 ? ~1 : -1;
      long e = expected.u64(MachineState.ERROR_CODE) & shown;
      long g = got.u64(MachineState.ERROR_CODE) & shown;
      if (e != g) {
        return values("error code", e, g);
      }
    }
    if (vector == GuestFault.PF && expected.u64(MachineState.CR2) != got.u64(MachineState.CR2)) {
      return values("cr2", expected.u64(MachineState.CR2), got.u64(MachineState.CR2));
    }
    long rip = expected.u64(MachineState.RIP) - MachineState.CODE_ADDRESS;
    long gotRip = got.u64(MachineState.RIP) - MachineState.CODE_ADDRESS;
    return rip == gotRip ? null : values("rip in the code", rip, gotRip);
  }

  private static String vectors(
      TestCase test, MachineState expected, MachineState got, boolean avx) {
    for (int i = 0; i < 16; i++) {
      for (int lane = 0; lane < (avx ? 4 : 2); lane++) {
        long e = expected.ymm(i, lane);
        long g = got.ymm(i, lane);
        boolean near =
            test.tolerance == TestCase.Tolerance.ANY_NAN
                    && Double.isNaN(Double.longBitsToDouble(e))
                    && Double.isNaN(Double.longBitsToDouble(g))
                || close(test.tolerance, (int) e, (int) g)
                    && close(test.tolerance, (int) (e >> 32), (int) (g >> 32));
        if (e != g && !near) {
          return values("xmm" + i + " lane " + lane, e, g);
        }
      }
    }
    int e = expected.u32(MachineState.MXCSR);
    int g = got.u32(MachineState.MXCSR);
    return e == g ? null : values("mxcsr", e, g);
  }

  private static boolean close(TestCase.Tolerance tolerance, int e, int g) {
    if (e == g) {
      return true;
    }
    if (tolerance == TestCase.Tolerance.ANY_NAN) {
      return Float.isNaN(Float.intBitsToFloat(e)) && Float.isNaN(Float.intBitsToFloat(g));
    }
    if (tolerance != TestCase.Tolerance.RECIPROCAL) {
      return false;
    }
    double x = Float.intBitsToFloat(e);
    double y = Float.intBitsToFloat(g);
    return Math.abs(x - y) <= Math.abs(x) * (3.0 / 4096); // 1.5 * 2^-12 on either side
  }

  private static String x87(TestCase test, MachineState expected, MachineState got) {
    int e = expected.u16(MachineState.FCW);
    int g = got.u16(MachineState.FCW);
    if (e != g) {
      return values("x87 control word", e, g);
    }
    boolean approximate = test.tolerance == TestCase.Tolerance.TRANSCENDENTAL;
    int mask = approximate ? ~C1 : -1;
    e = expected.u16(MachineState.FSW) & mask;
    g = got.u16(MachineState.FSW) & mask;
    if (e != g) {
      return values("x87 status word", e, g);
    }
    e = expected.u8(MachineState.TAGS);
    g = got.u8(MachineState.TAGS);
    if (e != g) {
      return values("x87 tags", e, g);
    }
    int top = expected.u16(MachineState.FSW) >>> 11 & 7;
    for (int i = 0; i < 8; i++) {
      int at = MachineState.ST + 16 * i;
      boolean empty = (e >>> (top + i & 7) & 1) == 0;
      if (empty) {
        continue; // what an emptied register still holds shows nowhere but in FSAVE images
      }
      int es = expected.u16(at + 8);
      int gs = got.u16(at + 8);
      long em = expected.u64(at);
      long gm = got.u64(at);
      if (es == gs && em == gm || approximate && near(es, em, gs, gm)) {
        continue;
      }
      return "st" + i + ": expected " + extended(es, em) + ", got " + extended(gs, gm);
    }
    return null;
  }

  /** At most two units apart, also across a power of two. */
  private static boolean near(int es, long em, int gs, long gm) {
    long distance = (long) (es - gs) * Long.MIN_VALUE + em - gm;
    return Math.abs(es - gs) <= 1 && Math.abs(distance) <= 2;
  }

  private static String extended(int signExponent, long significand) {
    return String.format("%04x:%016x", signExponent, significand);
  }

  private static boolean ignored(TestCase test, int offset) {
    for (int i = 0; i < test.ignored.length; i += 2) {
      if (offset >= test.ignored[i] && offset < test.ignored[i + 1]) {
        return true;
      }
    }
    return false;
  }

  private static String memory(TestCase test, MachineState expected, MachineState got) {
    for (int i = 0; i < MachineState.WINDOW_SIZE; i++) {
      int at = MachineState.WINDOW + i;
      if (expected.bytes[at] != got.bytes[at] && !ignored(test, i)) {
        int from = MachineState.WINDOW + (i & ~7);
        return values("memory window + " + (i & ~7), expected.u64(from), got.u64(from));
      }
    }
    return null;
  }

  private static String values(String what, long expected, long got) {
    return what + ": expected 0x" + Long.toHexString(expected) + ", got 0x" + Long.toHexString(got);
  }

  /** What differs from the state before, as 64-bit words. */
  static String changes(MachineState before, MachineState after) {
    StringBuilder b = new StringBuilder();
    for (int i = 0; i < MachineState.SIZE; i += 8) {
      boolean record = i >= MachineState.VECTOR && i < MachineState.XSAVE;
      if (!record && before.u64(i) != after.u64(i)) {
        b.append(String.format("%n  %s = %016x", place(i), after.u64(i)));
      }
    }
    return b.toString();
  }

  private static String place(int at) {
    if (at < MachineState.RFLAGS) {
      return RegisterNames.GENERAL.get(at / 8);
    }
    if (at < MachineState.XSAVE) {
      return "rflags";
    }
    if (at >= MachineState.WINDOW) {
      return "window+" + (at - MachineState.WINDOW);
    }
    if (at >= MachineState.YMM_HIGH) {
      return "ymm" + (at - MachineState.YMM_HIGH) / 16 + " lane " + (2 + (at >> 3 & 1));
    }
    if (at >= MachineState.XMM) {
      return "ymm" + (at - MachineState.XMM) / 16 + " lane " + (at >> 3 & 1);
    }
    if (at >= MachineState.ST) {
      return "st" + (at - MachineState.ST) / 16 + ((at & 8) != 0 ? " exponent" : "");
    }
    return "fxsave+" + (at - MachineState.XSAVE);
  }

  /** A state as text: what a person needs to run the case again. */
  static String describe(MachineState s) {
    StringBuilder b = new StringBuilder();
    for (int i = 0; i < 16; i++) {
      b.append(String.format("%s=%x ", RegisterNames.GENERAL.get(i), s.gpr(i)));
    }
    b.append(
        String.format("rflags=%x mxcsr=%x", s.u64(MachineState.RFLAGS), s.u32(MachineState.MXCSR)));
    b.append(
        String.format(
            "%n  fcw=%x fsw=%x tags=%x",
            s.u16(MachineState.FCW), s.u16(MachineState.FSW), s.u8(MachineState.TAGS)));
    for (int i = 0; i < 8; i++) {
      int at = MachineState.ST + 16 * i;
      b.append(" st").append(i).append('=').append(extended(s.u16(at + 8), s.u64(at)));
    }
    for (int i = 0; i < 16; i++) {
      if ((i & 3) == 0) {
        b.append(String.format("%n "));
      }
      b.append(
          String.format(
              " ymm%d=%016x_%016x_%016x_%016x",
              i, s.ymm(i, 3), s.ymm(i, 2), s.ymm(i, 1), s.ymm(i, 0)));
    }
    byte[] window = new byte[MachineState.WINDOW_SIZE];
    System.arraycopy(s.bytes, MachineState.WINDOW, window, 0, window.length);
    b.append(String.format("%n  window=")).append(TestCase.hex(window));
    return b.toString();
  }
}
