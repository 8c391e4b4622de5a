package org.hypergraft.vmm.cpu.interpret;

import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.mmu.GuestFault;

/** Address arithmetic that is not a plain 64-bit sum. */
public final class Address {
  private static final long MASK32 = 0xffff_ffffL;

  private Address() {}

  /** Cuts an effective address to the address size (bytes). */
  static long cut(long ea, int addrSize) {
    return addrSize == 8 ? ea : addrSize == 4 ? ea & MASK32 : ea & 0xffff;
  }

  /** Linear address of {@code op}'s memory operand from its uncut effective address. */
  static long of(Cpu c, Op op, long ea) {
    switch (op.form) {
      case Op.PLAIN:
        return ea;
      case Op.CUT32:
        return ea & MASK32;
      case Op.BASED:
        return ea + c.segBase[op.seg];
      default:
        return linear(c, op.seg, cut(ea, op.addrSize), Math.max(op.size, 1));
    }
  }

  /**
   * Linear address of {@code size} bytes at an offset in a segment, in any mode. Outside 64-bit
   * mode checks the limit.
   *
   * @throws GuestFault #SS(0) for the stack segment, else #GP(0)
   */
  public static long linear(Cpu c, int seg, long offset, int size) {
    if (c.code64()) {
      return seg >= Cpu.FS ? offset + c.segBase[seg] : offset;
    }
    int attr = c.segAttr[seg];
    long limit = c.segLimit[seg] & MASK32;
    boolean ok;
    if ((attr & Cpu.ATTR_UNUSABLE) != 0) {
      ok = false;
    } else if ((attr & 0xc) == 4 && (attr & Cpu.ATTR_S) != 0) {
      // expand-down data: valid offsets lie above the limit
      long top = (attr & Cpu.ATTR_DB) != 0 ? MASK32 : 0xffff;
      ok = offset > limit && offset + size - 1 <= top;
    } else {
      ok = offset + size - 1 <= limit;
    }
    if (!ok) {
      throw GuestFault.of(seg == Cpu.SS ? GuestFault.SS : GuestFault.GP, 0);
    }
    return (c.segBase[seg] + offset) & MASK32;
  }
}
