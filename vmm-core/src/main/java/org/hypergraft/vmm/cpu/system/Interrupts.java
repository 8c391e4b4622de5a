package org.hypergraft.vmm.cpu.system;

import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.cpu.DebugState;
import org.hypergraft.vmm.cpu.ExceptionDelivery;
import org.hypergraft.vmm.cpu.Flags;
import org.hypergraft.vmm.cpu.interpret.Op;
import org.hypergraft.vmm.mmu.GuestFault;

/**
 * Delivery of exceptions and interrupts through gates or the real-mode vector table (Intel SDM vol.
 * 3 chapter 6; vol. 2 INT n). Nothing but memory below the stack pointer changes before every check
 * has passed, so a fault during delivery leaves the interrupted state intact.
 */
public final class Interrupts implements ExceptionDelivery {
  /** Where an event comes from: decides the gate's privilege check and the EXT bit. */
  private enum Source {
    /** Exception, external interrupt, NMI, INT1. */
    HARDWARE,
    /** INT n, INT3, INTO. */
    SOFTWARE
  }

  /** Error code bit: the selector part indexes the IDT. */
  private static final int IDT = 2;

  /** Faults by vector: the saved image has RF set (SDM vol. 3 section 17.3.1.1). */
  private static final int FAULTS =
      bit(GuestFault.DE)
          | bit(GuestFault.BR)
          | bit(GuestFault.UD)
          | bit(GuestFault.NM)
          | bit(GuestFault.TS)
          | bit(GuestFault.NP)
          | bit(GuestFault.SS)
          | bit(GuestFault.GP)
          | bit(GuestFault.PF)
          | bit(GuestFault.MF)
          | bit(GuestFault.AC)
          | bit(GuestFault.XM)
          | bit(GuestFault.CP);

  /** SDM vol. 3 table 6-4. */
  private static final int CONTRIBUTORY =
      bit(GuestFault.DE)
          | bit(GuestFault.TS)
          | bit(GuestFault.NP)
          | bit(GuestFault.SS)
          | bit(GuestFault.GP)
          | bit(GuestFault.CP);

  private static int bit(int vector) {
    return 1 << vector;
  }

  private static boolean in(int set, int vector) {
    return vector < 32 && (set & 1 << vector) != 0;
  }

  @Override
  public boolean exception(Cpu c, int vector, int errorCode, long address) {
    return deliverAll(c, vector, errorCode, address, true);
  }

  @Override
  public boolean interrupt(Cpu c, int vector) {
    c.halted = false;
    return deliverAll(c, vector, GuestFault.NO_ERROR_CODE, 0, false);
  }

  /** Delivers an event and whatever exceptions its delivery raises. */
  private static boolean deliverAll(
      Cpu c, int vector, int errorCode, long address, boolean exception) {
    // Between instructions the clock is exact: a stack in a device window is no reason to restart.
    boolean exact = c.mmu.exact;
    int traps = c.debug.traps;
    c.mmu.exact = true;
    try {
      return deliverChain(c, vector, errorCode, address, exception);
    } finally {
      c.mmu.exact = exact;
      // its own accesses match no breakpoint
      c.debug.traps = traps | c.debug.traps & DebugState.BT;
    }
  }

  private static boolean deliverChain(
      Cpu c, int vector, int errorCode, long address, boolean exception) {
    int v = vector;
    int code = errorCode;
    long cr2 = address;
    boolean isException = exception;
    while (true) {
      boolean pageFault = isException && v == GuestFault.PF;
      try {
        if (pageFault) {
          c.cr2 = cr2;
        }
        boolean fault = isException && in(FAULTS, v);
        deliver(c, v, code, Source.HARDWARE, fault);
        if (isException && v == GuestFault.DB) {
          DebugRegisters.enterHandler(c);
        }
        return true;
      } catch (GuestFault f) {
        boolean secondHard = in(CONTRIBUTORY, f.vector) || f.vector == GuestFault.PF;
        boolean firstDouble = isException && v == GuestFault.DF;
        if (firstDouble && secondHard) {
          c.shutdown = true;
          return false;
        }
        boolean toDouble =
            pageFault && secondHard
                || isException && in(CONTRIBUTORY, v) && in(CONTRIBUTORY, f.vector);
        if (f.vector == GuestFault.PF) {
          c.cr2 = f.address;
        }
        cr2 = f.address;
        v = toDouble ? GuestFault.DF : f.vector;
        code = toDouble ? 0 : withExt(f, 1);
        isException = true;
      }
    }
  }

  /** Error codes made of selectors carry EXT; a page fault's does not. */
  private static int withExt(GuestFault f, int ext) {
    boolean selector = f.vector >= GuestFault.TS && f.vector <= GuestFault.GP;
    return selector ? f.errorCode | ext : f.errorCode;
  }

  // ---- Instructions that raise interrupts ------------------------------------------------------

  /** INT n; the vector is the immediate. Ends its block. */
  public static void software(Cpu c, Op op) {
    if ((c.sysFlags & Flags.VM) != 0 && c.iopl() < 3) {
      throw GuestFault.of(GuestFault.GP, 0);
    }
    raised(c, (int) op.imm & 0xff, Source.SOFTWARE);
  }

  /** Delivers what an instruction raises by itself. TF, cleared on the way, traps no more. */
  private static void raised(Cpu c, int vector, Source source) {
    boolean exact = c.mmu.exact;
    int traps = c.debug.traps & ~DebugState.BS;
    c.mmu.exact = true;
    try {
      deliver(c, vector, GuestFault.NO_ERROR_CODE, source, false);
    } finally {
      c.mmu.exact = exact;
      c.debug.traps = traps | c.debug.traps & DebugState.BT;
    }
  }

  /** INT3. */
  public static void breakpoint(Cpu c, Op op) {
    raised(c, GuestFault.BP, Source.SOFTWARE);
  }

  /** INTO. */
  public static void overflow(Cpu c, Op op) {
    if (Flags.overflow(c)) {
      raised(c, GuestFault.OF, Source.SOFTWARE);
    }
  }

  /** INT1 (ICEBP): a debug trap without the gate's privilege check and without a DR6 bit. */
  public static void iceBreakpoint(Cpu c, Op op) {
    raised(c, GuestFault.DB, Source.HARDWARE);
  }

  // ---- One event -------------------------------------------------------------------------------

  private static void deliver(Cpu c, int vector, int errorCode, Source source, boolean setRf) {
    if ((c.cr0 & Cpu.CR0_PE) == 0) {
      real(c, vector);
      return;
    }
    int ext = source == Source.HARDWARE ? 1 : 0;
    int gateCode = vector << 3 | IDT | ext;
    boolean wide = c.longMode();
    int gateSize = wide ? 16 : 8;
    if (vector * gateSize + gateSize - 1 > c.idtLimit) {
      throw GuestFault.of(GuestFault.GP, gateCode);
    }
    long at = c.idtBase + (long) vector * gateSize;
    Descriptor gate =
        new Descriptor(
            Descriptors.readSystem(c, at, 8), wide ? Descriptors.readSystem(c, at + 8, 8) : 0);
    if (gate.segment() || !gateType(gate.type(), wide)) {
      throw GuestFault.of(GuestFault.GP, gateCode);
    }
    if (source == Source.SOFTWARE && gate.dpl() < c.cpl) {
      throw GuestFault.of(GuestFault.GP, gateCode);
    }
    if (!gate.present()) {
      throw GuestFault.of(GuestFault.NP, gateCode);
    }
    if (gate.type() == Descriptor.TASK_GATE) {
      TaskSwitch.throughGate(c, gate, TaskSwitch.Cause.CALL);
      if (errorCode != GuestFault.NO_ERROR_CODE) {
        Stack s = new Stack(c);
        s.push((c.trAttr & 8) != 0 ? 4 : 2, errorCode);
        s.commit();
      }
      return;
    }
    int selector = gate.gateSelector();
    if (Descriptors.isNull(selector)) {
      throw GuestFault.of(GuestFault.GP, ext);
    }
    Descriptor code = Descriptors.lookup(c, selector);
    int bad = selector & Descriptors.INDEX | ext;
    if (code == null
        || !code.segment()
        || !code.code()
        || code.dpl() > c.cpl
        || wide && (!code.longCode() || code.big())) {
      throw GuestFault.of(GuestFault.GP, bad);
    }
    if (!code.present()) {
      throw GuestFault.of(GuestFault.NP, bad);
    }
    int image = Flags.get(c) | (setRf ? Flags.RF : 0);
    if (wide) {
      deliver64(c, gate, code, errorCode, image, ext);
    } else {
      deliver32(c, gate, code, errorCode, image, ext);
    }
  }

  private static boolean gateType(int type, boolean wide) {
    return switch (type) {
      case Descriptor.INTERRUPT_GATE, Descriptor.TRAP_GATE -> true;
      case Descriptor.INTERRUPT_GATE16, Descriptor.TRAP_GATE16, Descriptor.TASK_GATE -> !wide;
      default -> false;
    };
  }

  private static void deliver64(
      Cpu c, Descriptor gate, Descriptor code, int errorCode, int image, int ext) {
    int cpl = code.conforming() ? c.cpl : code.dpl();
    boolean inner = cpl < c.cpl;
    long rsp;
    if (gate.ist() != 0) {
      rsp = TaskState.interruptStack(c, gate.ist(), ext);
    } else if (inner) {
      rsp = TaskState.stack64(c, cpl, ext);
    } else {
      rsp = c.r[Cpu.RSP];
    }
    if (!c.mmu.canonical(gate.gateOffset())) {
      throw GuestFault.of(GuestFault.GP, ext);
    }
    Stack s = new Stack(c, rsp & -16);
    c.mmu.privilege(cpl, (c.sysFlags & Flags.AC) != 0);
    try {
      s.push(8, c.sel[Cpu.SS]);
      s.push(8, c.r[Cpu.RSP]);
      s.push(8, image & 0xffff_ffffL);
      s.push(8, c.sel[Cpu.CS]);
      s.push(8, c.rip);
      if (errorCode != GuestFault.NO_ERROR_CODE) {
        s.push(8, errorCode & 0xffff_ffffL);
      }
    } catch (GuestFault f) {
      Segments.settle(c);
      throw f;
    }
    Descriptor marked = Descriptors.markAccessed(c, gate.gateSelector(), code);
    c.cpl = cpl;
    if (inner) {
      Segments.setNull(c, Cpu.SS, cpl);
    }
    s.commit();
    finish(c, gate, marked);
  }

  private static void deliver32(
      Cpu c, Descriptor gate, Descriptor code, int errorCode, int image, int ext) {
    boolean v8086 = (c.sysFlags & Flags.VM) != 0;
    int cpl = code.conforming() ? c.cpl : code.dpl();
    if (v8086 && cpl != 0) {
      throw GuestFault.of(GuestFault.GP, gate.gateSelector() & Descriptors.INDEX | ext);
    }
    boolean inner = cpl < c.cpl;
    int size = (gate.type() & 8) != 0 ? 4 : 2;
    TaskState.Inner stack = inner ? TaskState.innerStack(c, cpl, ext) : null;
    Stack s = inner ? new Stack(c, stack.selector(), stack.descriptor(), stack.sp()) : new Stack(c);
    c.mmu.privilege(cpl, (c.sysFlags & Flags.AC) != 0);
    try {
      if (v8086) {
        s.push(size, c.sel[Cpu.GS]);
        s.push(size, c.sel[Cpu.FS]);
        s.push(size, c.sel[Cpu.DS]);
        s.push(size, c.sel[Cpu.ES]);
      }
      if (inner) {
        s.push(size, c.sel[Cpu.SS]);
        s.push(size, c.r[Cpu.RSP]);
      }
      s.push(size, image);
      s.push(size, c.sel[Cpu.CS]);
      s.push(size, c.rip);
      if (errorCode != GuestFault.NO_ERROR_CODE) {
        s.push(size, errorCode);
      }
      FarTransfer.checkTarget(c, code, gate.gateOffset());
    } catch (GuestFault f) {
      Segments.settle(c);
      throw f;
    }
    Descriptor marked = Descriptors.markAccessed(c, gate.gateSelector(), code);
    c.cpl = cpl;
    if (inner) {
      int ss = stack.selector();
      Segments.set(c, Cpu.SS, ss, Descriptors.markAccessed(c, ss, stack.descriptor()));
    }
    if (v8086) {
      for (int seg : new int[] {Cpu.ES, Cpu.DS, Cpu.FS, Cpu.GS}) {
        Segments.setNull(c, seg, 0);
      }
    }
    s.commit();
    finish(c, gate, marked);
  }

  private static void finish(Cpu c, Descriptor gate, Descriptor code) {
    Segments.setCode(c, gate.gateSelector(), c.cpl, code);
    c.rip = gate.gateOffset();
    int clear = Flags.TF | Flags.NT | Flags.RF | Flags.VM;
    if ((gate.type() & 1) == 0) {
      clear |= Flags.IF; // interrupt gate, not trap gate
    }
    c.sysFlags &= ~clear;
    Segments.settle(c);
  }

  /** SDM vol. 3 section 20.1.4. */
  private static void real(Cpu c, int vector) {
    if (vector * 4 + 3 > c.idtLimit) {
      throw GuestFault.of(GuestFault.GP, vector << 3 | IDT);
    }
    long entry = Descriptors.readSystem(c, c.idtBase + vector * 4L, 4);
    Stack s = new Stack(c);
    s.push(2, Flags.get(c));
    s.push(2, c.sel[Cpu.CS]);
    s.push(2, c.rip);
    s.commit();
    c.sysFlags &= ~(Flags.IF | Flags.TF | Flags.AC | Flags.RF);
    FarTransfer.loadRealCode(c, (int) (entry >>> 16) & 0xffff, entry & 0xffff);
  }
}
