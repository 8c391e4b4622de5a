package org.hypergraft.vmm.cpu.jit;

import static org.objectweb.asm.Opcodes.*;

import org.hypergraft.annotator.isa.Insn;
import org.hypergraft.annotator.isa.Mnemonic;

/**
 * SSE2 moves, logic and arithmetic on doubles in legacy encodings. Vector registers stay in {@code
 * Cpu.x}. What is not ordinary (SSE disabled, odd MXCSR, NaNs, denormals, misaligned operands) is
 * left to the tier-0 op, so nothing here raises an exception or changes MXCSR.
 */
final class VectorCompiler {
  static final String QUICK = "org/hypergraft/vmm/cpu/simd/QuickDouble";

  private final Code c;
  private final VectorLanes lanes;
  private final DoubleCompiler doubles;

  /** Whether this block has made sure that instructions may be done here. */
  private boolean ready;

  VectorCompiler(Code c) {
    this.c = c;
    lanes = c.lanes;
    doubles = new DoubleCompiler(c);
  }

  /** Control registers and MXCSR may have changed. */
  void forget() {
    ready = false;
    lanes.forget();
  }

  /** Emits the instruction. Returns whether it is one of this family. */
  boolean compile(Insn i) {
    if (!VectorForms.inline(i)) {
      return false;
    }
    if (!ready) {
      lanes.pushReady();
      c.jump(IFEQ, c.memory.miss());
      ready = true;
    }
    if (VectorForms.lanes(i)) {
      lanes(i);
    } else if (VectorForms.scalarArithmetic(i)) {
      doubles.scalar(i);
    } else if (VectorForms.doubles(i)) {
      packed(i);
    } else {
      move(i);
    }
    return true;
  }

  private void align() {
    c.loadLong(Locals.EA);
    c.op(L2I);
    c.integer(15);
    c.op(IAND);
    c.jump(IFNE, c.memory.miss());
  }

  /** Puts all of operand 1 into T0 and T1; a memory operand must be aligned. */
  private void source128(Insn i, boolean aligned) {
    if (i.kind[1] == Insn.MEM) {
      c.address(i);
      if (aligned) {
        align();
      }
      c.memory.read128();
    } else {
      lanes.load(Locals.T0, i.reg[1], 0);
      lanes.load(Locals.T1, i.reg[1], 1);
    }
  }

  /** Puts the low {@code size} bytes of operand 1 into T0. */
  private void source(Insn i, int size) {
    if (i.kind[1] == Insn.MEM) {
      c.address(i);
      c.memory.read(size, false);
    } else {
      lanes.push(i.reg[1], 0);
      c.unsigned(size);
    }
    c.storeLong(Locals.T0);
  }

  /** Stores {@code size} bytes of a lane of operand 1 to memory. */
  private void save(Insn i, int lane, int size) {
    c.address(i);
    c.memory.beginWrite(size);
    if (size == 8 && lane == 0) {
      lanes.pushDouble(i.reg[1]);
      c.memory.writeHostDouble();
      return;
    }
    lanes.load(Locals.T0, i.reg[1], lane);
    c.memory.writeHost(size, Locals.T0);
  }

  // ---- moves -----------------------------------------------------------------------------------

  private void move(Insn i) {
    int d = i.reg[0];
    boolean saves = i.kind[0] == Insn.MEM;
    boolean loads = i.kind[1] == Insn.MEM;
    switch (i.mnemonic) {
      case MOVAPS, MOVAPD, MOVDQA -> whole(i, true);
      case MOVUPS, MOVUPD, MOVDQU -> whole(i, false);
      case MOVSD -> {
        if (saves) {
          save(i, 0, 8);
        } else {
          low(i, 8, loads);
        }
      }
      case MOVSS -> {
        if (saves) {
          save(i, 0, 4);
        } else if (loads) {
          low(i, 4, true);
        } else {
          lanes.push(d, 0);
          c.longValue(-1L << 32);
          c.op(LAND);
          lanes.push(i.reg[1], 0);
          c.unsigned(4);
          c.op(LOR);
          c.storeLong(Locals.T0);
          lanes.store(d, 0, Locals.T0);
        }
      }
      case MOVQ, MOVD -> general(i);
      case MOVLPS, MOVLPD -> {
        if (saves) {
          save(i, 0, 8);
        } else {
          low(i, 8, false);
        }
      }
      case MOVHPS, MOVHPD -> {
        if (saves) {
          save(i, 1, 8);
        } else {
          source(i, 8);
          lanes.store(d, 1, Locals.T0);
        }
      }
      case MOVHLPS -> {
        lanes.load(Locals.T0, i.reg[1], 1);
        lanes.store(d, 0, Locals.T0);
      }
      case MOVLHPS -> {
        lanes.load(Locals.T0, i.reg[1], 0);
        lanes.store(d, 1, Locals.T0);
      }
      case UNPCKLPD -> {
        source128(i, true);
        lanes.store(d, 1, Locals.T0);
      }
      case UNPCKHPD -> {
        source128(i, true);
        lanes.load(Locals.T0, d, 1);
        lanes.store(d, 0, Locals.T0);
        lanes.store(d, 1, Locals.T1);
      }
      default -> throw new IllegalStateException("no vector move: " + i.mnemonic);
    }
  }

  private void whole(Insn i, boolean aligned) {
    if (i.kind[0] == Insn.MEM) {
      c.address(i);
      if (aligned) {
        align();
      }
      c.memory.beginWrite(16);
      lanes.load(Locals.T0, i.reg[1], 0);
      lanes.load(Locals.T1, i.reg[1], 1);
      c.memory.writeHost128(Locals.T0, Locals.T1);
      return;
    }
    if (i.kind[1] != Insn.MEM) {
      lanes.pushDouble(i.reg[1]);
      lanes.storeDouble(i.reg[0]);
      if (lanes.ordinary(i.reg[1])) {
        lanes.setOrdinary(i.reg[0]);
      }
      lanes.copyHigh(i.reg[0], i.reg[1]);
      return;
    }
    source128(i, aligned);
    lanes.store(i.reg[0], 0, Locals.T0);
    lanes.store(i.reg[0], 1, Locals.T1);
  }

  private void low(Insn i, int size, boolean clears) {
    if (size == 8) {
      doubles.source(i);
      lanes.storeDouble(i.reg[0]);
    } else {
      source(i, size);
      lanes.store(i.reg[0], 0, Locals.T0);
    }
    if (clears) {
      lanes.clearHigh(i.reg[0]);
    }
  }

  /** MOVD and MOVQ between vector and general registers and memory. */
  private void general(Insn i) {
    int size = i.size[i.kind[0] == Insn.XMM ? 1 : 0];
    if (i.kind[0] == Insn.MEM) {
      save(i, 0, size);
    } else if (i.kind[0] == Insn.GPR) {
      lanes.push(i.reg[1], 0);
      c.storeRegister(i, 0, size);
    } else if (i.kind[1] == Insn.GPR) {
      c.pushUnsigned(i, 1, size);
      c.storeLong(Locals.T0);
      lanes.store(i.reg[0], 0, Locals.T0);
      lanes.clearHigh(i.reg[0]);
    } else {
      low(i, i.mnemonic == Mnemonic.MOVQ ? 8 : size, true);
    }
  }

  private void packed(Insn i) {
    source128(i, true);
    doubles.element(i, 0, Locals.T0);
    doubles.element(i, 1, Locals.T1);
    lanes.store(i.reg[0], 0, Locals.T0);
    lanes.store(i.reg[0], 1, Locals.T1);
  }

  // ---- lanes -----------------------------------------------------------------------------------

  private void lanes(Insn i) {
    if (i.kind[1] == Insn.XMM && i.reg[0] == i.reg[1] && exclusive(i)) {
      c.op(DCONST_0);
      lanes.storeDouble(i.reg[0]);
      lanes.setOrdinary(i.reg[0]);
      lanes.clearHigh(i.reg[0]);
      return;
    }
    source128(i, true);
    int[] locals = {Locals.T0, Locals.T1};
    for (int lane = 0; lane < 2; lane++) {
      lanes.push(i.reg[0], lane);
      switch (i.mnemonic) {
        case PANDN, ANDNPS, ANDNPD -> {
          c.longValue(-1);
          c.op(LXOR);
        }
        default -> {}
      }
      c.loadLong(locals[lane]);
      c.op(
          switch (i.mnemonic) {
            case PXOR, XORPS, XORPD -> LXOR;
            case POR, ORPS, ORPD -> LOR;
            case PADDQ -> LADD;
            case PSUBQ -> LSUB;
            default -> LAND;
          });
      c.storeLong(locals[lane]);
    }
    lanes.store(i.reg[0], 0, Locals.T0);
    lanes.store(i.reg[0], 1, Locals.T1);
  }

  private static boolean exclusive(Insn i) {
    return switch (i.mnemonic) {
      case PXOR, XORPS, XORPD -> true;
      default -> false;
    };
  }
}
