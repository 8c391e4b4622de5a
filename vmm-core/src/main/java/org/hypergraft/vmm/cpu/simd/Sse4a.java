package org.hypergraft.vmm.cpu.simd;

import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.cpu.interpret.Op;

/**
 * EXTRQ and INSERTQ of AMD's SSE4a (AMD APM vol. 4). A field is told by its length in bits 5:0 (0
 * means 64) and its index in bits 13:8 of the immediates, or of a register. The upper half of the
 * result, which the manual leaves undefined, stays.
 */
public final class Sse4a {
  private Sse4a() {}

  private static long mask(long field) {
    int length = (int) field & 63;
    return length == 0 ? -1 : (1L << length) - 1;
  }

  private static int index(long field) {
    return (int) (field >>> 8) & 63;
  }

  public static void extrq(Cpu c, Op o) {
    Simd.check(c, o);
    long field = o.size == Avx.IMMEDIATE ? o.imm : c.x[o.t * 4];
    c.x[o.d * 4] = c.x[o.d * 4] >>> index(field) & mask(field);
  }

  public static void insertq(Cpu c, Op o) {
    Simd.check(c, o);
    long field = o.size == Avx.IMMEDIATE ? o.imm : c.x[o.t * 4 + 1];
    long mask = mask(field) << index(field);
    c.x[o.d * 4] = c.x[o.d * 4] & ~mask | c.x[o.t * 4] << index(field) & mask;
  }
}
