package org.hypergraft.vmm.cpu.system;

import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.cpu.interpret.Op;

/**
 * Instructions that move segment registers. Loads in 64-bit code of all but SS cannot change how
 * code decodes, so they stay inside their block; the others end it.
 */
public final class SegmentOps {
  private SegmentOps() {}

  /** MOV Sreg, r16. */
  public static void loadRegister(Cpu c, Op op) {
    load(c, op, (int) c.r[op.s] & 0xffff);
  }

  /** MOV Sreg, m16. */
  public static void loadMemory(Cpu c, Op op) {
    load(c, op, (int) c.mmu.read16(op.address(c)));
  }

  private static void load(Cpu c, Op op, int selector) {
    Segments.load(c, op.d, selector);
    if (op.d == Cpu.SS) {
      shadow(c, op);
      c.debug.heldUntil = c.shadowEnd;
    }
  }

  /** One more instruction runs before interrupts are looked at; see {@link Cpu#shadowEnd}. */
  static void shadow(Cpu c, Op op) {
    // The rest of the block is already counted as retired.
    c.shadowEnd = c.retired() - op.rem + 2;
  }

  /** MOV r, Sreg: register destinations are zero-extended to the operand size. */
  public static void storeRegister(Cpu c, Op op) {
    Registers.write(c, op.d, op.size, c.sel[op.s] & 0xffff);
  }

  /** MOV m16, Sreg. */
  public static void storeMemory(Cpu c, Op op) {
    c.mmu.write16(op.address(c), c.sel[op.d]);
  }

  /** PUSH Sreg; {@code size} is the operand size. */
  public static void push(Cpu c, Op op) {
    Stack s = new Stack(c);
    // A 32-bit push of a selector writes only its 16 bits on current processors.
    if (op.size == 4) {
      s.reserve(4, c.sel[op.d]);
    } else {
      s.push(op.size, c.sel[op.d] & 0xffff);
    }
    s.commit();
  }

  /** POP Sreg. */
  public static void pop(Cpu c, Op op) {
    Stack s = new Stack(c);
    int selector = (int) s.pop(op.size) & 0xffff;
    Segments.load(c, op.d, selector);
    s.commit();
    if (op.d == Cpu.SS) {
      shadow(c, op);
      c.debug.heldUntil = c.shadowEnd;
    }
  }

  /** LDS, LES, LFS, LGS, LSS: the segment register is in {@code aux}. */
  public static void loadFar(Cpu c, Op op) {
    long la = op.address(c);
    long offset = Registers.read(c, la, op.size);
    int selector = (int) c.mmu.read16(la + op.size);
    Segments.load(c, op.aux, selector);
    Registers.write(c, op.d, op.size, offset);
  }
}
