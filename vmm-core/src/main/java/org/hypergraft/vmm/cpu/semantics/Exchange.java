package org.hypergraft.vmm.cpu.semantics;

import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.cpu.Flags;
import org.hypergraft.vmm.cpu.interpret.Op;
import org.hypergraft.vmm.mmu.GuestFault;
import org.hypergraft.vmm.mmu.Mmu;

/**
 * XCHG, XADD, CMPXCHG and its double-width forms. One vCPU runs at a time, so a locked access is a
 * plain one.
 *
 * <p>{@link Op#d} is the first register operand; with two registers {@link Op#s} is the second.
 * {@link Op#aux} bits: {@link #D_HIGH} and {@link #S_HIGH} mark AH to BH.
 */
public final class Exchange {
  public static final int D_HIGH = 1;
  public static final int S_HIGH = 2;

  private Exchange() {}

  public static void exchangeRegisters(Cpu c, Op op) {
    boolean dHigh = (op.aux & D_HIGH) != 0;
    boolean sHigh = (op.aux & S_HIGH) != 0;
    long a = Registers.read(c, op.d, op.size, dHigh);
    long b = Registers.read(c, op.s, op.size, sHigh);
    Registers.write(c, op.d, op.size, dHigh, b);
    Registers.write(c, op.s, op.size, sHigh, a);
  }

  public static void exchangeMemory(Cpu c, Op op) {
    boolean high = (op.aux & D_HIGH) != 0;
    long la = op.address(c);
    long v = Registers.loadForUpdate(c.mmu, la, op.size);
    Registers.store(c.mmu, la, op.size, Registers.read(c, op.d, op.size, high));
    Registers.write(c, op.d, op.size, high, v);
  }

  private static long add(Cpu c, int size, long a, long b) {
    switch (size) {
      case 1:
        return Alu.add8(c, a, b);
      case 2:
        return Alu.add16(c, a, b);
      case 4:
        return Alu.add32(c, a, b);
      default:
        return Alu.add64(c, a, b);
    }
  }

  private static void compare(Cpu c, int size, long a, long b) {
    switch (size) {
      case 1:
        Alu.cmp8(c, a, b);
        break;
      case 2:
        Alu.cmp16(c, a, b);
        break;
      case 4:
        Alu.cmp32(c, a, b);
        break;
      default:
        Alu.cmp64(c, a, b);
        break;
    }
  }

  public static void addRegisters(Cpu c, Op op) {
    boolean dHigh = (op.aux & D_HIGH) != 0;
    boolean sHigh = (op.aux & S_HIGH) != 0;
    long a = Registers.read(c, op.d, op.size, dHigh);
    long sum = add(c, op.size, a, Registers.read(c, op.s, op.size, sHigh));
    // the source first: with equal registers the sum stays
    Registers.write(c, op.s, op.size, sHigh, a);
    Registers.write(c, op.d, op.size, dHigh, sum);
  }

  public static void addMemory(Cpu c, Op op) {
    boolean high = (op.aux & D_HIGH) != 0;
    long la = op.address(c);
    long a = Registers.loadForUpdate(c.mmu, la, op.size);
    long b = Registers.read(c, op.d, op.size, high);
    Registers.store(c.mmu, la, op.size, a + b);
    add(c, op.size, a, b);
    Registers.write(c, op.d, op.size, high, a);
  }

  public static void compareRegisters(Cpu c, Op op) {
    boolean dHigh = (op.aux & D_HIGH) != 0;
    long a = Registers.read(c, Cpu.RAX, op.size, false);
    long b = Registers.read(c, op.d, op.size, dHigh);
    compare(c, op.size, a, b);
    if (a == b) {
      long v = Registers.read(c, op.s, op.size, (op.aux & S_HIGH) != 0);
      Registers.write(c, op.d, op.size, dHigh, v);
    } else {
      // processors leave an unequal 32-bit destination alone, its upper half included
      Registers.write(c, Cpu.RAX, op.size, false, b);
    }
  }

  /** The destination is written in any case, so it must be writable even when nothing changes. */
  public static void compareMemory(Cpu c, Op op) {
    Mmu m = c.mmu;
    long la = op.address(c);
    switch (op.size) {
      case 4:
        {
          long b = m.rmw32(la);
          Alu.cmp32(c, c.r[Cpu.RAX], b);
          if ((int) c.r[Cpu.RAX] == (int) b) {
            m.write32(la, c.r[op.d]);
          } else {
            c.r[Cpu.RAX] = b;
          }
          return;
        }
      case 8:
        {
          long b = m.rmw64(la);
          Alu.cmp64(c, c.r[Cpu.RAX], b);
          if (c.r[Cpu.RAX] == b) {
            m.write64(la, c.r[op.d]);
          } else {
            c.r[Cpu.RAX] = b;
          }
          return;
        }
      default:
        compareNarrow(c, op, la);
    }
  }

  private static void compareNarrow(Cpu c, Op op, long la) {
    int size = op.size;
    long a = Registers.read(c, Cpu.RAX, size, false);
    long b = Registers.loadForUpdate(c.mmu, la, size);
    compare(c, size, a, b);
    if (a == b) {
      long v = Registers.read(c, op.d, size, (op.aux & D_HIGH) != 0);
      Registers.store(c.mmu, la, size, v);
    } else {
      Registers.write(c, Cpu.RAX, size, false, b);
    }
  }

  /** CMPXCHG8B: EDX:EAX against memory, ECX:EBX goes in. Only ZF changes. */
  public static void compare8(Cpu c, Op op) {
    long la = op.address(c);
    long v = c.mmu.rmw64(la);
    long[] r = c.r;
    long expected = r[Cpu.RDX] << 32 | (r[Cpu.RAX] & 0xffff_ffffL);
    boolean equal = v == expected;
    if (equal) {
      c.mmu.write64(la, r[Cpu.RCX] << 32 | (r[Cpu.RBX] & 0xffff_ffffL));
    } else {
      r[Cpu.RAX] = v & 0xffff_ffffL;
      r[Cpu.RDX] = v >>> 32;
    }
    Flags.setZero(c, equal);
  }

  /** CMPXCHG16B: RDX:RAX against memory, RCX:RBX goes in. Misaligned operands raise #GP(0). */
  public static void compare16(Cpu c, Op op) {
    long la = op.address(c);
    if ((la & 15) != 0) {
      throw GuestFault.of(GuestFault.GP, 0);
    }
    long low = c.mmu.rmw64(la);
    long high = c.mmu.read64(la + 8);
    long[] r = c.r;
    boolean equal = low == r[Cpu.RAX] && high == r[Cpu.RDX];
    if (equal) {
      c.mmu.write64(la, r[Cpu.RBX]);
      c.mmu.write64(la + 8, r[Cpu.RCX]);
    } else {
      r[Cpu.RAX] = low;
      r[Cpu.RDX] = high;
    }
    Flags.setZero(c, equal);
  }
}
