package org.hypergraft.vmm.cpu.system;

import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.cpu.Flags;
import org.hypergraft.vmm.cpu.interpret.Op;
import org.hypergraft.vmm.mmu.GuestFault;

/** IRET, IRETD and IRETQ (Intel SDM vol. 2, IRET). The op ends its block. */
public final class InterruptReturn {
  /** Flags every IRET may change. */
  private static final int ALWAYS =
      Flags.STATUS | Flags.TF | Flags.DF | Flags.NT | Flags.RF | Flags.AC | Flags.ID;

  private InterruptReturn() {}

  public static void iret(Cpu c, Op op) {
    int size = op.size;
    boolean v8086 = (c.sysFlags & Flags.VM) != 0;
    if (v8086 && c.iopl() < 3) {
      throw GuestFault.of(GuestFault.GP, 0);
    }
    if (c.realSegments()) {
      real(c, size, v8086);
    } else if ((c.sysFlags & Flags.NT) != 0) {
      if (c.longMode()) {
        throw GuestFault.of(GuestFault.GP, 0);
      }
      TaskSwitch.back(c);
    } else {
      protectedMode(c, size);
    }
    c.nmiBlocked = false;
  }

  private static void real(Cpu c, int size, boolean v8086) {
    Stack s = new Stack(c);
    long ip = s.pop(size);
    int cs = (int) s.pop(size) & 0xffff;
    int flags = (int) s.pop(size);
    if (ip > (c.segLimit[Cpu.CS] & 0xffff_ffffL)) {
      throw GuestFault.of(GuestFault.GP, 0);
    }
    s.commit();
    // Virtual-8086 code with IOPL 3 changes IF but never IOPL or VM.
    int mask = ALWAYS | Flags.IF | (v8086 ? 0 : Flags.IOPL);
    setFlags(c, flags, size, mask);
    FarTransfer.loadRealCode(c, cs, ip);
  }

  private static void protectedMode(Cpu c, int size) {
    Stack s = new Stack(c);
    long ip = s.pop(size);
    int cs = (int) s.pop(size) & 0xffff;
    int flags = (int) s.pop(size);
    if ((flags & Flags.VM) != 0 && c.cpl == 0 && size == 4 && !c.longMode()) {
      toV8086(c, s, ip, cs, flags);
      return;
    }
    Descriptor d = FarTransfer.returnTarget(c, cs);
    int rpl = cs & 3;
    int mask = ALWAYS;
    if (c.cpl <= c.iopl()) {
      mask |= Flags.IF;
    }
    if (c.cpl == 0) {
      mask |= Flags.IOPL | Flags.VIF | Flags.VIP;
    }
    // 64-bit code always pops a stack pointer, even to the same ring.
    if (rpl == c.cpl && !c.code64()) {
      FarTransfer.checkTarget(c, d, ip);
      Descriptor marked = Descriptors.markAccessed(c, cs, d);
      s.commit();
      setFlags(c, flags, size, mask);
      Segments.setCode(c, cs, rpl, marked);
      c.rip = ip;
      Segments.settle(c);
      return;
    }
    long sp = s.pop(size);
    int ss = (int) s.pop(size) & 0xffff;
    FarTransfer.toOuter(c, cs, d, ip, ss, sp, size);
    setFlags(c, flags, size, mask);
    Segments.settle(c);
  }

  private static void toV8086(Cpu c, Stack s, long ip, int cs, int flags) {
    long sp = s.pop(4);
    int ss = (int) s.pop(4);
    int es = (int) s.pop(4);
    int ds = (int) s.pop(4);
    int fs = (int) s.pop(4);
    int gs = (int) s.pop(4);
    if (ip > 0xffff) {
      throw GuestFault.of(GuestFault.GP, 0);
    }
    Flags.set(c, flags);
    c.cpl = 3;
    Segments.loadReal(c, Cpu.CS, cs);
    Segments.loadReal(c, Cpu.SS, ss);
    Segments.loadReal(c, Cpu.ES, es);
    Segments.loadReal(c, Cpu.DS, ds);
    Segments.loadReal(c, Cpu.FS, fs);
    Segments.loadReal(c, Cpu.GS, gs);
    c.r[Cpu.RSP] = sp;
    c.rip = ip;
    Segments.settle(c);
  }

  /** Changes the flags in {@code mask}; a 16-bit image has no upper half. */
  private static void setFlags(Cpu c, int image, int size, int mask) {
    int m = size == 2 ? mask & 0xffff : mask;
    Flags.set(c, Flags.get(c) & ~m | image & m);
  }
}
