package org.hypergraft.vmm.machine;

import org.hypergraft.vmm.boot.BootProtocol.Mode;
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

  // Real mode: 64 KiB segments of bytes; 256 interrupt vectors of 4 bytes.
  private static final int REAL_CODE = 0x009b;
  private static final int REAL_DATA = 0x0093;
  private static final int REAL_LIMIT = 0xffff;
  private static final int VECTORS_LIMIT = 0x3ff;

  /** Reset values, Intel SDM vol. 3 table 9-1. */
  private static final long DR6 = 0xffff0ff0L;

  private static final long DR7 = 0x400;

  private EntryState() {}

  static void apply(BootState state, Cpu c) {
    Mode mode = state.protocol().mode();
    boolean longMode = mode == Mode.LONG;
    c.rip = state.entry();
    c.cr0 = CR0_ET;
    c.cr4 = longMode ? CR4_PAE : 0;
    c.efer = longMode ? Cpu.EFER_LME | Cpu.EFER_LMA : 0;
    c.dr[6] = DR6;
    c.dr[7] = DR7;
    c.ldtAttr = Cpu.ATTR_UNUSABLE;
    c.trAttr = BUSY_TASK;
    c.trLimit = REAL_LIMIT;
    c.cpl = 0;
    if (mode == Mode.REAL) {
      realMode(state, c);
    } else {
      protectedMode(state, c);
    }
    handOver(state, c);
    c.mmu.control(c.cr0, c.cr3, c.cr4, c.efer);
    c.mmu.privilege(0, false);
    c.updateMode();
  }

  private static void protectedMode(BootState state, Cpu c) {
    boolean longMode = state.protocol().mode() == Mode.LONG;
    c.cr0 |= Cpu.CR0_PE | (longMode ? Cpu.CR0_PG | CR0_NE : 0);
    c.cr3 = state.pageTables();
    for (int s = 0; s < c.sel.length; s++) {
      c.sel[s] = s == Cpu.CS ? BootState.CODE : BootState.DATA;
      c.segBase[s] = 0;
      c.segLimit[s] = -1;
      c.segAttr[s] = s == Cpu.CS ? (longMode ? CODE_64 : CODE_32) : DATA;
    }
    c.gdtBase = state.gdt();
    c.gdtLimit = state.gdtSize() - 1;
    c.idtLimit = 0;
    c.trSel = BootState.TASK;
    c.trLimit = TASK_LIMIT;
  }

  /** Paragraphs, interrupt vectors at 0, and a stack above the data segments' content. */
  private static void realMode(BootState state, Cpu c) {
    for (int s = 0; s < c.sel.length; s++) {
      long base = s == Cpu.CS ? state.entry() : state.bootInfo();
      c.sel[s] = (int) (base >> 4);
      c.segBase[s] = base;
      c.segLimit[s] = REAL_LIMIT;
      c.segAttr[s] = s == Cpu.CS ? REAL_CODE : REAL_DATA;
    }
    c.rip = 0;
    c.gdtLimit = REAL_LIMIT;
    c.idtLimit = VECTORS_LIMIT;
    c.r[Cpu.RSP] = BootState.REAL_STACK;
  }

  private static void handOver(BootState state, Cpu c) {
    switch (state.protocol()) {
      case PVH -> c.r[Cpu.RBX] = state.bootInfo();
      case LINUX32, LINUX64, BZIMAGE32, BZIMAGE64 -> c.r[Cpu.RSI] = state.bootInfo();
      case MULTIBOOT1, MULTIBOOT2 -> {
        c.r[Cpu.RAX] = state.magic();
        c.r[Cpu.RBX] = state.bootInfo();
      }
      case BZIMAGE16 -> {} // all in the setup header
    }
  }
}
