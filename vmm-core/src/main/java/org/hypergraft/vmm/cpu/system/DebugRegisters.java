package org.hypergraft.vmm.cpu.system;

import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.cpu.interpret.Op;
import org.hypergraft.vmm.mmu.GuestFault;

/**
 * MOV to and from debug registers (Intel SDM vol. 3 chapter 17). Breakpoint conditions are held but
 * do not trigger.
 */
public final class DebugRegisters {
  /** DR6: single step. */
  static final long BS = 1 << 14;

  /** DR6: a debug register was accessed with DR7.GD set. */
  private static final long BD = 1 << 13;

  private static final long GD = 1 << 13;
  private static final long DR6_ONES = 0xffff_0ff0L;
  private static final long DR6_BITS = 0xe00f;
  private static final long DR7_ONES = 1 << 10;
  private static final long DR7_ZEROS = 0xd800;

  private DebugRegisters() {}

  /** MOV r, DRn; the number is in {@code s}. */
  public static void read(Cpu c, Op op) {
    int n = number(c, op.s);
    long v =
        switch (n) {
          case 6 -> c.dr[6] & DR6_BITS | DR6_ONES;
          case 7 -> c.dr[7] & 0xffff_ffffL | DR7_ONES;
          default -> c.dr[n];
        };
    c.r[op.d] = c.code64() ? v : v & 0xffff_ffffL;
  }

  /** MOV DRn, r; the number is in {@code d}. */
  public static void write(Cpu c, Op op) {
    int n = number(c, op.d);
    long v = c.code64() ? c.r[op.s] : c.r[op.s] & 0xffff_ffffL;
    if (n >= 6 && v >>> 32 != 0) {
      throw Registers.gp();
    }
    switch (n) {
      case 6 -> c.dr[6] = v & DR6_BITS;
      case 7 -> c.dr[7] = v & ~DR7_ZEROS | DR7_ONES;
      default -> c.dr[n] = v;
    }
  }

  /** Checks the access and folds DR4 and DR5 onto DR6 and DR7. */
  private static int number(Cpu c, int n) {
    if (n > 7 || (n == 4 || n == 5) && (c.cr4 & ControlRegisters.CR4_DE) != 0) {
      throw Registers.ud();
    }
    Registers.requireRing0(c);
    if ((c.dr[7] & GD) != 0) {
      c.dr[6] |= BD;
      c.dr[7] &= ~GD;
      throw GuestFault.of(GuestFault.DB);
    }
    return n == 4 || n == 5 ? n + 2 : n;
  }
}
