package org.hypergraft.vmm.cpu.system;

import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.cpu.DebugState;
import org.hypergraft.vmm.cpu.Flags;
import org.hypergraft.vmm.cpu.interpret.Op;

/**
 * SYSCALL, SYSRET, SYSENTER, SYSEXIT and SWAPGS (Intel SDM vol. 2; AMD APM vol. 3 for SYSCALL
 * outside 64-bit code).
 */
public final class FastCalls {
  /** Flat code: present, execute/read, accessed, 4 GiB; with DPL 0, L or D added. */
  private static final int CODE = Segments.CODE | Cpu.ATTR_G;

  /** Flat data: present, read/write, accessed, 32-bit, 4 GiB. */
  private static final int DATA = Segments.REAL_DATA | Cpu.ATTR_G | Cpu.ATTR_DB;

  private static final int DPL3 = 3 << 5;

  /** Flags SYSRET takes from R11: all defined ones but RF and VM (SDM vol. 2, SYSRET). */
  private static final int SYSRET_FLAGS = 0x3c_7fd7;

  private FastCalls() {}

  public static void syscall(Cpu c, Op op) {
    boolean wide = c.longMode();
    if ((c.efer & Cpu.EFER_SCE) == 0 || !c.code64() && (!Features.amd(c) || c.realSegments())) {
      throw Registers.ud();
    }
    int flags = Flags.get(c) & ~Flags.RF;
    if (wide) {
      c.r[Cpu.RCX] = c.rip;
      c.r[11] = flags & 0xffff_ffffL;
      c.rip = c.code64() ? c.lstar : c.cstar;
      Flags.set(c, flags & ~(int) c.fmask);
      if ((c.sysFlags & Flags.TF) == 0) {
        c.debug.traps &= ~DebugState.BS; // masked in time
      }
    } else {
      c.r[Cpu.RCX] = c.rip & 0xffff_ffffL;
      c.rip = c.star & 0xffff_ffffL;
      Flags.set(c, flags & ~(Flags.IF | Flags.VM));
    }
    int cs = (int) (c.star >>> 32) & Descriptors.INDEX;
    c.cpl = 0;
    Segments.setFlat(c, Cpu.CS, cs, CODE | (wide ? Cpu.ATTR_L : Cpu.ATTR_DB));
    Segments.setFlat(c, Cpu.SS, cs + 8, DATA);
    Segments.settle(c);
  }

  /** SYSRET; operand size 8 returns to 64-bit code. */
  public static void sysret(Cpu c, Op op) {
    boolean wide = op.size == 8;
    if ((c.efer & Cpu.EFER_SCE) == 0 || !c.code64() && (!Features.amd(c) || c.realSegments())) {
      throw Registers.ud();
    }
    Registers.requireRing0(c);
    if (wide && !c.mmu.canonical(c.r[Cpu.RCX])) {
      throw Registers.gp();
    }
    int star = (int) (c.star >>> 48);
    if (c.longMode()) {
      Flags.set(c, (int) c.r[11] & SYSRET_FLAGS);
    } else {
      c.sysFlags |= Flags.IF;
    }
    c.rip = wide ? c.r[Cpu.RCX] : c.r[Cpu.RCX] & 0xffff_ffffL;
    int cs = wide ? star + 16 : star;
    c.cpl = 3;
    Segments.setFlat(c, Cpu.CS, cs | 3, CODE | DPL3 | (wide ? Cpu.ATTR_L : Cpu.ATTR_DB));
    Segments.setFlat(c, Cpu.SS, star + 8 | 3, DATA | DPL3);
    Segments.settle(c);
  }

  public static void sysenter(Cpu c, Op op) {
    boolean wide = c.longMode();
    if (wide && Features.amd(c)) {
      throw Registers.ud();
    }
    int cs = (int) c.sysenterCs & Descriptors.INDEX;
    if ((c.cr0 & Cpu.CR0_PE) == 0 || cs == 0) {
      throw Registers.gp();
    }
    c.sysFlags &= ~(Flags.IF | Flags.VM);
    c.r[Cpu.RSP] = wide ? c.sysenterEsp : c.sysenterEsp & 0xffff_ffffL;
    c.rip = wide ? c.sysenterEip : c.sysenterEip & 0xffff_ffffL;
    c.cpl = 0;
    Segments.setFlat(c, Cpu.CS, cs, CODE | (wide ? Cpu.ATTR_L : Cpu.ATTR_DB));
    Segments.setFlat(c, Cpu.SS, cs + 8, DATA);
    Segments.settle(c);
  }

  /** SYSEXIT; operand size 8 returns to 64-bit code. */
  public static void sysexit(Cpu c, Op op) {
    boolean wide = op.size == 8;
    if (c.longMode() && Features.amd(c)) {
      throw Registers.ud();
    }
    int base = (int) c.sysenterCs & Descriptors.INDEX;
    if ((c.cr0 & Cpu.CR0_PE) == 0 || base == 0 || c.cpl != 0) {
      throw Registers.gp();
    }
    long rip = c.r[Cpu.RDX];
    long rsp = c.r[Cpu.RCX];
    if (wide && !(c.mmu.canonical(rip) && c.mmu.canonical(rsp))) {
      throw Registers.gp();
    }
    c.rip = wide ? rip : rip & 0xffff_ffffL;
    c.r[Cpu.RSP] = wide ? rsp : rsp & 0xffff_ffffL;
    c.cpl = 3;
    int cs = base + (wide ? 32 : 16);
    Segments.setFlat(c, Cpu.CS, cs | 3, CODE | DPL3 | (wide ? Cpu.ATTR_L : Cpu.ATTR_DB));
    Segments.setFlat(c, Cpu.SS, cs + 8 | 3, DATA | DPL3);
    Segments.settle(c);
  }

  public static void swapgs(Cpu c, Op op) {
    Registers.requireRing0(c);
    long gs = c.segBase[Cpu.GS];
    c.segBase[Cpu.GS] = c.kernelGsBase;
    c.kernelGsBase = gs;
  }

  // ---- FSGSBASE: the segment is in aux ---------------------------------------------------------

  public static void readBase(Cpu c, Op op) {
    requireFsGsBase(c);
    Registers.write(c, op.d, op.size, c.segBase[op.aux]);
  }

  public static void writeBase(Cpu c, Op op) {
    requireFsGsBase(c);
    long v = op.size == 8 ? c.r[op.d] : c.r[op.d] & 0xffff_ffffL;
    if (!c.mmu.canonical(v)) {
      throw Registers.gp();
    }
    c.segBase[op.aux] = v;
  }

  private static void requireFsGsBase(Cpu c) {
    if ((c.cr4 & ControlRegisters.CR4_FSGSBASE) == 0) {
      throw Registers.ud();
    }
  }
}
