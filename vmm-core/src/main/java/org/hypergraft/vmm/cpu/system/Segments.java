package org.hypergraft.vmm.cpu.system;

import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.cpu.Flags;
import org.hypergraft.vmm.mmu.GuestFault;

/**
 * Loading segment registers (Intel SDM vol. 2 MOV, POP, LDS...; vol. 3 sections 3.4 and 5.5-5.7).
 */
public final class Segments {
  /** Present, segment, data, writable, accessed: what real mode loads have. */
  static final int REAL_DATA = 0x93;

  /** The same with DPL 3: virtual-8086 mode. */
  static final int V8086_DATA = 0xf3;

  /** Present, execute/read, accessed code. */
  static final int CODE = 0x9b;

  private Segments() {}

  /** Loads ES, SS, DS, FS or GS as an instruction of the current mode does. */
  public static void load(Cpu c, int seg, int selector) {
    if (c.realSegments()) {
      loadReal(c, seg, selector);
    } else if (seg == Cpu.SS) {
      loadStack(c, selector);
    } else {
      loadData(c, seg, selector);
    }
    c.updateMode();
  }

  /**
   * Base from the selector; real mode keeps limit and default size, virtual-8086 mode fixes them.
   */
  static void loadReal(Cpu c, int seg, int selector) {
    c.sel[seg] = selector & 0xffff;
    c.segBase[seg] = (selector & 0xffffL) << 4;
    if ((c.sysFlags & Flags.VM) != 0) {
      c.segLimit[seg] = 0xffff;
      c.segAttr[seg] = V8086_DATA;
    } else {
      int type = seg == Cpu.CS ? CODE : REAL_DATA;
      c.segAttr[seg] = c.segAttr[seg] & (Cpu.ATTR_DB | Cpu.ATTR_G) | type;
    }
  }

  private static void loadStack(Cpu c, int selector) {
    if (Descriptors.isNull(selector)) {
      // Only 64-bit code outside ring 3 may run without a stack segment.
      if (!c.code64() || c.cpl == 3 || (selector & 3) != c.cpl) {
        throw GuestFault.of(GuestFault.GP, 0);
      }
      setNull(c, Cpu.SS, selector);
      return;
    }
    Descriptor d = checkStack(c, selector, c.cpl, GuestFault.GP, GuestFault.GP);
    set(c, Cpu.SS, selector, Descriptors.markAccessed(c, selector, d));
  }

  /**
   * The checks every stack segment passes, for code of privilege {@code cpl}.
   *
   * @param vector raised for a bad descriptor, with the selector as error code
   * @param rangeVector raised for a selector beyond its table
   */
  static Descriptor checkStack(Cpu c, int selector, int cpl, int vector, int rangeVector) {
    Descriptor d = Descriptors.read(c, selector, rangeVector);
    if ((selector & 3) != cpl || !d.writableData() || d.dpl() != cpl) {
      throw GuestFault.of(vector, selector & Descriptors.INDEX);
    }
    if (!d.present()) {
      throw GuestFault.of(GuestFault.SS, selector & Descriptors.INDEX);
    }
    return d;
  }

  private static void loadData(Cpu c, int seg, int selector) {
    if (Descriptors.isNull(selector)) {
      setNull(c, seg, selector);
      return;
    }
    Descriptor d = checkData(c, selector, GuestFault.GP);
    set(c, seg, selector, Descriptors.markAccessed(c, selector, d));
  }

  /** The checks of DS, ES, FS and GS; {@code vector} is #GP, or #TS during a task switch. */
  static Descriptor checkData(Cpu c, int selector, int vector) {
    Descriptor d = Descriptors.read(c, selector, vector);
    boolean checked = !d.code() || !d.conforming();
    if (!d.dataOrReadableCode() || checked && ((selector & 3) > d.dpl() || c.cpl > d.dpl())) {
      throw GuestFault.of(vector, selector & Descriptors.INDEX);
    }
    if (!d.present()) {
      throw GuestFault.of(GuestFault.NP, selector & Descriptors.INDEX);
    }
    return d;
  }

  /** Fills a register from a checked descriptor. */
  static void set(Cpu c, int seg, int selector, Descriptor d) {
    c.sel[seg] = selector & 0xffff;
    c.segBase[seg] = d.base() & 0xffff_ffffL;
    c.segLimit[seg] = d.limit();
    c.segAttr[seg] = d.attr();
  }

  /** Fills CS from a checked descriptor; the RPL of the register is the CPL. */
  static void setCode(Cpu c, int selector, int cpl, Descriptor d) {
    set(c, Cpu.CS, selector & Descriptors.INDEX | cpl, d);
    if (c.longMode() && d.longCode()) {
      c.segBase[Cpu.CS] = 0;
    }
  }

  /** A null selector: any use outside 64-bit mode faults. */
  static void setNull(Cpu c, int seg, int selector) {
    c.sel[seg] = selector & 0xffff;
    c.segBase[seg] = 0;
    c.segLimit[seg] = 0;
    // The privilege of SS stays visible to code that inspects the hidden part.
    c.segAttr[seg] = Cpu.ATTR_UNUSABLE | (seg == Cpu.SS ? c.cpl << 5 : 0);
  }

  /** A flat segment with fixed attributes, as SYSCALL and SYSENTER load. */
  static void setFlat(Cpu c, int seg, int selector, int attr) {
    c.sel[seg] = selector & 0xffff;
    c.segBase[seg] = 0;
    c.segLimit[seg] = -1;
    c.segAttr[seg] = attr;
  }

  /**
   * After a return to an outer ring: data segments that the new privilege may not use become null
   * (SDM vol. 3 section 5.8.6).
   */
  static void dropPrivileged(Cpu c) {
    for (int seg : new int[] {Cpu.ES, Cpu.DS, Cpu.FS, Cpu.GS}) {
      int attr = c.segAttr[seg];
      boolean conformingCode = (attr & 0xc) == 0xc;
      if ((attr & Cpu.ATTR_UNUSABLE) == 0 && !conformingCode && (attr >> 5 & 3) < c.cpl) {
        setNull(c, seg, 0);
      }
    }
  }

  /** Brings the MMU and the decoding mode in line after a change of CPL, AC, CS or SS. */
  static void settle(Cpu c) {
    c.mmu.privilege(c.cpl, (c.sysFlags & Flags.AC) != 0);
    c.updateMode();
  }
}
