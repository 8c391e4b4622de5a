package org.hypergraft.vmm.cpu.system;

import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.mmu.GuestFault;

/**
 * A stack being pushed to or popped from by a control transfer. Nothing reaches the register file
 * until {@link #commit}; a fault half-way leaves only dead bytes below the stack pointer.
 */
final class Stack {
  private final Cpu c;
  private final boolean flat64;
  private final long base;
  private final long limit;
  private final boolean expandDown;
  private final boolean big;
  private final boolean usable;

  /** Error code of #SS for a push or pop beyond the limit. */
  private final int faultCode;

  /** The stack pointer so far. */
  long sp;

  /** The current stack. */
  Stack(Cpu c) {
    this.c = c;
    flat64 = c.code64();
    int attr = c.segAttr[Cpu.SS];
    base = c.segBase[Cpu.SS];
    limit = c.segLimit[Cpu.SS] & 0xffff_ffffL;
    expandDown = (attr & 0xc) == 4;
    big = (attr & Cpu.ATTR_DB) != 0;
    usable = (attr & Cpu.ATTR_UNUSABLE) == 0;
    sp = c.r[Cpu.RSP];
    faultCode = 0;
  }

  /** A stack about to be switched to, outside 64-bit mode. */
  Stack(Cpu c, int selector, Descriptor d, long sp) {
    this.c = c;
    flat64 = false;
    base = d.base() & 0xffff_ffffL;
    limit = d.limit() & 0xffff_ffffL;
    expandDown = (d.type() & 0xc) == 4;
    big = d.big();
    usable = true;
    this.sp = sp;
    faultCode = selector & Descriptors.INDEX;
  }

  /** A stack about to be switched to in 64-bit mode. */
  Stack(Cpu c, long rsp) {
    this.c = c;
    flat64 = true;
    base = 0;
    limit = -1;
    expandDown = false;
    big = true;
    usable = true;
    sp = rsp;
    faultCode = 0;
  }

  private long mask() {
    return flat64 ? -1 : big ? 0xffff_ffffL : 0xffff;
  }

  private long linear(long offset, int size) {
    if (flat64) {
      if (!c.mmu.canonical(offset)) {
        throw GuestFault.of(GuestFault.SS, faultCode);
      }
      return offset;
    }
    boolean ok =
        usable
            && (expandDown
                ? offset > limit && offset + size - 1 <= (big ? 0xffff_ffffL : 0xffffL)
                : offset + size - 1 <= limit);
    if (!ok) {
      throw GuestFault.of(GuestFault.SS, faultCode);
    }
    return base + offset & 0xffff_ffffL;
  }

  /** Pushes 2, 4 or 8 bytes. */
  void push(int size, long v) {
    long to = sp - size & mask();
    long la = linear(to, size);
    switch (size) {
      case 2 -> c.mmu.write16(la, v);
      case 4 -> c.mmu.write32(la, v);
      default -> c.mmu.write64(la, v);
    }
    sp = sp & ~mask() | to;
  }

  /** Moves down by {@code size} bytes but writes only the lowest two. */
  void reserve(int size, int v) {
    long to = sp - size & mask();
    c.mmu.write16(linear(to, 2), v);
    sp = sp & ~mask() | to;
  }

  /** Pops 2, 4 or 8 bytes, zero-extended. */
  long pop(int size) {
    long v = peek(size);
    skip(size);
    return v;
  }

  /** The value on top. */
  long peek(int size) {
    long la = linear(sp & mask(), size);
    return switch (size) {
      case 2 -> c.mmu.read16(la);
      case 4 -> c.mmu.read32(la);
      default -> c.mmu.read64(la);
    };
  }

  /** Drops bytes unread. */
  void skip(long bytes) {
    sp = sp & ~mask() | sp + bytes & mask();
  }

  /** Makes the stack pointer the guest's. */
  void commit() {
    c.r[Cpu.RSP] = flat64 || !big ? sp : sp & 0xffff_ffffL;
  }
}
