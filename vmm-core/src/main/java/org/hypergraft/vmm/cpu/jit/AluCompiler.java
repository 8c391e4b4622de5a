package org.hypergraft.vmm.cpu.jit;

import static org.objectweb.asm.Opcodes.*;

import org.hypergraft.annotator.isa.Insn;
import org.hypergraft.annotator.isa.Mnemonic;
import org.hypergraft.vmm.cpu.Flags;

/**
 * Arithmetic, logic, shifts and bit operations. Where the flags are dead, or are those of a plain
 * addition, subtraction or logic operation, bytecode is emitted inline; all else calls the
 * semantics that tier 0 uses.
 */
final class AluCompiler {
  private static final String SEMANTICS = "org/hypergraft/vmm/cpu/semantics/";
  private static final String BINARY = "(Lorg/hypergraft/vmm/cpu/Cpu;JJ)J";
  private static final String COMPARE = "(Lorg/hypergraft/vmm/cpu/Cpu;JJ)V";
  private static final String UNARY = "(Lorg/hypergraft/vmm/cpu/Cpu;J)J";

  private final Code c;

  AluCompiler(Code c) {
    this.c = c;
  }

  /** Emits the instruction. Returns whether it is one of this family. */
  boolean compile(Insn i, boolean flagsLive) {
    switch (i.mnemonic) {
      case ADD -> arithmetic(i, LADD, Flags.ADD, flagsLive, true);
      case SUB -> arithmetic(i, LSUB, Flags.SUB, flagsLive, true);
      case CMP -> arithmetic(i, LSUB, Flags.SUB, flagsLive, false);
      case AND -> arithmetic(i, LAND, Flags.LOGIC, flagsLive, true);
      case OR -> arithmetic(i, LOR, Flags.LOGIC, flagsLive, true);
      case XOR -> arithmetic(i, LXOR, Flags.LOGIC, flagsLive, true);
      case TEST -> arithmetic(i, LAND, Flags.LOGIC, flagsLive, false);
      case ADC -> binary(i, "Alu", "adc", true, Flags.EXPLICIT);
      case SBB -> binary(i, "Alu", "sbb", true, Flags.EXPLICIT);
      case INC -> step(i, "inc", LADD, flagsLive);
      case DEC -> step(i, "dec", LSUB, flagsLive);
      case NEG -> negate(i, flagsLive);
      case NOT -> not(i);
      case SHL -> shift(i, "shl", LSHL, flagsLive);
      case SHR -> shift(i, "shr", LUSHR, flagsLive);
      case SAR -> shift(i, "sar", LSHR, flagsLive);
      case ROL -> binary(i, "Shift", "rol", true, Code.UNKNOWN);
      case ROR -> binary(i, "Shift", "ror", true, Code.UNKNOWN);
      case IMUL -> multiply(i, flagsLive);
      case MUL -> wideMultiply(i);
      case BT -> bitTest(i, flagsLive);
      case BTS -> binary(i, "Bits", "bts", true, Code.UNKNOWN);
      case BTR -> binary(i, "Bits", "btr", true, Code.UNKNOWN);
      case BSF -> scan(i, "bsf");
      case BSR -> scan(i, "bsr");
      case BSWAP -> byteSwap(i);
      default -> {
        return false;
      }
    }
    return true;
  }

  private static boolean sameRegister(Insn i) {
    return i.kind[0] == Insn.GPR && i.kind[1] == Insn.GPR && i.reg[0] == i.reg[1];
  }

  private void arithmetic(Insn i, int opcode, int kind, boolean live, boolean writes) {
    int size = i.opSize;
    if (sameRegister(i) && i.mnemonic == Mnemonic.XOR) {
      c.op(LCONST_0);
      if (live) {
        c.op(DUP2);
        c.storeLong(Locals.FR);
        c.flags(Flags.LOGIC);
      }
      c.storeRegister(i, 0, size);
      return;
    }
    boolean memoryDestination = writes && i.kind[0] == Insn.MEM;
    if (memoryDestination) {
      c.pushSignedForWrite(i, 0, size);
    } else {
      c.pushSigned(i, 0, size);
    }
    if (sameRegister(i)) {
      c.op(DUP2);
    } else {
      c.pushSigned(i, 1, size);
    }
    if (live && kind != Flags.LOGIC) {
      // both operands have been read: nothing faults from here on
      c.storeLong(Locals.FB);
      c.storeLong(Locals.FA);
      c.loadLong(Locals.FA);
      c.loadLong(Locals.FB);
    }
    c.op(opcode);
    if (live) {
      if (kind != Flags.LOGIC) {
        // logic on sign-extended operands is sign-extended already
        c.signed(size);
      }
      if (writes) {
        c.op(DUP2);
      }
      c.storeLong(Locals.FR);
      c.flags(kind);
    }
    if (!writes) {
      if (!live) {
        c.op(POP2);
      }
    } else {
      store(i, size);
    }
  }

  /** Pops the result into operand 0. */
  private void store(Insn i, int size) {
    if (i.kind[0] == Insn.MEM) {
      c.storeLong(Locals.T0);
      c.mv.visitVarInsn(ALOAD, Locals.MMU);
      c.loadLong(Locals.EA);
      c.loadLong(Locals.T0);
      c.mmu("write" + 8 * size, "(JJ)V");
    } else {
      c.storeRegister(i, 0, size);
    }
  }

  private void pushDestination(Insn i, int size) {
    if (i.kind[0] == Insn.MEM) {
      c.pushSignedForWrite(i, 0, size);
    } else {
      c.pushUnsigned(i, 0, size);
    }
  }

  /** A shared semantic function with flags in and out; {@code kind} is what it leaves. */
  private void binary(Insn i, String owner, String name, boolean readsFlags, int kind) {
    int size = i.opSize;
    pushDestination(i, size);
    c.storeLong(Locals.T0);
    c.pushUnsigned(i, 1, owner.equals("Shift") ? 1 : size);
    c.storeLong(Locals.T1);
    call(owner, name + 8 * size, BINARY, true, readsFlags, kind);
    store(i, size);
  }

  private void call(
      String owner, String method, String descriptor, boolean two, boolean readsFlags, int kind) {
    if (readsFlags) {
      c.flagsToCpu();
    }
    c.mv.visitVarInsn(ALOAD, Locals.CPU);
    c.loadLong(Locals.T0);
    if (two) {
      c.loadLong(Locals.T1);
    }
    c.mv.visitMethodInsn(INVOKESTATIC, SEMANTICS + owner, method, descriptor, false);
    c.flagsFromCpu(kind);
  }

  private void step(Insn i, String name, int opcode, boolean live) {
    int size = i.opSize;
    pushDestination(i, size);
    if (live) {
      c.storeLong(Locals.T0);
      call("Alu", name + 8 * size, UNARY, false, true, Flags.EXPLICIT);
    } else {
      c.op(LCONST_1);
      c.op(opcode);
    }
    store(i, size);
  }

  private void negate(Insn i, boolean live) {
    int size = i.opSize;
    pushDestination(i, size);
    if (live) {
      c.signed(size);
      c.storeLong(Locals.FB);
      c.op(LCONST_0);
      c.storeLong(Locals.FA);
      c.loadLong(Locals.FB);
      c.op(LNEG);
      c.signed(size);
      c.op(DUP2);
      c.storeLong(Locals.FR);
      c.flags(Flags.SUB);
    } else {
      c.op(LNEG);
    }
    store(i, size);
  }

  private void not(Insn i) {
    pushDestination(i, i.opSize);
    c.longValue(-1);
    c.op(LXOR);
    store(i, i.opSize);
  }

  private void shift(Insn i, String name, int opcode, boolean live) {
    int size = i.opSize;
    if (live || i.kind[1] != Insn.IMM) {
      binary(i, "Shift", name, true, Code.UNKNOWN);
      return;
    }
    if (i.kind[0] == Insn.MEM) {
      c.pushSignedForWrite(i, 0, size);
      if (opcode == LUSHR) {
        c.unsigned(size);
      }
    } else if (opcode == LSHR) {
      c.pushSigned(i, 0, size);
    } else {
      c.pushUnsigned(i, 0, size);
    }
    c.integer((int) i.imm & (size == 8 ? 63 : 31));
    c.op(opcode);
    store(i, size);
  }

  private void multiply(Insn i, boolean live) {
    int size = i.opSize;
    int a = i.operands == 3 ? 1 : 0;
    c.pushSigned(i, a, size);
    if (live) {
      c.storeLong(Locals.T0);
      if (i.operands == 3) {
        c.longValue(i.imm);
      } else {
        c.pushSigned(i, 1, size);
      }
      c.storeLong(Locals.T1);
      call("Multiply", "imul" + 8 * size, BINARY, true, false, Code.UNKNOWN);
    } else {
      if (i.operands == 3) {
        c.longValue(i.imm);
      } else {
        c.pushSigned(i, 1, size);
      }
      c.op(LMUL);
    }
    c.storeRegister(i, 0, size);
  }

  /** One-operand MUL: the shared function works on the register file. */
  private void wideMultiply(Insn i) {
    c.pushUnsigned(i, 0, i.opSize);
    c.storeLong(Locals.T0);
    int rax = Locals.register(0);
    int rdx = Locals.register(2);
    c.mv.visitVarInsn(ALOAD, Locals.FILE);
    c.integer(0);
    c.loadLong(rax);
    c.op(LASTORE);
    c.mv.visitVarInsn(ALOAD, Locals.CPU);
    c.loadLong(Locals.T0);
    c.mv.visitMethodInsn(
        INVOKESTATIC,
        SEMANTICS + "Multiply",
        "mulAx" + 8 * i.opSize,
        "(Lorg/hypergraft/vmm/cpu/Cpu;J)V",
        false);
    c.flagsFromCpu(Code.UNKNOWN);
    for (int r : new int[] {0, 2}) {
      c.mv.visitVarInsn(ALOAD, Locals.FILE);
      c.integer(r);
      c.op(LALOAD);
      c.storeLong(r == 0 ? rax : rdx);
    }
  }

  private void bitTest(Insn i, boolean live) {
    if (!live) {
      return;
    }
    int size = i.opSize;
    c.pushUnsigned(i, 0, size);
    c.storeLong(Locals.T0);
    c.pushUnsigned(i, 1, size);
    c.storeLong(Locals.T1);
    c.flagsToCpu();
    c.mv.visitVarInsn(ALOAD, Locals.CPU);
    c.loadLong(Locals.T0);
    c.loadLong(Locals.T1);
    c.mv.visitMethodInsn(INVOKESTATIC, SEMANTICS + "Bits", "bt" + 8 * size, COMPARE, false);
    c.flagsFromCpu(Code.UNKNOWN);
  }

  private void scan(Insn i, String name) {
    int size = i.opSize;
    c.pushUnsigned(i, 1, size);
    c.storeLong(Locals.T1);
    // the old destination survives a zero source, all 64 bits of it
    c.loadLong(Locals.register(i.reg[0]));
    c.storeLong(Locals.T0);
    call("Bits", name + 8 * size, BINARY, true, true, Code.UNKNOWN);
    c.storeRegister(i, 0, size);
  }

  private void byteSwap(Insn i) {
    c.loadLong(Locals.register(i.reg[0]));
    if (i.opSize == 8) {
      c.mv.visitMethodInsn(INVOKESTATIC, "java/lang/Long", "reverseBytes", "(J)J", false);
    } else {
      c.op(L2I);
      c.mv.visitMethodInsn(INVOKESTATIC, "java/lang/Integer", "reverseBytes", "(I)I", false);
      c.op(I2L);
    }
    c.storeRegister(i, 0, i.opSize == 8 ? 8 : 4);
  }
}
