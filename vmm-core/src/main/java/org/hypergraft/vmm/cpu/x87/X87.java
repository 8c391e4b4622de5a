package org.hypergraft.vmm.cpu.x87;

import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.cpu.X87State;
import org.hypergraft.vmm.cpu.fpu.SoftFloat;
import org.hypergraft.vmm.cpu.fpu.Unpacked;
import org.hypergraft.vmm.cpu.interpret.Op;
import org.hypergraft.vmm.mmu.GuestFault;

/** The register stack, the exceptions and the checks that every x87 instruction shares. */
final class X87 {
  // Status word (Intel SDM vol. 1, 8.1.3).
  static final int STACK_FAULT = 1 << 6;
  static final int SUMMARY = 1 << 7;
  static final int C0 = 1 << 8;
  static final int C1 = 1 << 9;
  static final int C2 = 1 << 10;
  static final int C3 = 1 << 14;
  static final int BUSY = 1 << 15;

  /** IE, DE, ZE, OE, UE, PE. */
  static final int EXCEPTIONS = 0x3f;

  private static final long CR0_MP = 1 << 1;
  private static final long CR0_NE = 1 << 5;

  private X87() {}

  /** Raises #NM when the unit is not there or not ours. */
  static void available(Cpu c) {
    if ((c.cr0 & (Cpu.CR0_EM | Cpu.CR0_TS)) != 0) {
      throw GuestFault.of(GuestFault.NM);
    }
  }

  /** As {@link #available}, and delivers a pending unmasked exception first. */
  static void waiting(Cpu c) {
    available(c);
    pending(c);
  }

  /**
   * Start of an arithmetic or transfer instruction: as {@link #waiting}, and remembers where it is.
   */
  static void begin(Cpu c, Op o) {
    waiting(c);
    c.x87.instruction = o.ip();
    c.x87.instructionSelector = 0; // deprecated: CPUID.(7,0):EBX[13]
  }

  static void pending(Cpu c) {
    // Without CR0.NE the exception is an external interrupt, which no machine of ours wires.
    if ((c.x87.status & SUMMARY) != 0 && (c.cr0 & CR0_NE) != 0) {
      throw GuestFault.of(GuestFault.MF);
    }
  }

  /** FWAIT obeys CR0.TS only with CR0.MP. */
  static void waitInstruction(Cpu c) {
    if ((c.cr0 & (CR0_MP | Cpu.CR0_TS)) == (CR0_MP | Cpu.CR0_TS)) {
      throw GuestFault.of(GuestFault.NM);
    }
    pending(c);
  }

  /** The arithmetic unit, set to the control word, with no flags raised. */
  static SoftFloat unit(Cpu c) {
    SoftFloat f = c.extended;
    f.flags = 0;
    f.masks = c.x87.control & EXCEPTIONS;
    f.rounding = c.x87.control >>> 10 & 3;
    f.roundedUp = false;
    return f;
  }

  static int physical(Cpu c, int i) {
    return c.x87.top + i & 7;
  }

  static boolean empty(Cpu c, int i) {
    return (c.x87.valid >>> physical(c, i) & 1) == 0;
  }

  /** Takes ST(i) apart. */
  static void get(Cpu c, int i, Unpacked to) {
    int p = physical(c, i);
    to.from80(c.x87.signExponent[p], c.x87.significand[p]);
  }

  static void set(Cpu c, int i, int signExponent, long significand) {
    X87State s = c.x87;
    int p = physical(c, i);
    s.signExponent[p] = signExponent;
    s.significand[p] = significand;
    s.valid |= 1 << p;
  }

  static void set(Cpu c, int i, Unpacked v) {
    set(c, i, v.signExponent80(), v.to80());
  }

  static void indefinite(Cpu c, int i) {
    set(c, i, 0xffff, 3L << 62);
  }

  static void pop(Cpu c) {
    X87State s = c.x87;
    s.valid &= ~(1 << s.top);
    s.top = s.top + 1 & 7;
  }

  /**
   * Makes room for a new ST(0).
   *
   * @return false when the stack overflowed; the masked response has then been given
   */
  static boolean push(Cpu c) {
    X87State s = c.x87;
    s.status &= ~C1;
    if (!empty(c, 7)) {
      if (stackFault(c, true)) {
        s.top = s.top - 1 & 7;
        indefinite(c, 0);
      }
      return false;
    }
    s.top = s.top - 1 & 7;
    return true;
  }

  /**
   * Whether ST(i) is empty: raises a stack underflow.
   *
   * @param result the register that gets the indefinite value while invalid is masked, or -1
   */
  static boolean underflow(Cpu c, int i, int result) {
    if (!empty(c, i)) {
      return false;
    }
    if (stackFault(c, false) && result >= 0) {
      indefinite(c, result);
    }
    return true;
  }

  /** Raises a stack fault; returns whether it is masked. */
  static boolean stackFault(Cpu c, boolean overflow) {
    c.x87.status = c.x87.status & ~C1 | STACK_FAULT | (overflow ? C1 : 0);
    return raise(c, SoftFloat.INVALID);
  }

  /**
   * Adds exceptions to the status word.
   *
   * @return whether the instruction may complete: no unmasked invalid, denormal or zero-divide
   */
  static boolean raise(Cpu c, int flags) {
    X87State s = c.x87;
    int open = flags & ~s.control & EXCEPTIONS;
    int before = SoftFloat.INVALID | SoftFloat.DENORMAL | SoftFloat.DIVIDE_BY_ZERO;
    boolean go = (open & before) == 0;
    s.status |= go ? flags : flags & before;
    if (open != 0) {
      s.status |= SUMMARY;
    }
    return go;
  }

  /** Raises what {@code f} collected and sets C1 from its rounding. */
  static boolean settle(Cpu c, SoftFloat f) {
    boolean go = f.flags == 0 || raise(c, f.flags);
    c.x87.status = c.x87.status & ~C1 | (go && f.roundedUp ? C1 : 0);
    return go;
  }

  /** Significand bits of the precision control field (Intel SDM vol. 1, table 8-2). */
  static int precision(Cpu c) {
    switch (c.x87.control >>> 8 & 3) {
      case 0:
        return 24;
      case 2:
        return 53;
      default:
        return 64;
    }
  }

  /** Rounds the unit's result to the precision in force. */
  static void round(Cpu c, SoftFloat f) {
    f.round(precision(c), Unpacked.EMIN80, Unpacked.EMAX80);
  }

  /** Recomputes the summary bit after the control or status word was replaced. */
  static void resummarize(Cpu c) {
    X87State s = c.x87;
    boolean open = (s.status & ~s.control & EXCEPTIONS) != 0;
    s.status = s.status & ~(SUMMARY | BUSY) | (open ? SUMMARY : 0);
  }

  /** The status word as stored: with TOP and the busy bit. */
  static int statusWord(Cpu c) {
    X87State s = c.x87;
    int busy = (s.status & SUMMARY) != 0 ? BUSY : 0;
    return s.status & 0x47ff | busy | s.top << 11;
  }

  static void setStatusWord(Cpu c, int word) {
    c.x87.status = word & 0x47ff;
    c.x87.top = word >>> 11 & 7;
    resummarize(c);
  }

  static void setControl(Cpu c, int word) {
    // bit 6 reads as one, bits 7 and 13-15 as zero; bit 12 (infinity control) is kept
    c.x87.control = word & 0x1f7f | 0x40;
    resummarize(c);
  }

  static void init(Cpu c) {
    X87State s = c.x87;
    s.control = 0x37f;
    s.status = 0;
    s.top = 0;
    s.valid = 0;
    s.opcode = 0;
    s.instruction = 0;
    s.instructionSelector = 0;
    s.data = 0;
    s.dataSelector = 0;
  }
}
