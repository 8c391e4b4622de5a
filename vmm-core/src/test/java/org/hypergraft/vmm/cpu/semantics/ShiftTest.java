package org.hypergraft.vmm.cpu.semantics;

import static org.hypergraft.vmm.cpu.semantics.Semantics.SIZES;
import static org.hypergraft.vmm.cpu.semantics.Semantics.VALUES;
import static org.hypergraft.vmm.cpu.semantics.Semantics.bit;
import static org.hypergraft.vmm.cpu.semantics.Semantics.mask;
import static org.junit.jupiter.api.Assertions.assertEquals;

import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.cpu.Flags;
import org.junit.jupiter.api.Test;

/** Shifts and rotates against one-bit steps, as the manual defines them. */
class ShiftTest {
  private static final String[] NAMES = {"shl", "shr", "sar", "rol", "ror", "rcl", "rcr"};

  /** One step of a shift by one: value and CF. */
  private record Step(long value, boolean carry) {
    Step next(String name, int size) {
      boolean top = bit(value, size - 1);
      boolean bottom = bit(value, 0);
      long left = value << 1 & mask(size);
      long right = value >>> 1;
      long sign = 1L << (size - 1);
      return switch (name) {
        case "shl" -> new Step(left, top);
        case "shr" -> new Step(right, bottom);
        case "sar" -> new Step(top ? right | sign : right, bottom);
        case "rol" -> new Step(left | (top ? 1 : 0), top);
        case "ror" -> new Step(bottom ? right | sign : right, bottom);
        case "rcl" -> new Step(left | (carry ? 1 : 0), top);
        default -> new Step(carry ? right | sign : right, bottom);
      };
    }
  }

  @Test
  void everyCountMatchesRepeatedSingleSteps() {
    for (String name : NAMES) {
      for (int size : SIZES) {
        for (long a : VALUES) {
          for (int count = 0; count < 66; count++) {
            for (int carry = 0; carry <= 1; carry++) {
              check(name, size, a, count, carry != 0);
            }
          }
        }
      }
    }
  }

  private static void check(String name, int size, long a, int count, boolean carry) {
    int before = (carry ? Flags.CF : 0) | Flags.AF | Flags.PF;
    Cpu c = Semantics.cpu(before);
    long got = Semantics.call(Shift.class, name + size, c, a, count);
    int n = count & (size == 64 ? 63 : 31);
    Step s = new Step(a & mask(size), carry);
    for (int i = 0; i < n; i++) {
      s = s.next(name, size);
    }
    String what = name + size + " " + Long.toHexString(a) + " by " + count;
    assertEquals(s.value, got, what);
    if (n == 0) {
      assertEquals(before, Flags.status(c), what);
      return;
    }
    int flags = Flags.status(c);
    assertEquals(s.carry, bit(flags, 0), what + ": CF");
    if (n == 1) {
      boolean overflow =
          name.equals("shl") || name.equals("rol") || name.equals("rcl")
              ? bit(s.value, size - 1) != s.carry
              : bit(s.value, size - 1) != bit(s.value, size - 2);
      overflow &= !name.equals("sar");
      assertEquals(overflow, (flags & Flags.OF) != 0, what + ": OF");
    }
    boolean rotate = name.charAt(0) == 'r';
    int rest = Flags.ZF | Flags.SF | Flags.PF;
    assertEquals(rotate ? before & rest : Semantics.resultFlags(s.value, size), flags & rest, what);
  }

  @Test
  void doubleShiftsMatchTheConcatenation() {
    for (int size : new int[] {16, 32, 64}) {
      for (long a : VALUES) {
        for (long b : VALUES) {
          // counts above the size are undefined for 16 bits
          for (int n = 1; n < size; n++) {
            if (size == 64 || n < 32) {
              doubles(size, a & mask(size), b & mask(size), n);
            }
          }
        }
      }
    }
  }

  private static void doubles(int size, long a, long b, int n) {
    Cpu c = Semantics.cpu(0);
    long left = (a << n | b >>> (size - n)) & mask(size);
    assertEquals(left, Semantics.call(Shift.class, "shld" + size, c, a, b, n));
    assertEquals(bit(a, size - n), bit(Flags.status(c), 0));
    assertEquals(Semantics.resultFlags(left, size), Flags.status(c) & ~(Flags.CF | Flags.OF));
    c = Semantics.cpu(0);
    long right = (a >>> n | b << (size - n)) & mask(size);
    assertEquals(right, Semantics.call(Shift.class, "shrd" + size, c, a, b, n));
    assertEquals(bit(a, n - 1), bit(Flags.status(c), 0));
    assertEquals(Semantics.resultFlags(right, size), Flags.status(c) & ~(Flags.CF | Flags.OF));
  }
}
