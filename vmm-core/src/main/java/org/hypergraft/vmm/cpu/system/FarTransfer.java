package org.hypergraft.vmm.cpu.system;

import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.cpu.Flags;
import org.hypergraft.vmm.cpu.interpret.Op;
import org.hypergraft.vmm.mmu.GuestFault;
import org.hypergraft.vmm.mmu.MmioRestart;

/**
 * Far JMP, CALL and RET in every mode, call gates included (Intel SDM vol. 2, CALL, JMP and RET;
 * vol. 3 section 5.8). The ops end their block; {@code c.rip} is the next instruction when they
 * start.
 */
public final class FarTransfer {
  private FarTransfer() {}

  /** JMP ptr16:16/32: offset in {@code imm}, selector in {@code disp}. */
  public static void jumpPointer(Cpu c, Op op) {
    jump(c, (int) op.disp & 0xffff, op.imm, op.size);
  }

  public static void jumpMemory(Cpu c, Op op) {
    long la = op.address(c);
    long offset = read(c, la, op.size);
    jump(c, (int) c.mmu.read16(la + op.size), offset, op.size);
  }

  /** CALL ptr16:16/32: offset in {@code imm}, selector in {@code disp}. */
  public static void callPointer(Cpu c, Op op) {
    call(c, (int) op.disp & 0xffff, op.imm, op.size);
  }

  public static void callMemory(Cpu c, Op op) {
    long la = op.address(c);
    long offset = read(c, la, op.size);
    call(c, (int) c.mmu.read16(la + op.size), offset, op.size);
  }

  /** RETF and RETF imm16. */
  public static void ret(Cpu c, Op op) {
    ret(c, op.size, op.imm & 0xffff);
  }

  private static long read(Cpu c, long la, int size) {
    return switch (size) {
      case 2 -> c.mmu.read16(la);
      case 4 -> c.mmu.read32(la);
      default -> c.mmu.read64(la);
    };
  }

  static void jump(Cpu c, int selector, long offset, int size) {
    long to = cut(offset, size);
    if (c.realSegments()) {
      checkLimit(to, c.segLimit[Cpu.CS]);
      loadRealCode(c, selector, to);
      return;
    }
    Descriptor d = target(c, selector);
    if (d.segment()) {
      checkDirect(c, selector, d);
      enter(c, selector, d, to);
      return;
    }
    checkGate(c, selector, d);
    switch (d.type()) {
      case Descriptor.CALL_GATE, Descriptor.CALL_GATE16 -> {
        int code = d.gateSelector();
        Descriptor t = gateTarget(c, d);
        if (t.conforming() ? t.dpl() > c.cpl : t.dpl() != c.cpl) {
          throw GuestFault.of(GuestFault.GP, code & Descriptors.INDEX);
        }
        enter(c, code, present(code, t), d.gateOffset());
      }
      case Descriptor.TASK_GATE -> TaskSwitch.throughGate(c, d, TaskSwitch.Cause.JUMP);
      default -> TaskSwitch.to(c, selector, d, TaskSwitch.Cause.JUMP);
    }
  }

  static void call(Cpu c, int selector, long offset, int size) {
    long to = cut(offset, size);
    if (c.realSegments()) {
      checkLimit(to, c.segLimit[Cpu.CS]);
      Stack s = new Stack(c);
      s.push(size, c.sel[Cpu.CS]);
      s.push(size, c.rip);
      s.commit();
      loadRealCode(c, selector, to);
      return;
    }
    Descriptor d = target(c, selector);
    if (d.segment()) {
      checkDirect(c, selector, d);
      Stack s = new Stack(c);
      s.push(size, c.sel[Cpu.CS]);
      s.push(size, c.rip);
      enter(c, selector, d, to);
      s.commit();
      return;
    }
    checkGate(c, selector, d);
    switch (d.type()) {
      case Descriptor.CALL_GATE, Descriptor.CALL_GATE16 -> callGate(c, d);
      case Descriptor.TASK_GATE -> TaskSwitch.throughGate(c, d, TaskSwitch.Cause.CALL);
      default -> TaskSwitch.to(c, selector, d, TaskSwitch.Cause.CALL);
    }
  }

  private static void callGate(Cpu c, Descriptor gate) {
    int code = gate.gateSelector();
    Descriptor t = gateTarget(c, gate);
    if (t.dpl() > c.cpl) {
      throw GuestFault.of(GuestFault.GP, code & Descriptors.INDEX);
    }
    present(code, t);
    boolean wide = c.longMode();
    int size = wide ? 8 : gate.type() == Descriptor.CALL_GATE ? 4 : 2;
    if (t.conforming() || t.dpl() == c.cpl) {
      Stack s = new Stack(c);
      s.push(size, c.sel[Cpu.CS]);
      s.push(size, c.rip);
      enter(c, code, t, gate.gateOffset());
      s.commit();
      return;
    }
    int cpl = t.dpl();
    Stack old = new Stack(c);
    int oldSs = c.sel[Cpu.SS];
    long oldSp = c.r[Cpu.RSP];
    TaskState.Inner inner = wide ? null : TaskState.innerStack(c, cpl, 0);
    Stack s =
        wide
            ? new Stack(c, TaskState.stack64(c, cpl, 0))
            : new Stack(c, inner.selector(), inner.descriptor(), inner.sp());
    long[] parameters = new long[wide ? 0 : gate.parameters()];
    for (int i = 0; i < parameters.length; i++) {
      parameters[i] = old.pop(size);
    }
    c.mmu.privilege(cpl, (c.sysFlags & Flags.AC) != 0);
    try {
      s.push(size, oldSs);
      s.push(size, oldSp);
      for (int i = parameters.length - 1; i >= 0; i--) {
        s.push(size, parameters[i]);
      }
      s.push(size, c.sel[Cpu.CS]);
      s.push(size, c.rip);
      checkTarget(c, t, gate.gateOffset());
    } catch (GuestFault | MmioRestart f) {
      Segments.settle(c);
      throw f;
    }
    Descriptor marked = Descriptors.markAccessed(c, code, t);
    c.cpl = cpl;
    if (wide) {
      Segments.setNull(c, Cpu.SS, cpl);
    } else {
      Segments.set(
          c,
          Cpu.SS,
          inner.selector(),
          Descriptors.markAccessed(c, inner.selector(), inner.descriptor()));
    }
    Segments.setCode(c, code, cpl, marked);
    s.commit();
    c.rip = gate.gateOffset();
    Segments.settle(c);
  }

  static void ret(Cpu c, int size, long release) {
    Stack s = new Stack(c);
    long ip = s.pop(size);
    int selector = (int) s.pop(size) & 0xffff;
    if (c.realSegments()) {
      checkLimit(ip, c.segLimit[Cpu.CS]);
      s.skip(release);
      s.commit();
      loadRealCode(c, selector, ip);
      return;
    }
    Descriptor d = returnTarget(c, selector);
    int cpl = selector & 3;
    if (cpl == c.cpl) {
      checkTarget(c, d, ip);
      s.skip(release);
      s.commit();
      Segments.setCode(c, selector, cpl, Descriptors.markAccessed(c, selector, d));
      c.rip = ip;
      Segments.settle(c);
      return;
    }
    s.skip(release);
    long sp = s.pop(size);
    int ss = (int) s.pop(size) & 0xffff;
    toOuter(c, selector, d, ip, ss, sp, size);
    if (!c.code64()) {
      skipOuter(c, release);
    } else {
      c.r[Cpu.RSP] += release;
    }
  }

  private static void skipOuter(Cpu c, long release) {
    Stack outer = new Stack(c);
    outer.skip(release);
    outer.commit();
  }

  /** Checks CS of a far return or IRET. */
  static Descriptor returnTarget(Cpu c, int selector) {
    if (Descriptors.isNull(selector)) {
      throw GuestFault.of(GuestFault.GP, 0);
    }
    Descriptor d = Descriptors.read(c, selector, GuestFault.GP);
    int rpl = selector & 3;
    boolean ok =
        d.segment()
            && d.code()
            && rpl >= c.cpl
            && (d.conforming() ? d.dpl() <= rpl : d.dpl() == rpl)
            && !(c.longMode() && d.longCode() && d.big());
    if (!ok) {
      throw GuestFault.of(GuestFault.GP, selector & Descriptors.INDEX);
    }
    return present(selector, d);
  }

  /** The second half of a return to a less privileged ring, for RETF and IRET. */
  static void toOuter(Cpu c, int selector, Descriptor d, long ip, int ss, long sp, int size) {
    int cpl = selector & 3;
    boolean to64 = c.longMode() && d.longCode();
    Descriptor stack = null;
    if (Descriptors.isNull(ss)) {
      if (!to64 || cpl == 3 || (ss & 3) != cpl) {
        throw GuestFault.of(GuestFault.GP, 0);
      }
    } else {
      stack = Segments.checkStack(c, ss, cpl, GuestFault.GP, GuestFault.GP);
    }
    checkTarget(c, d, ip);
    Descriptor code = Descriptors.markAccessed(c, selector, d);
    if (stack != null) {
      stack = Descriptors.markAccessed(c, ss, stack);
    }
    c.cpl = cpl;
    Segments.setCode(c, selector, cpl, code);
    c.rip = ip;
    if (stack == null) {
      Segments.setNull(c, Cpu.SS, ss);
    } else {
      Segments.set(c, Cpu.SS, ss, stack);
    }
    if (to64) {
      c.r[Cpu.RSP] = sp;
    } else if (stack != null && stack.big()) {
      c.r[Cpu.RSP] = sp & 0xffff_ffffL;
    } else {
      // Only SP is restored; the upper half keeps the inner stack's bits, as on hardware.
      c.r[Cpu.RSP] = c.r[Cpu.RSP] & 0xffff_0000L | sp & 0xffff;
    }
    Segments.dropPrivileged(c);
    Segments.settle(c);
  }

  // ---- Shared checks ---------------------------------------------------------------------------

  private static Descriptor target(Cpu c, int selector) {
    if (Descriptors.isNull(selector)) {
      throw GuestFault.of(GuestFault.GP, 0);
    }
    return Descriptors.read(c, selector, GuestFault.GP);
  }

  private static void checkDirect(Cpu c, int selector, Descriptor d) {
    boolean ok =
        d.code()
            && (d.conforming() ? d.dpl() <= c.cpl : (selector & 3) <= c.cpl && d.dpl() == c.cpl)
            && !(c.longMode() && d.longCode() && d.big());
    if (!ok) {
      throw GuestFault.of(GuestFault.GP, selector & Descriptors.INDEX);
    }
    present(selector, d);
  }

  /** A system descriptor that a far jump or call names: right type, privilege, present. */
  private static void checkGate(Cpu c, int selector, Descriptor d) {
    boolean known =
        switch (d.type()) {
          case Descriptor.CALL_GATE -> true;
          case Descriptor.CALL_GATE16, Descriptor.TASK_GATE, Descriptor.TSS16, Descriptor.TSS ->
              !c.longMode();
          default -> false;
        };
    boolean upperClear = !c.longMode() || (d.high() >>> 40 & 0x1f) == 0;
    if (!known || !upperClear || d.dpl() < c.cpl || d.dpl() < (selector & 3)) {
      throw GuestFault.of(GuestFault.GP, selector & Descriptors.INDEX);
    }
    present(selector, d);
  }

  private static Descriptor gateTarget(Cpu c, Descriptor gate) {
    int code = gate.gateSelector();
    Descriptor t = target(c, code);
    boolean ok = t.segment() && t.code() && (!c.longMode() || t.longCode() && !t.big());
    if (!ok) {
      throw GuestFault.of(GuestFault.GP, code & Descriptors.INDEX);
    }
    return t;
  }

  static Descriptor present(int selector, Descriptor d) {
    if (!d.present()) {
      throw GuestFault.of(GuestFault.NP, selector & Descriptors.INDEX);
    }
    return d;
  }

  /** The target offset lies within the segment, or is canonical. */
  static void checkTarget(Cpu c, Descriptor code, long ip) {
    boolean ok =
        c.longMode() && code.longCode()
            ? c.mmu.canonical(ip)
            : Long.compareUnsigned(ip, code.limit() & 0xffff_ffffL) <= 0;
    if (!ok) {
      throw GuestFault.of(GuestFault.GP, 0);
    }
  }

  private static void checkLimit(long ip, int limit) {
    if (ip > (limit & 0xffff_ffffL)) {
      throw GuestFault.of(GuestFault.GP, 0);
    }
  }

  private static void enter(Cpu c, int selector, Descriptor d, long ip) {
    checkTarget(c, d, ip);
    Segments.setCode(c, selector, c.cpl, Descriptors.markAccessed(c, selector, d));
    c.rip = ip;
    Segments.settle(c);
  }

  static void loadRealCode(Cpu c, int selector, long ip) {
    Segments.loadReal(c, Cpu.CS, selector);
    c.rip = ip;
    Segments.settle(c);
  }

  private static long cut(long v, int size) {
    return size == 8 ? v : size == 4 ? v & 0xffff_ffffL : v & 0xffff;
  }
}
