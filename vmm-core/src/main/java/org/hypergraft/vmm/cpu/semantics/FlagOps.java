package org.hypergraft.vmm.cpu.semantics;

import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.cpu.Flags;
import org.hypergraft.vmm.cpu.interpret.Op;
import org.hypergraft.vmm.cpu.interpret.Stack;
import org.hypergraft.vmm.mmu.GuestFault;

/** Instructions on the flags register itself, and the interrupt flag. */
public final class FlagOps {
  private static final int AH_FLAGS = Flags.SF | Flags.ZF | Flags.AF | Flags.PF | Flags.CF;

  private FlagOps() {}

  public static void clc(Cpu c, Op op) {
    Flags.setCarry(c, false);
  }

  public static void stc(Cpu c, Op op) {
    Flags.setCarry(c, true);
  }

  public static void cmc(Cpu c, Op op) {
    Flags.setCarry(c, !Flags.carry(c));
  }

  public static void cld(Cpu c, Op op) {
    c.sysFlags &= ~Flags.DF;
  }

  public static void std(Cpu c, Op op) {
    c.sysFlags |= Flags.DF;
  }

  public static void lahf(Cpu c, Op op) {
    long ah = (Flags.status(c) & AH_FLAGS) | Flags.RESERVED_ONE;
    c.r[Cpu.RAX] = (c.r[Cpu.RAX] & ~0xff00L) | ah << 8;
  }

  public static void sahf(Cpu c, Op op) {
    int ah = (int) (c.r[Cpu.RAX] >>> 8) & AH_FLAGS;
    Flags.setStatus(c, (Flags.status(c) & Flags.OF) | ah);
  }

  /** SALC, undocumented: AL = CF ? FF : 0. */
  public static void salc(Cpu c, Op op) {
    c.r[Cpu.RAX] = (c.r[Cpu.RAX] & ~0xffL) | (Flags.carry(c) ? 0xff : 0);
  }

  private static void checkInterruptFlagAccess(Cpu c) {
    if (c.cpl > c.iopl()) {
      throw GuestFault.of(GuestFault.GP, 0);
    }
  }

  public static void cli(Cpu c, Op op) {
    checkInterruptFlagAccess(c);
    c.sysFlags &= ~Flags.IF;
  }

  /**
   * STI. Interrupts stay held back for one more instruction.
   *
   * @return whether the block may go on: nothing is waiting
   */
  public static boolean sti(Cpu c, Op op) {
    checkInterruptFlagAccess(c);
    if ((c.sysFlags & Flags.IF) != 0) {
      return true;
    }
    c.sysFlags |= Flags.IF;
    inhibit(c, op);
    return !c.interrupts.pending();
  }

  /** Holds interrupts back until the instruction after {@code op} has retired. */
  public static void inhibit(Cpu c, Op op) {
    // retired so far without this instruction: retired() + block's share not yet done
    c.shadowEnd = c.retired() - op.rem + 2;
  }

  public static void pushf(Cpu c, Op op) {
    if ((c.sysFlags & Flags.VM) != 0 && c.iopl() < 3) {
      throw GuestFault.of(GuestFault.GP, 0);
    }
    Stack.push(c, op.size, Flags.get(c) & ~(Flags.VM | Flags.RF));
  }

  /**
   * POPF: IOPL changes only at CPL 0, IF only at CPL up to IOPL, VM, VIF, VIP never.
   *
   * @return whether the block may go on
   */
  public static boolean popf(Cpu c, Op op) {
    boolean vm86 = (c.sysFlags & Flags.VM) != 0;
    if (vm86 && c.iopl() < 3) {
      throw GuestFault.of(GuestFault.GP, 0);
    }
    int mask = Flags.STATUS | Flags.TF | Flags.DF | Flags.NT | Flags.AC | Flags.ID;
    if (c.cpl == 0) {
      mask |= Flags.IOPL;
    }
    if (c.cpl <= c.iopl()) {
      mask |= Flags.IF;
    }
    if (op.size == 2) {
      mask &= 0xffff;
    }
    int value = (int) Stack.pop(c, op.size);
    int before = c.sysFlags;
    // RF is cleared, the rest kept
    Flags.set(c, (Flags.get(c) & ~mask & ~Flags.RF) | (value & mask));
    int changed = before ^ c.sysFlags;
    if ((changed & Flags.AC) != 0) {
      c.mmu.privilege(c.cpl, (c.sysFlags & Flags.AC) != 0);
    }
    if ((c.sysFlags & Flags.TF) != 0) {
      return false;
    }
    return (changed & c.sysFlags & Flags.IF) == 0 || !c.interrupts.pending();
  }
}
