package org.hypergraft.vmm.cpu.jit;

import static org.objectweb.asm.Opcodes.*;

import org.hypergraft.annotator.isa.Insn;

/**
 * The two lower lanes of the vector registers of a region. They lie in {@code Cpu.x}; but where the
 * region computes with scalar doubles, the low lanes that it uses are doubles in JVM locals.
 */
final class VectorLanes {
  private final Code c;

  /** Registers whose low lane is in a local, bit per number, and those among them written. */
  private final int held;

  private final int heldWritten;
  private final boolean vectors;
  private final boolean resident;

  /** Registers whose low lane is known to hold a normal number or zero. */
  private int ordinary;

  /** Registers whose second lane is known to be zero. */
  private int highZero;

  VectorLanes(Code c, RegionShape shape) {
    this.c = c;
    int used = 0;
    int written = 0;
    boolean any = false;
    boolean scalar = false;
    for (RegionBlock b : shape.blocks()) {
      for (Insn i : b.insns()) {
        if (!VectorForms.inline(i)) {
          continue;
        }
        any = true;
        scalar |= VectorForms.scalarArithmetic(i);
        for (int k = 0; k < i.operands; k++) {
          if (i.kind[k] == Insn.XMM) {
            used |= 1 << i.reg[k];
            written |= k == 0 ? 1 << i.reg[k] : 0;
          }
        }
      }
    }
    vectors = any;
    resident = shape.resident();
    held = scalar && resident ? used : 0;
    heldWritten = scalar && resident ? written : 0;
  }

  private boolean held(int register, int lane) {
    return lane == 0 && (held >> register & 1) != 0;
  }

  private static int local(int register) {
    return Locals.LANES + 2 * register;
  }

  // ---- whole state -----------------------------------------------------------------------------

  /** Loads what is held in locals, and whether vector instructions may be done in the region. */
  void load() {
    if (!vectors) {
      return;
    }
    askReady();
    c.mv.visitVarInsn(ISTORE, Locals.READY);
    loadHeld();
  }

  private void askReady() {
    c.mv.visitVarInsn(ALOAD, Locals.CPU);
    c.mv.visitMethodInsn(
        INVOKESTATIC, VectorCompiler.QUICK, "ready", "(" + Code.CPU_TYPE + ")Z", false);
  }

  /** Pushes whether vector instructions may be done in the region. */
  void pushReady() {
    if (resident) {
      c.mv.visitVarInsn(ILOAD, Locals.READY);
    } else {
      askReady();
    }
  }

  void loadHeld() {
    for (int r = 0; r < 16; r++) {
      if ((held >> r & 1) != 0) {
        element(r, 0);
        c.op(LALOAD);
        number();
        c.mv.visitVarInsn(DSTORE, local(r));
      }
    }
  }

  /** Writes back what is held in locals. */
  void spill() {
    for (int r = 0; r < 16; r++) {
      if ((heldWritten >> r & 1) != 0) {
        element(r, 0);
        push(r, 0);
        c.op(LASTORE);
      }
    }
  }

  /** What is known of the registers does not hold any more. */
  void forget() {
    ordinary = 0;
    highZero = 0;
  }

  // ---- lanes as bits ---------------------------------------------------------------------------

  private void element(int register, int lane) {
    c.mv.visitVarInsn(ALOAD, Locals.VECTORS);
    c.integer(register * 4 + lane);
  }

  void push(int register, int lane) {
    if (held(register, lane)) {
      c.mv.visitVarInsn(DLOAD, local(register));
      bits();
    } else {
      element(register, lane);
      c.op(LALOAD);
    }
  }

  void load(int local, int register, int lane) {
    push(register, lane);
    c.storeLong(local);
  }

  void store(int register, int lane, int local) {
    changed(register, lane);
    if (held(register, lane)) {
      c.loadLong(local);
      number();
      c.mv.visitVarInsn(DSTORE, local(register));
    } else {
      element(register, lane);
      c.loadLong(local);
      c.op(LASTORE);
    }
  }

  private void changed(int register, int lane) {
    if (lane == 0) {
      ordinary &= ~(1 << register);
    } else {
      highZero &= ~(1 << register);
    }
  }

  /** Makes the second lane zero. */
  void clearHigh(int register) {
    if ((highZero >> register & 1) == 0) {
      element(register, 1);
      c.op(LCONST_0);
      c.op(LASTORE);
      highZero |= 1 << register;
    }
  }

  void copyHigh(int to, int from) {
    if ((highZero >> from & 1) != 0) {
      clearHigh(to);
    } else if (to != from) {
      element(to, 1);
      push(from, 1);
      c.op(LASTORE);
      changed(to, 1);
    }
  }

  // ---- low lanes as doubles --------------------------------------------------------------------

  void pushDouble(int register) {
    if (held(register, 0)) {
      c.mv.visitVarInsn(DLOAD, local(register));
    } else {
      push(register, 0);
      number();
    }
  }

  /** Pops a double into the low lane. */
  void storeDouble(int register) {
    changed(register, 0);
    if (held(register, 0)) {
      c.mv.visitVarInsn(DSTORE, local(register));
    } else {
      bits();
      c.storeLong(Locals.T0);
      store(register, 0, Locals.T0);
    }
  }

  boolean ordinary(int register) {
    return (ordinary >> register & 1) != 0;
  }

  void setOrdinary(int register) {
    ordinary |= 1 << register;
  }

  /** Turns the bits on the stack into a double. */
  void number() {
    c.mv.visitMethodInsn(INVOKESTATIC, "java/lang/Double", "longBitsToDouble", "(J)D", false);
  }

  /** Turns the double on the stack into its bits. */
  void bits() {
    c.mv.visitMethodInsn(INVOKESTATIC, "java/lang/Double", "doubleToRawLongBits", "(D)J", false);
  }
}
