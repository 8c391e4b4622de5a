package org.hypergraft.vmm.cpu.system;

import java.util.Arrays;
import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.cpu.Flags;

/** Processor state after INIT (Intel SDM vol. 3 table 10-1) and after a start-up message. */
public final class Reset {
  /** Reserved bits of DR6 and DR7 that read as one. */
  private static final long DR6 = 0xffff_0ff0L;

  private static final long DR7 = 0x400;

  /** Real-mode segments: present, accessed, writable or readable; limit 64 KiB. */
  private static final int CODE = 0x9b;

  private static final int DATA = 0x93;
  private static final int LDT = 0x82;
  private static final int BUSY_TASK = 0x8b;
  private static final int LIMIT = 0xffff;

  /** Bits of CR0 that INIT keeps. */
  private static final long CR0_KEPT = ControlRegisters.CR0_CD | ControlRegisters.CR0_NW;

  private static final long RESET_IP = 0xfff0;
  private static final int RESET_CS = 0xf000;
  private static final long RESET_CS_BASE = 0xffff_0000L;

  private Reset() {}

  /**
   * INIT: real mode at the reset vector. FPU, SSE, most model-specific registers, the time-stamp
   * counter and what caches hold stay; translations go.
   *
   * @param signature EAX of CPUID leaf 1, found in EDX
   */
  public static void init(Cpu c, int signature) {
    Arrays.fill(c.r, 0);
    c.r[Cpu.RDX] = signature & 0xffff_ffffL;
    Flags.set(c, 2);
    for (int s = 0; s < c.sel.length; s++) {
      segment(c, s, 0, 0);
    }
    segment(c, Cpu.CS, RESET_CS, RESET_CS_BASE);
    c.rip = RESET_IP;
    c.gdtBase = 0;
    c.gdtLimit = LIMIT;
    c.idtBase = 0;
    c.idtLimit = LIMIT;
    c.ldtSel = 0;
    c.ldtBase = 0;
    c.ldtLimit = LIMIT;
    c.ldtAttr = LDT;
    c.trSel = 0;
    c.trBase = 0;
    c.trLimit = LIMIT;
    c.trAttr = BUSY_TASK;
    c.cr0 = ControlRegisters.CR0_ET | c.cr0 & CR0_KEPT;
    c.cr2 = 0;
    c.cr3 = 0;
    c.cr4 = 0;
    c.cr8 = 0;
    c.efer = 0;
    Arrays.fill(c.dr, 0);
    c.dr[6] = DR6;
    c.dr[7] = DR7;
    c.cpl = 0;
    c.halted = false;
    c.shutdown = false;
    c.nmiPending = false;
    c.nmiBlocked = false;
    c.shadowEnd = 0;
    // cannot fail: no page-directory pointers are loaded without paging
    c.mmu.control(c.cr0, 0, 0, 0);
    c.debug.traps = 0;
    c.debug.heldUntil = 0;
    c.debug.load(c);
    c.mmu.privilege(0, false);
    c.updateMode();
  }

  /** Power-on of a processor that waits for its start-up message: as INIT, caches disabled. */
  public static void powerOn(Cpu c, int signature) {
    c.cr0 = CR0_KEPT;
    init(c, signature);
  }

  /**
   * Start-up message after INIT: real mode at the start of a page.
   *
   * @param vector page number, 0-255
   */
  public static void startUp(Cpu c, int vector) {
    segment(c, Cpu.CS, vector << 8, (long) vector << 12);
    c.rip = 0;
    c.updateMode();
  }

  private static void segment(Cpu c, int s, int selector, long base) {
    c.sel[s] = selector;
    c.segBase[s] = base;
    c.segLimit[s] = LIMIT;
    c.segAttr[s] = s == Cpu.CS ? CODE : DATA;
  }
}
