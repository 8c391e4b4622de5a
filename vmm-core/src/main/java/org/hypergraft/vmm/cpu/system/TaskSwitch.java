package org.hypergraft.vmm.cpu.system;

import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.cpu.DebugState;
import org.hypergraft.vmm.cpu.Flags;
import org.hypergraft.vmm.mmu.GuestFault;

/**
 * Hardware task switches of 32-bit protected mode (Intel SDM vol. 3 section 7.3): far JMP and CALL
 * to a TSS or task gate, task gates in the IDT, and IRET with NT set. 32-bit kernels use one for
 * double faults.
 */
final class TaskSwitch {
  /** What switches tasks: decides busy flags, the back link and NT. */
  enum Cause {
    JUMP,
    /** CALL, exception or interrupt. */
    CALL,
    RETURN
  }

  // Offsets in a 32-bit TSS, SDM vol. 3 figure 7-2.
  private static final int CR3 = 28;
  private static final int EIP = 32;
  private static final int EFLAGS = 36;
  private static final int EAX = 40;
  private static final int ES = 72;
  private static final int LDT = 96;
  private static final int TRAP = 100;

  /** Smallest limits. */
  private static final int LIMIT32 = 0x67;

  private static final int LIMIT16 = 0x2b;

  // Offsets in a 16-bit TSS, figure 7-10.
  private static final int IP16 = 14;
  private static final int FLAGS16 = 16;
  private static final int AX16 = 18;
  private static final int ES16 = 34;
  private static final int LDT16 = 42;

  private TaskSwitch() {}

  static void throughGate(Cpu c, Descriptor gate, Cause cause) {
    int selector = gate.gateSelector();
    int bad = selector & Descriptors.INDEX;
    if ((selector & 4) != 0) {
      throw GuestFault.of(GuestFault.GP, bad);
    }
    Descriptor d = Descriptors.read(c, selector, GuestFault.GP);
    if (d.segment() || d.type() != Descriptor.TSS && d.type() != Descriptor.TSS16) {
      throw GuestFault.of(GuestFault.GP, bad);
    }
    to(c, selector, FarTransfer.present(selector, d), cause);
  }

  /** IRET with NT set: back to the task named by the back link. */
  static void back(Cpu c) {
    int selector = (int) Descriptors.readSystem(c, c.trBase, 2);
    if ((selector & 4) != 0) {
      throw GuestFault.of(GuestFault.TS, selector & Descriptors.INDEX);
    }
    Descriptor d = Descriptors.read(c, selector, GuestFault.TS);
    if (d.segment() || d.type() != Descriptor.TSS_BUSY && d.type() != Descriptor.TSS16_BUSY) {
      throw GuestFault.of(GuestFault.TS, selector & Descriptors.INDEX);
    }
    to(c, selector, FarTransfer.present(selector, d), Cause.RETURN);
  }

  /**
   * Switches to a checked TSS.
   *
   * @throws GuestFault before the switch for a bad TSS, or in the new task's context for bad
   *     segments in it
   */
  static void to(Cpu c, int selector, Descriptor d, Cause cause) {
    // a TSS in a device window or under a data breakpoint is no reason to restart half-way
    boolean exact = c.mmu.exact;
    int traps = c.debug.traps;
    c.mmu.exact = true;
    try {
      change(c, selector, d, cause);
    } finally {
      c.mmu.exact = exact;
      c.debug.traps = traps | c.debug.traps & DebugState.BT;
    }
  }

  private static void change(Cpu c, int selector, Descriptor d, Cause cause) {
    boolean wide = (d.type() & 8) != 0;
    long limit = d.limit() & 0xffff_ffffL;
    if (limit < (wide ? LIMIT32 : LIMIT16)) {
      throw GuestFault.of(GuestFault.TS, selector & Descriptors.INDEX);
    }
    long base = d.base() & 0xffff_ffffL;
    int oldSelector = c.trSel;
    boolean oldWide = (c.trAttr & 8) != 0;
    // Read all of the new state first, so that page faults come before anything changes.
    State next = State.read(c, base, wide);
    if (cause != Cause.CALL && !Descriptors.isNull(oldSelector)) {
      Descriptor old = Descriptors.lookup(c, oldSelector);
      if (old != null) {
        Descriptors.clearBusy(c, oldSelector, old);
      }
    }
    int flags = Flags.get(c);
    if (cause == Cause.RETURN) {
      flags &= ~Flags.NT;
    }
    save(c, oldWide, flags);
    if (cause == Cause.CALL) {
      Descriptors.writeSystem(c, base, 2, oldSelector);
    }
    Descriptor busy = d;
    if (cause != Cause.RETURN) {
      busy = Descriptors.setTypeBits(c, selector, d, 2);
    }
    c.trSel = selector & 0xffff;
    c.trBase = base;
    c.trLimit = d.limit();
    c.trAttr = busy.attr();
    c.cr0 |= Cpu.CR0_TS;
    DebugRegisters.leaveTask(c);
    if (next.trap) {
      c.debug.traps |= DebugState.BT;
    }
    next.load(c, wide, cause == Cause.CALL);
  }

  private static void save(Cpu c, boolean wide, int flags) {
    int size = wide ? 4 : 2;
    int registers = wide ? EAX : AX16;
    Descriptors.writeSystem(c, c.trBase + (wide ? EIP : IP16), size, c.rip);
    Descriptors.writeSystem(c, c.trBase + (wide ? EFLAGS : FLAGS16), size, flags);
    for (int i = 0; i < 8; i++) {
      Descriptors.writeSystem(c, c.trBase + registers + i * size, size, c.r[i]);
    }
    for (int i = 0; i < (wide ? 6 : 4); i++) {
      Descriptors.writeSystem(c, c.trBase + (wide ? ES : ES16) + i * size, 2, c.sel[i]);
    }
  }

  /** What a TSS holds. */
  private record State(
      long cr3, long ip, int flags, long[] registers, int[] selectors, int ldt, boolean trap) {
    static State read(Cpu c, long base, boolean wide) {
      int size = wide ? 4 : 2;
      long[] registers = new long[8];
      int[] selectors = new int[6];
      for (int i = 0; i < 8; i++) {
        registers[i] = Descriptors.readSystem(c, base + (wide ? EAX : AX16) + i * size, size);
      }
      for (int i = 0; i < (wide ? 6 : 4); i++) {
        selectors[i] = (int) Descriptors.readSystem(c, base + (wide ? ES : ES16) + i * size, 2);
      }
      return new State(
          wide ? Descriptors.readSystem(c, base + CR3, 4) : -1,
          Descriptors.readSystem(c, base + (wide ? EIP : IP16), size),
          (int) Descriptors.readSystem(c, base + (wide ? EFLAGS : FLAGS16), size),
          registers,
          selectors,
          (int) Descriptors.readSystem(c, base + (wide ? LDT : LDT16), 2),
          wide && (Descriptors.readSystem(c, base + TRAP, 2) & 1) != 0);
    }

    void load(Cpu c, boolean wide, boolean nested) {
      if (wide && (c.cr0 & Cpu.CR0_PG) != 0 && cr3 != c.cr3) {
        if (!c.mmu.cr3(cr3)) {
          throw GuestFault.of(GuestFault.GP, 0);
        }
        c.cr3 = cr3;
      }
      c.rip = ip;
      Flags.set(c, flags | (nested ? Flags.NT : 0));
      for (int i = 0; i < 8; i++) {
        c.r[i] = wide ? registers[i] : c.r[i] & 0xffff_0000L | registers[i];
      }
      // All registers hold the new selectors before any is checked: faults see the new task.
      c.cpl = 0;
      boolean v8086 = (flags & Flags.VM) != 0;
      for (int i = 0; i < 6; i++) {
        if (v8086) {
          Segments.loadReal(c, i, selectors[i]);
        } else {
          Segments.setNull(c, i, selectors[i]);
        }
      }
      loadLdt(c);
      if (v8086) {
        c.cpl = 3;
      } else {
        loadSegments(c);
      }
      Segments.settle(c);
    }

    private void loadLdt(Cpu c) {
      TableRegisters.clearLdt(c, ldt);
      if (!Descriptors.isNull(ldt)) {
        Descriptor d = (ldt & 4) != 0 ? null : Descriptors.lookup(c, ldt);
        if (d == null || d.segment() || d.type() != Descriptor.LDT || !d.present()) {
          throw GuestFault.of(GuestFault.TS, ldt & Descriptors.INDEX);
        }
        TableRegisters.setLdt(c, ldt, d);
      }
    }

    private void loadSegments(Cpu c) {
      int cs = selectors[Cpu.CS];
      int rpl = cs & 3;
      if (Descriptors.isNull(cs)) {
        throw GuestFault.of(GuestFault.TS, 0);
      }
      Descriptor code = Descriptors.read(c, cs, GuestFault.TS);
      boolean ok =
          code.segment()
              && code.code()
              && (code.conforming() ? code.dpl() <= rpl : code.dpl() == rpl);
      if (!ok) {
        throw GuestFault.of(GuestFault.TS, cs & Descriptors.INDEX);
      }
      FarTransfer.present(cs, code);
      int ss = selectors[Cpu.SS];
      if (Descriptors.isNull(ss)) {
        throw GuestFault.of(GuestFault.TS, 0);
      }
      Descriptor stack = Segments.checkStack(c, ss, rpl, GuestFault.TS, GuestFault.TS);
      c.cpl = rpl;
      Segments.setCode(c, cs, rpl, Descriptors.markAccessed(c, cs, code));
      Segments.set(c, Cpu.SS, ss, Descriptors.markAccessed(c, ss, stack));
      for (int seg : new int[] {Cpu.ES, Cpu.DS, Cpu.FS, Cpu.GS}) {
        int s = selectors[seg];
        if (!Descriptors.isNull(s)) {
          Segments.set(
              c, seg, s, Descriptors.markAccessed(c, s, Segments.checkData(c, s, GuestFault.TS)));
        }
      }
      if (Long.compareUnsigned(ip, code.limit() & 0xffff_ffffL) > 0) {
        throw GuestFault.of(GuestFault.GP, 0);
      }
    }
  }
}
