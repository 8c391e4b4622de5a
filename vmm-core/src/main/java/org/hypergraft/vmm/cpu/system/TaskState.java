package org.hypergraft.vmm.cpu.system;

import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.mmu.GuestFault;

/** The task-state segment as a source of stacks and I/O permissions (SDM vol. 3 chapter 7). */
final class TaskState {
  /** Offset of RSP0 and of IST1 in the 64-bit TSS, SDM vol. 3 figure 7-11. */
  private static final int RSP0 = 4;

  private static final int IST1 = 36;

  /** Offset of the I/O map base address in 32- and 64-bit TSSs. */
  private static final int IO_MAP_BASE = 102;

  private TaskState() {}

  /** A stack named by a 16- or 32-bit TSS, checked. */
  record Inner(int selector, Descriptor descriptor, long sp) {}

  private static long limit(Cpu c) {
    return c.trLimit & 0xffff_ffffL;
  }

  private static GuestFault invalid(Cpu c, int ext) {
    return GuestFault.of(GuestFault.TS, c.trSel & Descriptors.INDEX | ext);
  }

  /**
   * SS and (E)SP for an inner ring outside IA-32e mode.
   *
   * @param ext the EXT bit for error codes
   */
  static Inner innerStack(Cpu c, int cpl, int ext) {
    int ss;
    long sp;
    if ((c.trAttr & 8) != 0) {
      int at = 4 + cpl * 8;
      if (at + 5 > limit(c)) {
        throw invalid(c, ext);
      }
      sp = Descriptors.readSystem(c, c.trBase + at, 4);
      ss = (int) Descriptors.readSystem(c, c.trBase + at + 4, 2);
    } else {
      int at = 2 + cpl * 4;
      if (at + 3 > limit(c)) {
        throw invalid(c, ext);
      }
      sp = Descriptors.readSystem(c, c.trBase + at, 2);
      ss = (int) Descriptors.readSystem(c, c.trBase + at + 2, 2);
    }
    if (Descriptors.isNull(ss)) {
      throw GuestFault.of(GuestFault.TS, ext);
    }
    return new Inner(ss, Segments.checkStack(c, ss, cpl, GuestFault.TS, GuestFault.TS), sp);
  }

  /** RSP for an inner ring from a 64-bit TSS. */
  static long stack64(Cpu c, int cpl, int ext) {
    return read64(c, RSP0 + cpl * 8, ext);
  }

  /** RSP of an interrupt stack table entry, 1-7. */
  static long interruptStack(Cpu c, int ist, int ext) {
    return read64(c, IST1 + (ist - 1) * 8, ext);
  }

  private static long read64(Cpu c, int at, int ext) {
    if (at + 7 > limit(c)) {
      throw invalid(c, ext);
    }
    long rsp = Descriptors.readSystem(c, c.trBase + at, 8);
    if (!c.mmu.canonical(rsp)) {
      throw GuestFault.of(GuestFault.SS, ext);
    }
    return rsp;
  }

  /** Whether the I/O permission bitmap lets all ports of an access through. */
  static boolean portsAllowed(Cpu c, int port, int size) {
    boolean wideEnough = (c.trAttr & 8) != 0 && IO_MAP_BASE + 1 <= limit(c);
    if (!wideEnough || Descriptors.isNull(c.trSel)) {
      return false;
    }
    long map = Descriptors.readSystem(c, c.trBase + IO_MAP_BASE, 2);
    long at = map + (port >>> 3);
    if (at + 1 > limit(c)) {
      return false;
    }
    long bits = Descriptors.readSystem(c, c.trBase + at, 2) >>> (port & 7);
    return (bits & (1L << size) - 1) == 0;
  }
}
