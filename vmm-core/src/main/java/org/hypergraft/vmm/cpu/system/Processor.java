package org.hypergraft.vmm.cpu.system;

import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.cpu.interpret.Op;
import org.hypergraft.vmm.mmu.Mmu;

/** CPUID, HLT, TLB and cache maintenance, hypercalls and what is always undefined. */
public final class Processor {
  private Processor() {}

  public static void cpuid(Cpu c, Op op) {
    int[] out = new int[4];
    c.platform.executesCpuid(c, (int) c.r[Cpu.RAX]);
    c.platform.cpuid(c, (int) c.r[Cpu.RAX], (int) c.r[Cpu.RCX], out);
    c.r[Cpu.RAX] = out[0] & 0xffff_ffffL;
    c.r[Cpu.RBX] = out[1] & 0xffff_ffffL;
    c.r[Cpu.RCX] = out[2] & 0xffff_ffffL;
    c.r[Cpu.RDX] = out[3] & 0xffff_ffffL;
  }

  public static void hlt(Cpu c, Op op) {
    Registers.requireRing0(c);
    c.halted = true;
  }

  /**
   * PAUSE: the processor spins. After a number of them it asks to give way.
   *
   * @return whether it goes on
   */
  public static boolean pause(Cpu c, Op op) {
    if (--c.spins != 0) {
      return true;
    }
    c.exitRequested = true;
    return false;
  }

  /** INVLPG: the operand's address is used, its memory is not accessed. */
  public static void invlpg(Cpu c, Op op) {
    Registers.requireRing0(c);
    long la = c.code64() ? op.offset(c) + fsGs(c, op) : c.segBase[op.seg] + op.offset(c);
    if (!c.longMode()) {
      la &= 0xffff_ffffL;
    }
    if (c.mmu.canonical(la)) {
      c.mmu.flushPage(la);
    }
  }

  private static long fsGs(Cpu c, Op op) {
    return op.seg >= Cpu.FS ? c.segBase[op.seg] : 0;
  }

  /** INVPCID (SDM vol. 2). The TLB is not tagged by PCID, so it may forget more than asked. */
  public static void invpcid(Cpu c, Op op) {
    Registers.requireRing0(c);
    long type = c.code64() ? c.r[op.d] : c.r[op.d] & 0xffff_ffffL;
    long la = op.address(c);
    long pcid = c.mmu.read64(la);
    long target = c.mmu.read64(la + 8);
    boolean pcidUsed = type == 0 || type == 1;
    boolean bad =
        type < 0
            || type > 3
            || pcidUsed && (pcid >>> 12 != 0 || pcid != 0 && (c.cr4 & Mmu.CR4_PCIDE) == 0)
            || type == 0 && !c.mmu.canonical(target);
    if (bad) {
      throw Registers.gp();
    }
    switch ((int) type) {
      case 0 -> c.mmu.flushPage(target);
      case 2 -> c.mmu.flushAll();
      default -> c.mmu.flushNonGlobal();
    }
  }

  /** INVD, WBINVD, WBNOINVD: caches are not modelled, only the privilege is. */
  public static void cacheControl(Cpu c, Op op) {
    Registers.requireRing0(c);
  }

  /** VMCALL. */
  public static void vmcall(Cpu c, Op op) {
    hypercall(c, false);
  }

  /** VMMCALL. */
  public static void vmmcall(Cpu c, Op op) {
    hypercall(c, true);
  }

  private static void hypercall(Cpu c, boolean amd) {
    if (!c.platform.hypercall(c, amd)) {
      throw Registers.ud();
    }
  }

  public static void undefined(Cpu c, Op op) {
    throw Registers.ud();
  }
}
