package org.hypergraft.vmm.cpu.system;

import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.cpu.interpret.Op;
import org.hypergraft.vmm.mmu.GuestFault;

/** LGDT, LIDT, LLDT, LTR and the stores of these registers. */
public final class TableRegisters {
  private TableRegisters() {}

  // ---- GDTR and IDTR ---------------------------------------------------------------------------

  public static void lgdt(Cpu c, Op op) {
    Registers.requireRing0(c);
    long la = op.address(c);
    int limit = (int) c.mmu.read16(la);
    c.gdtBase = base(c, op, la + 2);
    c.gdtLimit = limit;
  }

  public static void lidt(Cpu c, Op op) {
    Registers.requireRing0(c);
    long la = op.address(c);
    int limit = (int) c.mmu.read16(la);
    c.idtBase = base(c, op, la + 2);
    c.idtLimit = limit;
  }

  /** 8 bytes in 64-bit code, else 4, of which a 16-bit operand size (in aux) uses three. */
  private static long base(Cpu c, Op op, long la) {
    if (c.code64()) {
      long base = c.mmu.read64(la);
      if (!c.mmu.canonical(base)) {
        throw Registers.gp();
      }
      return base;
    }
    long base = c.mmu.read32(la);
    return op.aux == 2 ? base & 0xff_ffff : base;
  }

  public static void sgdt(Cpu c, Op op) {
    store(c, op, c.gdtLimit, c.gdtBase);
  }

  public static void sidt(Cpu c, Op op) {
    store(c, op, c.idtLimit, c.idtBase);
  }

  private static void store(Cpu c, Op op, int limit, long base) {
    ControlRegisters.checkUmip(c);
    long la = op.address(c);
    int size = c.code64() ? 8 : 4;
    c.mmu.probeWrite(la, 2 + size);
    c.mmu.write16(la, limit);
    Registers.store(c, la + 2, size, base);
  }

  // ---- LDTR and TR -----------------------------------------------------------------------------

  public static void lldtRegister(Cpu c, Op op) {
    lldt(c, Registers.selector(c, op, false, op.d));
  }

  public static void lldtMemory(Cpu c, Op op) {
    requireProtected(c);
    Registers.requireRing0(c);
    lldt(c, Registers.selector(c, op, true, 0));
  }

  private static void lldt(Cpu c, int selector) {
    requireProtected(c);
    Registers.requireRing0(c);
    if (Descriptors.isNull(selector)) {
      clearLdt(c, selector);
      return;
    }
    Descriptor d = system(c, selector);
    if (d.type() != Descriptor.LDT) {
      throw GuestFault.of(GuestFault.GP, selector & Descriptors.INDEX);
    }
    FarTransfer.present(selector, d);
    setLdt(c, selector, d);
  }

  static void clearLdt(Cpu c, int selector) {
    c.ldtSel = selector & 0xffff;
    c.ldtBase = 0;
    c.ldtLimit = 0;
    c.ldtAttr = 0;
  }

  static void setLdt(Cpu c, int selector, Descriptor d) {
    c.ldtSel = selector & 0xffff;
    c.ldtBase = c.longMode() ? d.base() : d.base() & 0xffff_ffffL;
    c.ldtLimit = d.limit();
    c.ldtAttr = d.attr();
  }

  public static void ltrRegister(Cpu c, Op op) {
    ltr(c, Registers.selector(c, op, false, op.d));
  }

  public static void ltrMemory(Cpu c, Op op) {
    requireProtected(c);
    Registers.requireRing0(c);
    ltr(c, Registers.selector(c, op, true, 0));
  }

  private static void ltr(Cpu c, int selector) {
    requireProtected(c);
    Registers.requireRing0(c);
    if (Descriptors.isNull(selector)) {
      throw Registers.gp();
    }
    Descriptor d = system(c, selector);
    boolean available = d.type() == Descriptor.TSS || d.type() == Descriptor.TSS16 && !c.longMode();
    if (!available) {
      throw GuestFault.of(GuestFault.GP, selector & Descriptors.INDEX);
    }
    FarTransfer.present(selector, d);
    Descriptor busy = Descriptors.setTypeBits(c, selector, d, 2);
    c.trSel = selector;
    c.trBase = c.longMode() ? d.base() : d.base() & 0xffff_ffffL;
    c.trLimit = d.limit();
    c.trAttr = busy.attr();
  }

  /** A system descriptor of the GDT. */
  private static Descriptor system(Cpu c, int selector) {
    Descriptor d = (selector & 4) != 0 ? null : Descriptors.lookup(c, selector);
    if (d == null || d.segment() || c.longMode() && !c.mmu.canonical(d.base())) {
      throw GuestFault.of(GuestFault.GP, selector & Descriptors.INDEX);
    }
    return d;
  }

  public static void sldtRegister(Cpu c, Op op) {
    requireProtected(c);
    ControlRegisters.checkUmip(c);
    Registers.write(c, op.d, op.size, c.ldtSel & 0xffff);
  }

  public static void sldtMemory(Cpu c, Op op) {
    requireProtected(c);
    ControlRegisters.checkUmip(c);
    c.mmu.write16(op.address(c), c.ldtSel);
  }

  public static void strRegister(Cpu c, Op op) {
    requireProtected(c);
    ControlRegisters.checkUmip(c);
    Registers.write(c, op.d, op.size, c.trSel & 0xffff);
  }

  public static void strMemory(Cpu c, Op op) {
    requireProtected(c);
    ControlRegisters.checkUmip(c);
    c.mmu.write16(op.address(c), c.trSel);
  }

  /** These instructions are not recognized in real-address and virtual-8086 mode. */
  static void requireProtected(Cpu c) {
    if (c.realSegments()) {
      throw Registers.ud();
    }
  }
}
