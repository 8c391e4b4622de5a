package org.hypergraft.vmm.cpu.interpret;

import org.hypergraft.annotator.isa.Insn;
import org.hypergraft.annotator.isa.Mnemonic;
import org.hypergraft.vmm.cpu.Cpu;

/** Copies operands of a decoded instruction into the fields of an op. */
final class Operands {
  private Operands() {}

  static void fill(Op op, Insn in, int modeKey) {
    int registers = 0;
    for (int i = 0; i < in.operands; i++) {
      switch (in.kind[i]) {
        case Insn.MEM:
          memory(op, in, modeKey);
          op.span = (byte) Math.max(1, Math.min(in.size[i], Byte.MAX_VALUE));
          break;
        case Insn.IMM:
        case Insn.REL:
        case Insn.FAR:
          break;
        default:
          byte n = (byte) in.reg[i];
          if (registers == 0) {
            op.d = n;
          } else if (registers == 1) {
            op.s = n;
          } else if (registers == 2) {
            op.t = n;
          }
          registers++;
          break;
      }
    }
    if (usesStack(in.mnemonic) && !in.hasMemory()) {
      op.seg = Cpu.SS;
    }
    op.imm = in.imm;
    op.size = (byte) in.opSize;
    op.addrSize = (byte) in.addrSize;
  }

  /** Instructions whose faults, outside their memory operand, are the stack segment's. */
  private static boolean usesStack(Mnemonic m) {
    switch (m) {
      case PUSH:
      case POP:
      case PUSHA:
      case POPA:
      case PUSHF:
      case POPF:
      case CALL:
      case RET:
      case ENTER:
      case LEAVE:
        return true;
      default:
        return false;
    }
  }

  private static void memory(Op op, Insn in, int modeKey) {
    op.form = form(in, modeKey);
    op.writes = MemoryAccess.writes(in);
    op.seg = (byte) in.segment;
    op.disp = in.disp;
    if (in.base == Insn.RIP) {
      op.disp = in.ripTarget();
    } else if (in.base >= 0) {
      op.b = (byte) in.base;
    }
    if (in.index >= 0) {
      op.x = (byte) in.index;
      op.sc = (byte) Integer.numberOfTrailingZeros(in.scale);
    }
  }

  /** Which of {@link Op}'s address forms a memory operand needs. */
  static byte form(Insn in, int modeKey) {
    if ((modeKey & Cpu.MODE_SIZE) == 2) {
      if (in.segment >= Cpu.FS) {
        return in.addrSize == 8 ? Op.BASED : Op.GENERAL;
      }
      return in.addrSize == 8 ? Op.PLAIN : Op.CUT32;
    }
    boolean data = in.segment < Cpu.FS && in.segment != Cpu.CS;
    boolean flat = (modeKey & Cpu.MODE_FLAT) != 0 && data;
    return flat && in.addrSize == 4 ? Op.CUT32 : Op.GENERAL;
  }
}
