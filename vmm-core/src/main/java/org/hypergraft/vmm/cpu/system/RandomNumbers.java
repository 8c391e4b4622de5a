package org.hypergraft.vmm.cpu.system;

import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.cpu.Flags;
import org.hypergraft.vmm.cpu.interpret.Op;

/**
 * RDRAND and RDSEED. The machine is deterministic, so these are too: each processor walks a fixed
 * sequence of its own, the same in every run. It is good enough to look random and keeps no secret.
 */
public final class RandomNumbers {
  /** Increment and factors of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014). */
  private static final long GOLDEN = 0x9e37_79b9_7f4a_7c15L;

  private static final long MIX1 = 0xbf58_476d_1ce4_e5b9L;
  private static final long MIX2 = 0x94d0_49bb_1331_11ebL;

  private RandomNumbers() {}

  public static void rdrand(Cpu c, Op op) {
    draw(c, op);
  }

  public static void rdseed(Cpu c, Op op) {
    draw(c, op);
  }

  /** Always succeeds: CF set, the other status flags clear (Intel SDM vol. 2, RDRAND). */
  private static void draw(Cpu c, Op op) {
    long z = ++c.randomsDrawn * GOLDEN + ((long) c.index << 56);
    z = (z ^ z >>> 30) * MIX1;
    z = (z ^ z >>> 27) * MIX2;
    Registers.write(c, op.d, op.size, z ^ z >>> 31);
    Flags.set(c, Flags.get(c) & ~Flags.STATUS | Flags.CF);
  }
}
