package org.hypergraft.vmm.cpu.system;

import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.cpu.DebugState;
import org.hypergraft.vmm.cpu.interpret.Op;
import org.hypergraft.vmm.mmu.GuestFault;

/** MOV to and from debug registers (Intel SDM vol. 3, 18.2). */
public final class DebugRegisters {
  private static final long GD = 1 << 13;
  private static final long DR6_ONES = 0xffff_0ff0L;
  private static final long DR6_BITS = 0xe00f;
  private static final long DR7_ONES = 1 << 10;
  private static final long DR7_ZEROS = 0xd800;

  /** DR7: breakpoints of the current task, L0-L3 and LE. */
  private static final long LOCAL = 0x155;

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

  /** MOV DRn, r; the number is in {@code d}. Ends its block. */
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
    if (n != 6) {
      c.debug.load(c);
    }
  }

  /** A task switch ends what was set for the task alone. */
  static void leaveTask(Cpu c) {
    if ((c.dr[7] & LOCAL) != 0) {
      c.dr[7] &= ~LOCAL;
      c.debug.load(c);
    }
  }

  /** The handler of a debug exception may use the registers. */
  static void enterHandler(Cpu c) {
    c.dr[7] &= ~GD;
  }

  /** Checks the access and folds DR4 and DR5 onto DR6 and DR7. */
  private static int number(Cpu c, int n) {
    if (n > 7 || (n == 4 || n == 5) && (c.cr4 & ControlRegisters.CR4_DE) != 0) {
      throw Registers.ud();
    }
    Registers.requireRing0(c);
    if ((c.dr[7] & GD) != 0) {
      c.dr[6] |= DebugState.BD;
      throw GuestFault.of(GuestFault.DB);
    }
    return n == 4 || n == 5 ? n + 2 : n;
  }
}
