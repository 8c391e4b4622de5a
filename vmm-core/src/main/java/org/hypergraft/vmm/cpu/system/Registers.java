package org.hypergraft.vmm.cpu.system;

import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.cpu.interpret.Op;
import org.hypergraft.vmm.mmu.GuestFault;

/** Register file helpers shared by the system instructions. */
final class Registers {
  private Registers() {}

  /** Writes a general register: 4 bytes clear the upper half, 1 and 2 bytes merge. */
  static void write(Cpu c, int reg, int size, long v) {
    switch (size) {
      case 1 -> c.r[reg] = c.r[reg] & ~0xffL | v & 0xff;
      case 2 -> c.r[reg] = c.r[reg] & ~0xffffL | v & 0xffff;
      case 4 -> c.r[reg] = v & 0xffff_ffffL;
      default -> c.r[reg] = v;
    }
  }

  /** EDX:EAX as one value. */
  static long edxEax(Cpu c) {
    return c.r[Cpu.RDX] << 32 | c.r[Cpu.RAX] & 0xffff_ffffL;
  }

  static void edxEax(Cpu c, long v) {
    c.r[Cpu.RAX] = v & 0xffff_ffffL;
    c.r[Cpu.RDX] = v >>> 32;
  }

  /** Restarts the instruction as #GP(0) unless the CPL is 0. */
  static void requireRing0(Cpu c) {
    if (c.cpl != 0) {
      throw gp();
    }
  }

  static GuestFault gp() {
    return GuestFault.of(GuestFault.GP, 0);
  }

  static GuestFault ud() {
    return GuestFault.of(GuestFault.UD);
  }

  /** Reads the memory operand, {@code op.size} bytes, zero-extended. */
  static long read(Cpu c, long la, int size) {
    return switch (size) {
      case 1 -> c.mmu.read8(la);
      case 2 -> c.mmu.read16(la);
      case 4 -> c.mmu.read32(la);
      default -> c.mmu.read64(la);
    };
  }

  static void store(Cpu c, long la, int size, long v) {
    switch (size) {
      case 1 -> c.mmu.write8(la, v);
      case 2 -> c.mmu.write16(la, v);
      case 4 -> c.mmu.write32(la, v);
      default -> c.mmu.write64(la, v);
    }
  }

  /** The 16-bit selector operand: register, or memory when {@code memory}. */
  static int selector(Cpu c, Op op, boolean memory, int reg) {
    return (int) (memory ? c.mmu.read16(op.address(c)) : c.r[reg]) & 0xffff;
  }
}
