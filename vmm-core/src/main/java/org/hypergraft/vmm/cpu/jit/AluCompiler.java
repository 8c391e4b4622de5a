package org.hypergraft.vmm.cpu.jit;

import static org.objectweb.asm.Opcodes.*;

import org.hypergraft.annotator.isa.Insn;
import org.hypergraft.annotator.isa.Mnemonic;
import org.hypergraft.vmm.cpu.Flags;
import org.objectweb.asm.Label;

/**
 * Arithmetic, logic and multiplication. Flags that nobody can see are left uncomputed; additions,
 * subtractions and logic leave their operands and result, the others the bits of {@link FlagBits}.
 */
final class AluCompiler {
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
      case ADC -> withCarry(i, LADD, "sum", flagsLive);
      case SBB -> withCarry(i, LSUB, "difference", flagsLive);
      case INC -> step(i, LADD, "increment", flagsLive);
      case DEC -> step(i, LSUB, "decrement", flagsLive);
      case NEG -> negate(i, flagsLive);
      case NOT -> not(i);
      case IMUL -> multiply(i, flagsLive);
      case MUL -> wideMultiply(i, flagsLive);
      case XADD -> exchangeAdd(i, flagsLive);
      case CMPXCHG -> compareExchange(i);
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
    if (!writes && !live) {
      // the operands are read only for the faults that this may raise
      touch(i, size);
      return;
    }
    if (i.kind[1] == Insn.MEM) {
      // accesses may leave, so nothing is on the stack then
      c.pushSigned(i, 1, size);
      c.storeLong(Locals.T1);
      c.pushSigned(i, 0, size);
      c.loadLong(Locals.T1);
    } else {
      if (writes) {
        c.pushDestination(i, size, true);
      } else {
        c.pushSigned(i, 0, size);
      }
      if (sameRegister(i)) {
        c.op(DUP2);
      } else {
        c.pushSigned(i, 1, size);
      }
    }
    boolean difference = live && kind == Flags.SUB && size >= 4;
    if (live && kind != Flags.LOGIC) {
      // both operands have been read: nothing leaves from here on
      c.storeLong(Locals.FB);
      c.storeLong(Locals.FA);
      if (difference) {
        c.flags(size == 8 ? Code.DIFFERENCE64 : Code.DIFFERENCE32);
        if (!writes) {
          return;
        }
      }
      c.loadLong(Locals.FA);
      c.loadLong(Locals.FB);
    }
    c.op(opcode);
    if (live && !difference) {
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
    if (writes) {
      c.storeDestination(i, size);
    }
  }

  private void touch(Insn i, int size) {
    for (int k = 0; k < i.operands; k++) {
      if (i.kind[k] == Insn.MEM) {
        c.pushSigned(i, k, size);
        c.op(POP2);
      }
    }
  }

  private void bits(String method, int operands) {
    String descriptor = "(" + "J".repeat(operands) + ")J";
    c.mv.visitMethodInsn(INVOKESTATIC, Code.FLAG_BITS, method, descriptor, false);
  }

  private void withCarry(Insn i, int opcode, String flags, boolean live) {
    int size = i.opSize;
    if (i.kind[1] == Insn.MEM) {
      c.pushSigned(i, 1, size);
      c.storeLong(Locals.T1);
      c.pushSigned(i, 0, size);
      c.storeLong(Locals.T0);
    } else {
      c.pushDestination(i, size, true);
      c.storeLong(Locals.T0);
      c.pushSigned(i, 1, size);
      c.storeLong(Locals.T1);
    }
    c.loadLong(Locals.T0);
    c.loadLong(Locals.T1);
    c.op(opcode);
    c.pushCarry();
    c.op(opcode);
    if (live) {
      c.signed(size);
      c.storeLong(Locals.FR);
      c.loadLong(Locals.T0);
      c.loadLong(Locals.T1);
      c.loadLong(Locals.FR);
      bits(flags, 3);
      c.explicitFlags();
    }
    c.storeDestination(i, size);
  }

  private void step(Insn i, int opcode, String flags, boolean live) {
    int size = i.opSize;
    c.pushDestination(i, size, true);
    if (live) {
      c.storeLong(Locals.T0);
      c.pushCarry();
      c.loadLong(Locals.T0);
      c.op(LCONST_1);
      c.op(opcode);
      c.signed(size);
      c.storeLong(Locals.FR);
      c.loadLong(Locals.T0);
      c.loadLong(Locals.FR);
      bits(flags, 2);
      c.op(LOR);
      c.explicitFlags();
    } else {
      c.op(LCONST_1);
      c.op(opcode);
    }
    c.storeDestination(i, size);
  }

  private void negate(Insn i, boolean live) {
    int size = i.opSize;
    c.pushDestination(i, size, true);
    if (live) {
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
    c.storeDestination(i, size);
  }

  private void not(Insn i) {
    c.pushDestination(i, i.opSize, false);
    c.longValue(-1);
    c.op(LXOR);
    c.storeDestination(i, i.opSize);
  }

  /** IMUL of two or three operands. */
  private void multiply(Insn i, boolean live) {
    int size = i.opSize;
    c.pushSigned(i, 1, size);
    if (i.operands == 3) {
      c.longValue(i.imm);
    } else {
      c.pushSigned(i, 0, size);
    }
    if (!live) {
      c.op(LMUL);
      c.storeRegister(i, 0, size);
      return;
    }
    if (size == 8) {
      c.storeLong(Locals.T1);
      c.storeLong(Locals.T0);
      c.loadLong(Locals.T0);
      c.loadLong(Locals.T1);
      c.op(LMUL);
      c.storeLong(Locals.FR);
      c.loadLong(Locals.T0);
      c.loadLong(Locals.T1);
      c.mv.visitMethodInsn(INVOKESTATIC, "java/lang/Math", "multiplyHigh", "(JJ)J", false);
      c.loadLong(Locals.FR);
      c.integer(63);
      c.op(LSHR);
    } else {
      c.op(LMUL);
      c.op(DUP2);
      c.signed(size);
      c.storeLong(Locals.FR);
      c.loadLong(Locals.FR);
    }
    bits("product", 2);
    c.explicitFlags();
    c.storeRegister(i, 0, size);
  }

  /** MUL of 4 or 8 bytes: EDX:EAX or RDX:RAX. */
  private void wideMultiply(Insn i, boolean live) {
    int rax = Locals.register(0);
    int rdx = Locals.register(2);
    c.pushUnsigned(i, 0, i.opSize);
    c.storeLong(Locals.T0);
    if (i.opSize == 8) {
      c.loadLong(rax);
      c.loadLong(Locals.T0);
      c.op(LMUL);
      c.loadLong(rax);
      c.loadLong(Locals.T0);
      c.mv.visitMethodInsn(
          INVOKESTATIC, Code.SEMANTICS + "Multiply", "unsignedHigh", "(JJ)J", false);
      c.storeLong(rdx);
      c.storeLong(rax);
    } else {
      c.loadLong(rax);
      c.unsigned(4);
      c.loadLong(Locals.T0);
      c.op(LMUL);
      c.op(DUP2);
      c.unsigned(4);
      c.storeLong(rax);
      c.integer(32);
      c.op(LUSHR);
      c.storeLong(rdx);
    }
    if (live) {
      c.loadLong(rdx);
      c.op(LCONST_0);
      bits("product", 2);
      c.storeLong(Locals.FA);
      c.loadLong(rax);
      c.signed(i.opSize);
      c.storeLong(Locals.FR);
      c.flags(Flags.EXPLICIT);
    }
  }

  /** XADD to memory: the sum goes there, what was there to the register. */
  private void exchangeAdd(Insn i, boolean live) {
    int size = i.opSize;
    c.pushDestination(i, size, true);
    c.storeLong(Locals.T1);
    if (live) {
      c.loadLong(Locals.T1);
      c.storeLong(Locals.FA);
      c.pushSigned(i, 1, size);
      c.storeLong(Locals.FB);
    }
    c.loadLong(Locals.T1);
    c.pushSigned(i, 1, size);
    c.op(LADD);
    if (live) {
      c.signed(size);
      c.op(DUP2);
      c.storeLong(Locals.FR);
      c.flags(Flags.ADD);
    }
    c.storeDestination(i, size);
    c.loadLong(Locals.T1);
    c.storeRegister(i, 1, size);
  }

  /** CMPXCHG to memory: compares with the accumulator, stores there or loads it. */
  private void compareExchange(Insn i) {
    int size = i.opSize;
    int rax = Locals.register(0);
    c.pushDestination(i, size, true);
    c.storeLong(Locals.FB);
    c.loadLong(rax);
    c.signed(size);
    c.storeLong(Locals.FA);
    c.loadLong(Locals.FA);
    c.loadLong(Locals.FB);
    c.op(LSUB);
    c.signed(size);
    c.storeLong(Locals.FR);
    c.flags(Flags.SUB);
    Label differ = new Label();
    Label end = new Label();
    c.loadLong(Locals.FR);
    c.op(LCONST_0);
    c.op(LCMP);
    c.jump(IFNE, differ);
    c.pushUnsigned(i, 1, size);
    c.storeLong(Locals.T0);
    c.memory.writeHost(size, Locals.T0);
    c.jump(GOTO, end);
    c.label(differ);
    c.loadLong(Locals.FB);
    c.storeLow(0, size);
    c.label(end);
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
