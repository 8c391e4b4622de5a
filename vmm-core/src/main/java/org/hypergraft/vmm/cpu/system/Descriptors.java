package org.hypergraft.vmm.cpu.system;

import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.mmu.GuestFault;
import org.hypergraft.vmm.mmu.Mmu;

/** Access to the GDT and LDT. All accesses count as supervisor accesses. */
final class Descriptors {
  /** Selector bits that name a descriptor: index and table indicator. */
  static final int INDEX = 0xfffc;

  private Descriptors() {}

  static boolean isNull(int selector) {
    return (selector & INDEX) == 0;
  }

  /**
   * Linear address of a selector's descriptor.
   *
   * @param size bytes that must lie within the table's limit
   * @return -1 if they do not
   */
  private static long find(Cpu c, int selector, int size) {
    int offset = selector & 0xfff8;
    if ((selector & 4) == 0) {
      return offset + size - 1 <= c.gdtLimit ? linear(c, c.gdtBase + offset) : -1;
    }
    return !isNull(c.ldtSel) && offset + size - 1 <= (c.ldtLimit & 0xffff_ffffL)
        ? linear(c, c.ldtBase + offset)
        : -1;
  }

  private static long linear(Cpu c, long la) {
    return c.longMode() ? la : la & 0xffff_ffffL;
  }

  /**
   * Reads a descriptor; in IA-32e mode system descriptors are 16 bytes.
   *
   * @return null if it lies beyond its table
   */
  static Descriptor lookup(Cpu c, int selector) {
    long at = find(c, selector, 8);
    if (at == -1) {
      return null;
    }
    Mmu m = c.mmu;
    m.beginSystem();
    try {
      Descriptor d = new Descriptor(m.read64(at));
      if (c.longMode() && !d.segment()) {
        at = find(c, selector, 16);
        return at == -1 ? null : new Descriptor(d.low(), m.read64(at + 8));
      }
      return d;
    } finally {
      m.endSystem();
    }
  }

  /** As {@link #lookup}, raising {@code vector} with the selector as error code. */
  static Descriptor read(Cpu c, int selector, int vector) {
    Descriptor d = lookup(c, selector);
    if (d == null) {
      throw GuestFault.of(vector, selector & INDEX);
    }
    return d;
  }

  /** Sets the accessed bit of a segment descriptor if it is clear. */
  static Descriptor markAccessed(Cpu c, int selector, Descriptor d) {
    return (d.low() & 1L << 40) != 0 ? d : setTypeBits(c, selector, d, 1);
  }

  /** Sets bits of the type field, in memory and in the value returned. */
  static Descriptor setTypeBits(Cpu c, int selector, Descriptor d, int bits) {
    rewriteType(c, selector, d.type() | bits);
    return new Descriptor(d.low() | (long) bits << 40, d.high());
  }

  /** Clears the busy bit of a TSS descriptor. */
  static void clearBusy(Cpu c, int selector, Descriptor d) {
    rewriteType(c, selector, d.type() & ~2);
  }

  private static void rewriteType(Cpu c, int selector, int type) {
    Mmu m = c.mmu;
    m.beginSystem();
    try {
      long at = find(c, selector, 8) + 5;
      m.write8(at, m.rmw8(at) & 0xf0 | type);
    } finally {
      m.endSystem();
    }
  }

  /** Reads system memory (TSS, gates) as a supervisor. */
  static long readSystem(Cpu c, long la, int size) {
    Mmu m = c.mmu;
    long at = linear(c, la);
    m.beginSystem();
    try {
      return switch (size) {
        case 1 -> m.read8(at);
        case 2 -> m.read16(at);
        case 4 -> m.read32(at);
        default -> m.read64(at);
      };
    } finally {
      m.endSystem();
    }
  }

  /** Writes system memory (TSS) as a supervisor. */
  static void writeSystem(Cpu c, long la, int size, long v) {
    Mmu m = c.mmu;
    long at = linear(c, la);
    m.beginSystem();
    try {
      switch (size) {
        case 2 -> m.write16(at, v);
        case 4 -> m.write32(at, v);
        default -> m.write64(at, v);
      }
    } finally {
      m.endSystem();
    }
  }
}
