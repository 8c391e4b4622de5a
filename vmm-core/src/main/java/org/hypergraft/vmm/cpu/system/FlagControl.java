package org.hypergraft.vmm.cpu.system;

import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.cpu.Flags;
import org.hypergraft.vmm.cpu.interpret.Op;

/** Instructions that read or change the system flags. */
public final class FlagControl {
  private FlagControl() {}

  /** CLI. */
  public static void cli(Cpu c, Op op) {
    requireIopl(c);
    c.sysFlags &= ~Flags.IF;
  }

  /**
   * STI: interrupts are looked at after one more instruction.
   *
   * @return whether none is waiting, so that the block may go on
   */
  public static boolean sti(Cpu c, Op op) {
    requireIopl(c);
    if ((c.sysFlags & Flags.IF) == 0) {
      c.sysFlags |= Flags.IF;
      SegmentOps.shadow(c, op);
    }
    return quiet(c);
  }

  private static boolean quiet(Cpu c) {
    return !c.nmiPending && !c.interrupts.pending();
  }

  /** In virtual-8086 mode IOPL must be 3, elsewhere at least the CPL; real mode always may. */
  private static void requireIopl(Cpu c) {
    boolean ok =
        (c.sysFlags & Flags.VM) != 0
            ? c.iopl() == 3
            : (c.cr0 & Cpu.CR0_PE) == 0 || c.cpl <= c.iopl();
    if (!ok) {
      throw Registers.gp();
    }
  }

  private static void requireV8086Iopl(Cpu c) {
    if ((c.sysFlags & Flags.VM) != 0 && c.iopl() < 3) {
      throw Registers.gp();
    }
  }

  /** PUSHF, PUSHFD, PUSHFQ; the image never shows VM and RF. */
  public static void pushf(Cpu c, Op op) {
    requireV8086Iopl(c);
    Stack s = new Stack(c);
    s.push(op.size, Flags.get(c) & ~(Flags.VM | Flags.RF) & 0xffff_ffffL);
    s.commit();
  }

  /**
   * POPF, POPFD, POPFQ (SDM vol. 2 table 4-16).
   *
   * @return whether the block may go on: no interrupt became deliverable, no single stepping
   */
  public static boolean popf(Cpu c, Op op) {
    requireV8086Iopl(c);
    Stack s = new Stack(c);
    int image = (int) s.pop(op.size);
    int mask = Flags.STATUS | Flags.TF | Flags.DF | Flags.NT | Flags.AC | Flags.ID;
    boolean v8086 = (c.sysFlags & Flags.VM) != 0;
    if (v8086 || c.cpl <= c.iopl()) {
      mask |= Flags.IF;
    }
    if (!v8086 && c.cpl == 0) {
      mask |= Flags.IOPL;
    }
    if (op.size == 2) {
      mask &= 0xffff;
    }
    s.commit();
    Flags.set(c, Flags.get(c) & ~mask & ~Flags.RF | image & mask);
    c.mmu.privilege(c.cpl, (c.sysFlags & Flags.AC) != 0);
    return (c.sysFlags & Flags.TF) == 0 && ((c.sysFlags & Flags.IF) == 0 || quiet(c));
  }

  /** STAC: only ring 0 may. */
  public static void stac(Cpu c, Op op) {
    setAc(c, c.sysFlags | Flags.AC);
  }

  public static void clac(Cpu c, Op op) {
    setAc(c, c.sysFlags & ~Flags.AC);
  }

  private static void setAc(Cpu c, int flags) {
    if (c.cpl != 0) {
      throw Registers.ud();
    }
    c.sysFlags = flags;
    c.mmu.privilege(c.cpl, (flags & Flags.AC) != 0);
  }
}
