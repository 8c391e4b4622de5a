package org.hypergraft.vmm.cpu.jit;

import static org.objectweb.asm.Opcodes.*;

import org.hypergraft.annotator.isa.Insn;
import org.hypergraft.annotator.isa.Mnemonic;
import org.hypergraft.vmm.cpu.Flags;

/**
 * SSE2 moves, logic and arithmetic on doubles in legacy encodings. Vector registers stay in {@code
 * Cpu.x}. What is not ordinary (SSE disabled, odd MXCSR, NaNs, denormals, misaligned operands) is
 * left to the tier-0 op, so nothing here raises an exception or changes MXCSR.
 */
final class VectorCompiler {
  private static final String QUICK = "org/hypergraft/vmm/cpu/simd/QuickDouble";

  private final Code c;

  /** Whether this block has made sure that instructions may be done here. */
  private boolean ready;

  VectorCompiler(Code c) {
    this.c = c;
  }

  /** Control registers and MXCSR may have changed. */
  void forget() {
    ready = false;
  }

  /** Emits the instruction. Returns whether it is one of this family. */
  boolean compile(Insn i) {
    if (!VectorForms.inline(i)) {
      return false;
    }
    if (!ready) {
      c.mv.visitVarInsn(ALOAD, Locals.CPU);
      quick("ready", "(L" + Code.CPU + ";)Z");
      c.jump(IFEQ, c.memory.miss());
      ready = true;
    }
    if (VectorForms.lanes(i)) {
      lanes(i);
    } else if (VectorForms.doubles(i)) {
      doubles(i);
    } else {
      move(i);
    }
    return true;
  }

  private void quick(String method, String descriptor) {
    c.mv.visitMethodInsn(INVOKESTATIC, QUICK, method, descriptor, false);
  }

  // ---- lanes of Cpu.x --------------------------------------------------------------------------

  private void push(int register, int lane) {
    c.mv.visitVarInsn(ALOAD, Locals.VECTORS);
    c.integer(register * 4 + lane);
    c.op(LALOAD);
  }

  private void store(int register, int lane, int local) {
    c.mv.visitVarInsn(ALOAD, Locals.VECTORS);
    c.integer(register * 4 + lane);
    c.loadLong(local);
    c.op(LASTORE);
  }

  private void clear(int register, int lane) {
    c.mv.visitVarInsn(ALOAD, Locals.VECTORS);
    c.integer(register * 4 + lane);
    c.op(LCONST_0);
    c.op(LASTORE);
  }

  private void load(int local, int register, int lane) {
    push(register, lane);
    c.storeLong(local);
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
      load(Locals.T0, i.reg[1], 0);
      load(Locals.T1, i.reg[1], 1);
    }
  }

  /** Puts the low {@code size} bytes of operand 1 into T0. */
  private void source(Insn i, int size) {
    if (i.kind[1] == Insn.MEM) {
      c.address(i);
      c.memory.read(size, false);
    } else {
      push(i.reg[1], 0);
      c.unsigned(size);
    }
    c.storeLong(Locals.T0);
  }

  /** Stores {@code size} bytes of a lane of operand 1 to memory. */
  private void save(Insn i, int lane, int size) {
    c.address(i);
    c.memory.beginWrite(size);
    load(Locals.T0, i.reg[1], lane);
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
          push(d, 0);
          c.longValue(-1L << 32);
          c.op(LAND);
          push(i.reg[1], 0);
          c.unsigned(4);
          c.op(LOR);
          c.storeLong(Locals.T0);
          store(d, 0, Locals.T0);
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
          store(d, 1, Locals.T0);
        }
      }
      case MOVHLPS -> {
        load(Locals.T0, i.reg[1], 1);
        store(d, 0, Locals.T0);
      }
      case MOVLHPS -> {
        load(Locals.T0, i.reg[1], 0);
        store(d, 1, Locals.T0);
      }
      case UNPCKLPD -> {
        source128(i, true);
        store(d, 1, Locals.T0);
      }
      case UNPCKHPD -> {
        source128(i, true);
        load(Locals.T0, d, 1);
        store(d, 0, Locals.T0);
        store(d, 1, Locals.T1);
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
      load(Locals.T0, i.reg[1], 0);
      load(Locals.T1, i.reg[1], 1);
      c.memory.writeHost128(Locals.T0, Locals.T1);
      return;
    }
    source128(i, aligned);
    store(i.reg[0], 0, Locals.T0);
    store(i.reg[0], 1, Locals.T1);
  }

  private void low(Insn i, int size, boolean clears) {
    source(i, size);
    store(i.reg[0], 0, Locals.T0);
    if (clears) {
      clear(i.reg[0], 1);
    }
  }

  /** MOVD and MOVQ between vector and general registers and memory. */
  private void general(Insn i) {
    int size = i.size[i.kind[0] == Insn.XMM ? 1 : 0];
    if (i.kind[0] == Insn.MEM) {
      save(i, 0, size);
    } else if (i.kind[0] == Insn.GPR) {
      push(i.reg[1], 0);
      c.storeRegister(i, 0, size);
    } else if (i.kind[1] == Insn.GPR) {
      c.pushUnsigned(i, 1, size);
      c.storeLong(Locals.T0);
      store(i.reg[0], 0, Locals.T0);
      clear(i.reg[0], 1);
    } else {
      low(i, i.mnemonic == Mnemonic.MOVQ ? 8 : size, true);
    }
  }

  // ---- lanes -----------------------------------------------------------------------------------

  private void lanes(Insn i) {
    source128(i, true);
    int[] locals = {Locals.T0, Locals.T1};
    for (int lane = 0; lane < 2; lane++) {
      push(i.reg[0], lane);
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
    store(i.reg[0], 0, Locals.T0);
    store(i.reg[0], 1, Locals.T1);
  }

  // ---- doubles ---------------------------------------------------------------------------------

  private void doubles(Insn i) {
    switch (i.mnemonic) {
      case ADDSD, SUBSD, MULSD, DIVSD, SQRTSD, MINSD, MAXSD -> {
        source(i, 8);
        element(i, 0, Locals.T0);
        store(i.reg[0], 0, Locals.T0);
      }
      case UCOMISD, COMISD -> {
        source(i, 8);
        load(Locals.T1, i.reg[0], 0);
        requireOrdinary();
        c.loadLong(Locals.T1);
        c.loadLong(Locals.T0);
        quick("comparison", "(JJ)J");
        c.storeLong(Locals.FA);
        c.flags(Flags.RAW);
      }
      case CVTSI2SD -> {
        c.pushSigned(i, 1, i.size[1]);
        c.op(L2D);
        bits();
        c.storeLong(Locals.T0);
        store(i.reg[0], 0, Locals.T0);
      }
      case CVTTSD2SI -> {
        source(i, 8);
        c.loadLong(Locals.T0);
        c.integer(i.size[0]);
        quick("truncates", "(JI)Z");
        c.jump(IFEQ, c.memory.miss());
        number(Locals.T0);
        c.op(D2L);
        c.storeRegister(i, 0, i.size[0]);
      }
      default -> {
        source128(i, true);
        element(i, 0, Locals.T0);
        element(i, 1, Locals.T1);
        store(i.reg[0], 0, Locals.T0);
        store(i.reg[0], 1, Locals.T1);
      }
    }
  }

  private void requireOrdinary() {
    c.loadLong(Locals.T1);
    c.loadLong(Locals.T0);
    quick("ordinary", "(JJ)Z");
    c.jump(IFEQ, c.memory.miss());
  }

  private void number(int local) {
    c.loadLong(local);
    c.mv.visitMethodInsn(INVOKESTATIC, "java/lang/Double", "longBitsToDouble", "(J)D", false);
  }

  private void bits() {
    c.mv.visitMethodInsn(INVOKESTATIC, "java/lang/Double", "doubleToRawLongBits", "(D)J", false);
  }

  /** Combines a lane of operand 0 with {@code local}, and leaves the result there. */
  private void element(Insn i, int lane, int local) {
    switch (i.mnemonic) {
      case SQRTSD, SQRTPD -> {
        c.loadLong(local);
        quick("root", "(J)Z");
        c.jump(IFEQ, c.memory.miss());
        number(local);
        c.mv.visitMethodInsn(INVOKESTATIC, "java/lang/Math", "sqrt", "(D)D", false);
        bits();
        c.storeLong(local);
      }
      case MINSD, MINPD, MAXSD, MAXPD -> {
        load(Locals.HOST, i.reg[0], lane);
        c.loadLong(Locals.HOST);
        c.loadLong(local);
        quick("ordinary", "(JJ)Z");
        c.jump(IFEQ, c.memory.miss());
        c.loadLong(Locals.HOST);
        c.loadLong(local);
        boolean min = i.mnemonic == Mnemonic.MINSD || i.mnemonic == Mnemonic.MINPD;
        quick(min ? "min" : "max", "(JJ)J");
        c.storeLong(local);
      }
      case ADDSD, ADDPD -> arithmetic(i, lane, local, DADD, "sum");
      case SUBSD, SUBPD -> arithmetic(i, lane, local, DSUB, "sum");
      case MULSD, MULPD -> arithmetic(i, lane, local, DMUL, "product");
      default -> arithmetic(i, lane, local, DDIV, "quotient");
    }
  }

  private void arithmetic(Insn i, int lane, int local, int opcode, String check) {
    load(Locals.HOST, i.reg[0], lane);
    number(Locals.HOST);
    number(local);
    c.op(opcode);
    bits();
    c.storeLong(Locals.ENTRY);
    c.loadLong(Locals.HOST);
    c.loadLong(local);
    c.loadLong(Locals.ENTRY);
    quick(check, "(JJJ)Z");
    c.jump(IFEQ, c.memory.miss());
    c.loadLong(Locals.ENTRY);
    c.storeLong(local);
  }
}
