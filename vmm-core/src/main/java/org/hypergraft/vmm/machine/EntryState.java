package org.hypergraft.vmm.machine;

import org.hypergraft.vmm.boot.BootProtocol;
import org.hypergraft.vmm.boot.BootState;
import org.hypergraft.vmm.cpu.Cpu;

/** Puts a processor into the state in which a boot protocol enters the kernel. */
final class EntryState {
  private static final long CR0_ET = 1 << 4;
  private static final long CR0_NE = 1 << 5;
  private static final long CR4_PAE = 1 << 5;

  // Attributes as in descriptors: present, ring 0, 4 KiB granular; accessed or busy.
  private static final int CODE_32 = 0xc09b;
  private static final int CODE_64 = 0xa09b;
  private static final int DATA = 0xc093;
  private static final int BUSY_TASK = 0x008b;
  private static final int TASK_LIMIT = 0x67;

  /** Reset values, Intel SDM vol. 3 table 9-1. */
  private static final long DR6 = 0xffff0ff0L;

  private static final long DR7 = 0x400;

  private EntryState() {}

  static void apply(BootState state, Cpu c) {
    boolean longMode = state.protocol() == BootProtocol.LINUX64;
    c.rip = state.entry();
    c.r[state.protocol() == BootProtocol.PVH ? Cpu.RBX : Cpu.RSI] = state.bootInfo();
    c.cr0 = Cpu.CR0_PE | CR0_ET | (longMode ? Cpu.CR0_PG | CR0_NE : 0);
    c.cr3 = state.pageTables();
    c.cr4 = longMode ? CR4_PAE : 0;
    c.efer = longMode ? Cpu.EFER_LME | Cpu.EFER_LMA : 0;
    c.dr[6] = DR6;
    c.dr[7] = DR7;
    for (int s = 0; s < c.sel.length; s++) {
      c.sel[s] = s == Cpu.CS ? BootState.CODE : BootState.DATA;
      c.segBase[s] = 0;
      c.segLimit[s] = -1;
      c.segAttr[s] = s == Cpu.CS ? (longMode ? CODE_64 : CODE_32) : DATA;
    }
    c.gdtBase = state.gdt();
    c.gdtLimit = state.gdtSize() - 1;
    c.idtLimit = 0;
    c.ldtAttr = Cpu.ATTR_UNUSABLE;
    c.trSel = BootState.TASK;
    c.trLimit = TASK_LIMIT;
    c.trAttr = BUSY_TASK;
    c.cpl = 0;
    c.mmu.control(c.cr0, c.cr3, c.cr4, c.efer);
    c.mmu.privilege(0, false);
    c.updateMode();
  }
}
