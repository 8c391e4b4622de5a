package org.hypergraft.vmm.cpu.semantics;

import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.cpu.interpret.Access;
import org.hypergraft.vmm.cpu.interpret.Op;

/** XLAT, the storing form of MOVBE, and cache line flushes. */
public final class Tables {
  private Tables() {}

  /** AL = byte at RBX + AL; {@link Op#seg} is the segment. */
  public static void xlat(Cpu c, Op op) {
    long offset = Access.cut(c.r[Cpu.RBX] + (c.r[Cpu.RAX] & 0xff), op.addrSize);
    Access.checkType(c, op.seg, false);
    long v = c.mmu.read8(Access.linear(c, op.seg, offset, 1));
    c.r[Cpu.RAX] = (c.r[Cpu.RAX] & ~0xffL) | v;
  }

  /** Faults as a load of one byte would. */
  public static void touch(Cpu c, Op op) {
    c.mmu.probeRead(op.address(c), 1);
  }

  public static void storeSwapped(Cpu c, Op op) {
    long v = Long.reverseBytes(c.r[op.d]) >>> (64 - op.size * 8);
    Registers.store(c.mmu, op.address(c), op.size, v);
  }
}
