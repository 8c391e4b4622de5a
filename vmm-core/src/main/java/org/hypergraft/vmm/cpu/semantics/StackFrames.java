package org.hypergraft.vmm.cpu.semantics;

import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.cpu.interpret.Op;
import org.hypergraft.vmm.cpu.interpret.Stack;
import org.hypergraft.vmm.mmu.GuestFault;
import org.hypergraft.vmm.mmu.MmioRestart;

/** ENTER, LEAVE, PUSHA, POPA and POP into memory. */
public final class StackFrames {
  private StackFrames() {}

  public static void leave64(Cpu c, Op op) {
    long[] r = c.r;
    long bp = r[Cpu.RBP];
    r[Cpu.RBP] = c.mmu.read64(bp);
    r[Cpu.RSP] = bp + 8;
  }

  /** LEAVE in flat 32-bit code. */
  public static void leaveFlat32(Cpu c, Op op) {
    long[] r = c.r;
    long bp = r[Cpu.RBP] & 0xffff_ffffL;
    r[Cpu.RBP] = c.mmu.read32(bp);
    r[Cpu.RSP] = bp + 4 & 0xffff_ffffL;
  }

  public static void leave(Cpu c, Op op) {
    long sp = c.r[Cpu.RSP];
    Stack.set(c, c.r[Cpu.RBP]);
    long v = popOrRestore(c, op.size, sp);
    Registers.write(c, Cpu.RBP, op.size, false, v);
  }

  private static long popOrRestore(Cpu c, int size, long sp) {
    try {
      return Stack.pop(c, size);
    } catch (GuestFault | MmioRestart e) {
      c.r[Cpu.RSP] = sp;
      throw e;
    }
  }

  /** ENTER imm16, imm8: {@link Op#imm} bytes of locals, nesting level in {@link Op#aux}. */
  public static void enter(Cpu c, Op op) {
    long[] r = c.r;
    int size = op.size;
    int level = op.aux;
    long sp = r[Cpu.RSP];
    long bp = r[Cpu.RBP];
    try {
      Stack.push(c, size, bp);
      long frame = r[Cpu.RSP];
      if (level > 0) {
        for (int i = 1; i < level; i++) {
          // the frame pointers of enclosing procedures lie below the one RBP points to
          long from = bp - (long) i * size;
          Stack.push(c, size, Registers.load(c.mmu, Stack.at(c, from - r[Cpu.RSP], size), size));
        }
        Stack.push(c, size, frame);
      }
      long top = Stack.moved(c, -(op.imm & 0xffff));
      c.mmu.probeWrite(Stack.at(c, -(op.imm & 0xffff), 1), 1);
      Registers.write(c, Cpu.RBP, size, false, frame);
      Stack.set(c, top);
    } catch (GuestFault | MmioRestart e) {
      r[Cpu.RSP] = sp;
      throw e;
    }
  }

  public static void pushAll(Cpu c, Op op) {
    long sp = c.r[Cpu.RSP];
    try {
      for (int i = Cpu.RAX; i <= Cpu.RDI; i++) {
        Stack.push(c, op.size, i == Cpu.RSP ? sp : c.r[i]);
      }
    } catch (GuestFault | MmioRestart e) {
      c.r[Cpu.RSP] = sp;
      throw e;
    }
  }

  public static void popAll(Cpu c, Op op) {
    int size = op.size;
    // prove all of it readable before any register changes
    for (int i = 0; i < 8; i++) {
      Registers.load(c.mmu, Stack.at(c, (long) i * size, size), size);
    }
    for (int i = Cpu.RDI; i >= Cpu.RAX; i--) {
      long v = Stack.pop(c, size);
      if (i != Cpu.RSP) {
        Registers.write(c, i, size, false, v);
      }
    }
  }

  /** POP m: an address based on RSP uses its value after the pop (Intel SDM, POP). */
  public static void popMemory(Cpu c, Op op) {
    long sp = c.r[Cpu.RSP];
    long v = Stack.pop(c, op.size);
    try {
      Registers.store(c.mmu, op.address(c), op.size, v);
    } catch (GuestFault | MmioRestart e) {
      c.r[Cpu.RSP] = sp;
      throw e;
    }
  }
}
