package org.hypergraft.vmm.cpu.jit;

import org.hypergraft.annotator.isa.Insn;

/** General registers that an instruction with code of its own touches, as bit masks. */
final class RegisterUse {
  private static final long RAX = 1;
  private static final long RDX = 1 << 2;
  private static final long RSP = 1 << 4;
  private static final long RBP = 1 << 5;

  private RegisterUse() {}

  static long read(Insn i) {
    return read(i, 0);
  }

  /** What must be known before the instruction; what it only writes, and wholly, is left out. */
  static long needed(Insn i) {
    return read(i, replaces(i) ? 1 : 0);
  }

  /** Whether nothing of the old value of operand 0, a register, is left. */
  private static boolean replaces(Insn i) {
    return switch (i.mnemonic) {
      case MOV, MOVZX, MOVSX, MOVSXD, LEA, POP -> i.kind[0] == Insn.GPR && i.size[0] >= 4;
      default -> false;
    };
  }

  /** Whether the instruction accesses guest memory by an operand or the stack. */
  static boolean memory(Insn i) {
    return switch (i.mnemonic) {
      case PUSH, POP, CALL, RET, LEAVE -> true;
      default -> i.hasMemory();
    };
  }

  private static long read(Insn i, int from) {
    long mask = 0;
    for (int k = from; k < i.operands; k++) {
      if (i.kind[k] == Insn.GPR || i.kind[k] == Insn.GPR_HIGH) {
        mask |= 1L << i.reg[k];
      } else if (i.kind[k] == Insn.MEM) {
        if (i.base >= 0 && i.base < 16) {
          mask |= 1L << i.base;
        }
        if (i.index >= 0) {
          mask |= 1L << i.index;
        }
      }
    }
    return mask
        | switch (i.mnemonic) {
          case MUL, CDQ, CQO, CDQE, CWDE, CMPXCHG -> RAX;
          case PUSH, POP, CALL, RET -> RSP;
          case LEAVE -> RSP | RBP;
          default -> 0;
        };
  }

  static long written(Insn i) {
    switch (i.mnemonic) {
      case CMP, TEST, BT, NOP, ENDBR64, ENDBR32, JCC, JMP:
        return 0;
      case PUSH, CALL, RET:
        return RSP;
      case POP:
        return RSP | destination(i);
      case LEAVE:
        return RSP | RBP;
      case MUL:
        return RAX | RDX;
      case CDQ, CQO:
        return RDX;
      case CDQE, CWDE:
        return RAX;
      case XCHG, XADD:
        return destination(i) | 1L << i.reg[1];
      case CMPXCHG:
        return destination(i) | RAX;
      default:
        return destination(i);
    }
  }

  private static long destination(Insn i) {
    return i.kind[0] == Insn.GPR || i.kind[0] == Insn.GPR_HIGH ? 1L << i.reg[0] : 0;
  }
}
