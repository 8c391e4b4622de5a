package org.hypergraft.vmm.cpu.jit;

import static org.objectweb.asm.Opcodes.*;

import org.hypergraft.annotator.isa.Insn;
import org.hypergraft.annotator.isa.Mnemonic;
import org.hypergraft.vmm.cpu.Flags;
import org.hypergraft.vmm.cpu.simd.QuickDouble;
import org.objectweb.asm.Label;

/**
 * SSE2 arithmetic on doubles by the host's. What {@link QuickDouble#central} says is asked in line;
 * the exact question only where the answer is no, and where that is no too, the instruction is left
 * to its tier-0 op.
 */
final class DoubleCompiler {
  private static final String QUICK = VectorCompiler.QUICK;

  private final Code c;
  private final VectorLanes lanes;

  DoubleCompiler(Code c) {
    this.c = c;
    lanes = c.lanes;
  }

  private void quick(String method, String descriptor) {
    c.mv.visitMethodInsn(INVOKESTATIC, QUICK, method, descriptor, false);
  }

  private void loadDouble(int local) {
    c.mv.visitVarInsn(DLOAD, local);
  }

  private void storeDouble(int local) {
    c.mv.visitVarInsn(DSTORE, local);
  }

  private void bitsOf(int local) {
    loadDouble(local);
    lanes.bits();
  }

  // ---- scalar ----------------------------------------------------------------------------------

  void scalar(Insn i) {
    int d = i.reg[0];
    switch (i.mnemonic) {
      case ADDSD -> arithmetic(i, DADD, "sum");
      case SUBSD -> arithmetic(i, DSUB, "sum");
      case MULSD -> arithmetic(i, DMUL, "product");
      case DIVSD -> arithmetic(i, DDIV, "quotient");
      case SQRTSD -> {
        source(i);
        storeDouble(Locals.D0);
        root();
        loadDouble(Locals.D1);
        lanes.storeDouble(d);
        lanes.setOrdinary(d);
      }
      case MINSD, MAXSD -> {
        operands(i);
        smaller(i.mnemonic == Mnemonic.MINSD);
        lanes.storeDouble(d);
        lanes.setOrdinary(d);
      }
      case UCOMISD, COMISD -> {
        operands(i);
        quick("comparison", "(DD)J");
        c.storeLong(Locals.FA);
        c.flags(Flags.RAW);
      }
      case CVTSI2SD -> {
        c.pushSigned(i, 1, i.size[1]);
        c.op(L2D);
        lanes.storeDouble(d);
        lanes.setOrdinary(d);
      }
      case CVTTSD2SI -> {
        source(i);
        storeDouble(Locals.D0);
        bitsOf(Locals.D0);
        c.integer(i.size[0]);
        quick("truncates", "(JI)Z");
        c.jump(IFEQ, c.memory.miss());
        loadDouble(Locals.D0);
        c.op(D2L);
        c.storeRegister(i, 0, i.size[0]);
      }
      default -> throw new IllegalStateException("no scalar arithmetic: " + i.mnemonic);
    }
  }

  /** Pushes the low double of operand 1. */
  void source(Insn i) {
    if (i.kind[1] == Insn.MEM) {
      c.address(i);
      c.memory.readDouble();
    } else {
      lanes.pushDouble(i.reg[1]);
    }
  }

  /** Leaves both operands, the first below the second, on the stack and in D1 and D0; ordinary. */
  private void operands(Insn i) {
    source(i);
    storeDouble(Locals.D0);
    lanes.pushDouble(i.reg[0]);
    storeDouble(Locals.D1);
    requireOrdinary(i);
    loadDouble(Locals.D1);
    loadDouble(Locals.D0);
  }

  /** Leaves unless D0, operand 1, and D1, operand 0, are ordinary. */
  private void requireOrdinary(Insn i) {
    boolean memory = i.kind[1] == Insn.MEM;
    if (memory || !lanes.ordinary(i.reg[1])) {
      ordinary(Locals.D0);
      if (!memory) {
        lanes.setOrdinary(i.reg[1]);
      }
    }
    if (!lanes.ordinary(i.reg[0])) {
      ordinary(Locals.D1);
      lanes.setOrdinary(i.reg[0]);
    }
  }

  private void ordinary(int local) {
    unlessCentral(
        local,
        () -> {
          bitsOf(local);
          quick("ordinary", "(J)Z");
        });
  }

  /** Goes on if the double in {@code local} is central or what {@code exact} pushes is true. */
  private void unlessCentral(int local, Runnable exact) {
    Label detour = new Label();
    Label back = new Label();
    Label miss = c.memory.miss();
    loadDouble(local);
    quick("central", "(D)Z");
    c.jump(IFEQ, detour);
    c.label(back);
    c.detour(
        () -> {
          c.label(detour);
          exact.run();
          c.jump(IFNE, back);
          c.jump(GOTO, miss);
        });
  }

  private void arithmetic(Insn i, int opcode, String check) {
    operands(i);
    c.op(opcode);
    result(check);
    loadDouble(Locals.D2);
    lanes.storeDouble(i.reg[0]);
    lanes.setOrdinary(i.reg[0]);
  }

  /** Pops the result for operands D1 and D0 into D2 and leaves unless the host's is right. */
  private void result(String check) {
    storeDouble(Locals.D2);
    unlessCentral(
        Locals.D2,
        () -> {
          bitsOf(Locals.D1);
          bitsOf(Locals.D0);
          bitsOf(Locals.D2);
          quick(check, "(JJJ)Z");
        });
  }

  /** Puts the root of D0 into D1. */
  private void root() {
    loadDouble(Locals.D0);
    c.mv.visitMethodInsn(INVOKESTATIC, "java/lang/Math", "sqrt", "(D)D", false);
    storeDouble(Locals.D1);
    unlessCentral(
        Locals.D1,
        () -> {
          bitsOf(Locals.D0);
          quick("root", "(J)Z");
        });
  }

  /** Replaces two doubles by what MINSD or MAXSD makes of them, second operand on top. */
  private void smaller(boolean min) {
    quick(min ? "min" : "max", "(DD)D");
  }

  // ---- packed ----------------------------------------------------------------------------------

  /** One of two lanes: combines that of operand 0 with the bits in {@code local}, into there. */
  void element(Insn i, int lane, int local) {
    c.loadLong(local);
    lanes.number();
    storeDouble(Locals.D0);
    if (i.mnemonic == Mnemonic.SQRTPD) {
      root();
      bitsOf(Locals.D1);
      c.storeLong(local);
      return;
    }
    lanes.push(i.reg[0], lane);
    lanes.number();
    storeDouble(Locals.D1);
    ordinary(Locals.D0);
    ordinary(Locals.D1);
    loadDouble(Locals.D1);
    loadDouble(Locals.D0);
    switch (i.mnemonic) {
      case MINPD, MAXPD -> {
        smaller(i.mnemonic == Mnemonic.MINPD);
        storeDouble(Locals.D2);
      }
      case ADDPD -> packed(DADD, "sum");
      case SUBPD -> packed(DSUB, "sum");
      case MULPD -> packed(DMUL, "product");
      default -> packed(DDIV, "quotient");
    }
    bitsOf(Locals.D2);
    c.storeLong(local);
  }

  private void packed(int opcode, String check) {
    c.op(opcode);
    result(check);
  }
}
