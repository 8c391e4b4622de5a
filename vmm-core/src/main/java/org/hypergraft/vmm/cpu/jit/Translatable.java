package org.hypergraft.vmm.cpu.jit;

import org.hypergraft.annotator.isa.Insn;
import org.hypergraft.annotator.isa.Mnemonic;

/** Decides which instructions are compiled, and which run through their tier-0 op. */
final class Translatable {
  private Translatable() {}

  /**
   * Whether the compiler has code of its own for the instruction, in 64-bit code or in flat 32-bit
   * code. The answer must not depend on anything but the instruction.
   */
  static boolean inline(Insn i) {
    return general(i) || VectorForms.inline(i);
  }

  private static boolean general(Insn i) {
    if (i.rep || i.repne || i.addrSize == 2 && i.hasMemory()) {
      return false;
    }
    for (int k = 0; k < i.operands; k++) {
      switch (i.kind[k]) {
        case Insn.GPR, Insn.GPR_HIGH, Insn.MEM, Insn.IMM, Insn.REL:
          break;
        default:
          return false;
      }
    }
    boolean memory = i.operands > 0 && i.kind[0] == Insn.MEM;
    if (i.lock && !(memory && lockable(i))) {
      return false;
    }
    switch (i.mnemonic) {
      case ADD, SUB, AND, OR, XOR, CMP, TEST, ADC, SBB, INC, DEC, NEG, NOT:
      case MOV, MOVZX, MOVSX, MOVSXD, LEA, SHL, SHR, SAR, ROL, ROR:
      case CDQE, CDQ, CQO, CWDE, NOP, ENDBR64, ENDBR32, PREFETCHT0, PREFETCHW, PREFETCHNTA:
      case LFENCE, MFENCE, SFENCE, JCC, SETCC, CMOVCC:
        return true;
      case XCHG:
        return memory || i.kind[0] == Insn.GPR && i.kind[1] == Insn.GPR;
      case XADD, CMPXCHG:
        return memory;
      case IMUL:
        return i.operands >= 2;
      case MUL, BSF, BSR:
        return i.opSize >= 4;
      case BTS, BTR, BTC, BT:
        // bit strings in memory reach beyond their operand
        return i.opSize >= 4 && !memory;
      case BSWAP:
        return i.opSize >= 4;
      case POP:
        // with a memory operand two accesses may fault, and RSP changes between them
        return i.opSize == MoveCompiler.slot(i) && i.kind[0] == Insn.GPR;
      case PUSH, LEAVE:
        return i.opSize == MoveCompiler.slot(i);
      case CALL, JMP, RET:
        return i.opSize != 2;
      default:
        return false;
    }
  }

  /** Instructions with LOCK and a memory destination that are the same without it here. */
  private static boolean lockable(Insn i) {
    switch (i.mnemonic) {
      case ADD, SUB, AND, OR, XOR, ADC, SBB, INC, DEC, NEG, NOT, XCHG, XADD, CMPXCHG:
        return true;
      default:
        return false;
    }
  }

  /** Compiled, and cannot fault or leave unless it has a memory operand. */
  static boolean plain(Insn i) {
    if (!general(i)) {
      return false;
    }
    switch (i.mnemonic) {
      case PUSH, POP, CALL, RET, LEAVE:
        return false;
      case JMP:
        return i.kind[0] == Insn.REL; // a computed target may not be canonical
      default:
        return true;
    }
  }

  /** Whether the instruction ends a block. */
  static boolean branch(Insn i) {
    Mnemonic m = i.mnemonic;
    return m == Mnemonic.JMP || m == Mnemonic.JCC || m == Mnemonic.CALL || m == Mnemonic.RET;
  }
}
