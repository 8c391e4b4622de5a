package org.hypergraft.vmm.cpu.semantics;

import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.cpu.Flags;
import org.hypergraft.vmm.cpu.interpret.Op;

/** Instructions on single status flags and on DF. */
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
}
