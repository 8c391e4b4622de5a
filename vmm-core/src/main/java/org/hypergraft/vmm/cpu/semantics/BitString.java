package org.hypergraft.vmm.cpu.semantics;

import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.cpu.Flags;
import org.hypergraft.vmm.cpu.interpret.Access;
import org.hypergraft.vmm.cpu.interpret.Op;

/**
 * Bit tests whose bit offset is a register and whose operand is memory: the signed offset reaches
 * the word {@code offset / width} away from the address (Intel SDM vol. 1, 4.4.2 bit strings).
 */
public final class BitString {
  private BitString() {}

  private static long address(Cpu c, Op op) {
    long offset = c.r[op.s];
    int shift = Access.log2(op.size) + 3;
    long index = op.size == 2 ? (short) offset : op.size == 4 ? (int) offset : offset;
    return op.addressPlus(c, (index >> shift) * op.size);
  }

  public static void bt(Cpu c, Op op) {
    long la = address(c, op);
    long bit = c.r[op.s];
    switch (op.size) {
      case 2:
        Bits.bt16(c, c.mmu.read16(la), bit);
        break;
      case 4:
        Bits.bt32(c, c.mmu.read32(la), bit);
        break;
      default:
        Bits.bt64(c, c.mmu.read64(la), bit);
        break;
    }
  }

  public static void bts(Cpu c, Op op) {
    update(c, op, true, false);
  }

  public static void btr(Cpu c, Op op) {
    update(c, op, false, false);
  }

  public static void btc(Cpu c, Op op) {
    update(c, op, false, true);
  }

  private static void update(Cpu c, Op op, boolean set, boolean flip) {
    long la = address(c, op);
    int width = op.size * 8;
    long mask = 1L << (c.r[op.s] & (width - 1));
    long v = width == 16 ? c.mmu.rmw16(la) : width == 32 ? c.mmu.rmw32(la) : c.mmu.rmw64(la);
    long w = flip ? v ^ mask : set ? v | mask : v & ~mask;
    if (width == 16) {
      c.mmu.write16(la, w);
    } else if (width == 32) {
      c.mmu.write32(la, w);
    } else {
      c.mmu.write64(la, w);
    }
    Flags.setCarry(c, (v & mask) != 0);
  }
}
