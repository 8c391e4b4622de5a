package org.hypergraft.vmm.cpu.semantics;

import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.mmu.Mmu;

/**
 * Register and memory access by run-time size, for instructions too rare for forms of their own.
 */
final class Registers {
  private Registers() {}

  static long cut(long v, int size) {
    switch (size) {
      case 1:
        return v & 0xff;
      case 2:
        return v & 0xffff;
      case 4:
        return v & 0xffff_ffffL;
      default:
        return v;
    }
  }

  static long read(Cpu c, int n, int size, boolean high) {
    return cut(high ? c.r[n] >>> 8 : c.r[n], size);
  }

  static void write(Cpu c, int n, int size, boolean high, long v) {
    long[] r = c.r;
    switch (size) {
      case 1:
        if (high) {
          r[n] = (r[n] & ~0xff00L) | (v & 0xff) << 8;
        } else {
          r[n] = (r[n] & ~0xffL) | (v & 0xff);
        }
        break;
      case 2:
        r[n] = (r[n] & ~0xffffL) | (v & 0xffff);
        break;
      case 4:
        r[n] = v & 0xffff_ffffL;
        break;
      default:
        r[n] = v;
        break;
    }
  }

  static long load(Mmu m, long la, int size) {
    switch (size) {
      case 1:
        return m.read8(la);
      case 2:
        return m.read16(la);
      case 4:
        return m.read32(la);
      default:
        return m.read64(la);
    }
  }

  static long loadForUpdate(Mmu m, long la, int size) {
    switch (size) {
      case 1:
        return m.rmw8(la);
      case 2:
        return m.rmw16(la);
      case 4:
        return m.rmw32(la);
      default:
        return m.rmw64(la);
    }
  }

  static void store(Mmu m, long la, int size, long v) {
    switch (size) {
      case 1:
        m.write8(la, v);
        break;
      case 2:
        m.write16(la, v);
        break;
      case 4:
        m.write32(la, v);
        break;
      default:
        m.write64(la, v);
        break;
    }
  }
}
