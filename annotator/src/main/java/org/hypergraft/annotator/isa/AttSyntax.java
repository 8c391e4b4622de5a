package org.hypergraft.annotator.isa;

import java.util.EnumSet;
import java.util.Set;

/** AT&T syntax as the GNU assembler and the kernel's own sources use it. */
final class AttSyntax extends Syntax {
  /** Take a size suffix when no register operand tells the size. */
  private static final Set<Mnemonic> SUFFIXED =
      EnumSet.of(
          Mnemonic.ADD,
          Mnemonic.OR,
          Mnemonic.ADC,
          Mnemonic.SBB,
          Mnemonic.AND,
          Mnemonic.SUB,
          Mnemonic.XOR,
          Mnemonic.CMP,
          Mnemonic.MOV,
          Mnemonic.TEST,
          Mnemonic.NOT,
          Mnemonic.NEG,
          Mnemonic.MUL,
          Mnemonic.IMUL,
          Mnemonic.DIV,
          Mnemonic.IDIV,
          Mnemonic.INC,
          Mnemonic.DEC,
          Mnemonic.ROL,
          Mnemonic.ROR,
          Mnemonic.RCL,
          Mnemonic.RCR,
          Mnemonic.SHL,
          Mnemonic.SHR,
          Mnemonic.SAR,
          Mnemonic.BT,
          Mnemonic.BTS,
          Mnemonic.BTR,
          Mnemonic.BTC,
          Mnemonic.NOP,
          Mnemonic.CVTSI2SS,
          Mnemonic.CVTSI2SD,
          Mnemonic.VCVTSI2SS,
          Mnemonic.VCVTSI2SD,
          Mnemonic.VCVTUSI2SS,
          Mnemonic.VCVTUSI2SD,
          Mnemonic.PTWRITE);

  @Override
  String mnemonic(Insn in) {
    return switch (in.mnemonic) {
      case CALLF -> "lcall";
      case JMPF -> "ljmp";
      case RETF -> "lret" + stackSuffix(in);
      case SYSRET, SYSEXIT -> in.mnemonic.text() + (in.mode == 64 ? suffix(in.opSize) : "");
      case LGDT, LIDT, SGDT, SIDT -> in.mnemonic.text() + (in.mode == 64 ? "" : suffix(in.opSize));
      case CRC32 -> in.kind[1] == Insn.MEM ? "crc32" + suffix(in.size[1]) : "crc32";
      case IRET, LEAVE, ENTER, PUSHF, POPF, CALL, JMP, RET, PUSHA, POPA ->
          in.mnemonic.text() + stackSuffix(in);
      case PUSH, POP -> in.mnemonic.text() + (in.kind[0] == Insn.GPR ? "" : stackSuffix(in));
      case MOVZX -> "movz" + suffix(in.size[1]) + suffix(in.size[0]);
      case MOVSX -> "movs" + suffix(in.size[1]) + suffix(in.size[0]);
      case MOVSXD -> in.size[0] == 8 ? "movslq" : "movsxd";
      case CBW -> "cbtw";
      case CWDE -> "cwtl";
      case CDQE -> "cltq";
      case CWD -> "cwtd";
      case CDQ -> "cltd";
      case CQO -> "cqto";
      case FSUB, FSUBR, FDIV, FDIVR, FSUBP, FSUBRP, FDIVP, FDIVRP ->
          isReversed(in) ? reverse(in.mnemonic.text()) : baseName(in) + operandSuffix(in);
      case MOVS, CMPS, INS, OUTS -> in.mnemonic.text() + suffix(in.opSize);
      default -> baseName(in) + operandSuffix(in);
    };
  }

  /** AT&T assemblers have always swapped these two when the destination is not ST(0). */
  private static boolean isReversed(Insn in) {
    return in.operands == 2 && in.kind[0] == Insn.ST && in.opcode != 0xd8;
  }

  private static String reverse(String name) {
    String stem = name.substring(0, 4);
    String rest = name.substring(4);
    return stem + (rest.startsWith("r") ? rest.substring(1) : "r" + rest);
  }

  private static String stackSuffix(Insn in) {
    int normal = in.mode == 64 && !isFarReturn(in) ? 8 : in.mode == 16 ? 2 : 4;
    return in.opSize == normal ? "" : suffix(in.opSize);
  }

  private static boolean isFarReturn(Insn in) {
    return in.mnemonic == Mnemonic.IRET || in.mnemonic == Mnemonic.RETF;
  }

  private static String operandSuffix(Insn in) {
    int memory = -1;
    boolean told = false;
    for (int i = 0; i < in.operands; i++) {
      if (in.kind[i] == Insn.MEM) {
        memory = i;
      } else if (in.kind[i] == Insn.GPR || in.kind[i] == Insn.GPR_HIGH || in.kind[i] == Insn.SEG) {
        // The count of a shift says nothing about the size of what is shifted.
        told |= !(i == 1 && in.size[1] == 1 && in.size[0] != 1 && isShift(in));
        told &= !(i == 1 && isShift(in));
      }
    }
    if (memory < 0) {
      return "";
    }
    if (in.mnemonic.text().charAt(0) == 'f') {
      return x87Suffix(in, in.size[memory]);
    }
    boolean fixed = told || !SUFFIXED.contains(in.mnemonic) || isWideOnly(in);
    return fixed ? "" : suffix(in.size[memory]);
  }

  /** Outside 64-bit code these take 32-bit integers only, so that there is nothing to tell. */
  private static boolean isWideOnly(Insn in) {
    return in.mode != 64 && (in.mnemonic == Mnemonic.PTWRITE || in.kind[0] == Insn.XMM);
  }

  private static boolean isShift(Insn in) {
    return switch (in.mnemonic) {
      case ROL, ROR, RCL, RCR, SHL, SHR, SAR -> true;
      default -> false;
    };
  }

  private static String x87Suffix(Insn in, int size) {
    String name = in.mnemonic.text();
    boolean integer = name.startsWith("fi");
    switch (in.mnemonic) {
      case FLDCW, FNSTCW, FNSTSW, FBLD, FBSTP, FXSAVE, FXRSTOR, FXSAVE64, FXRSTOR64 -> {
        return "";
      }
      case FLDENV, FNSTENV, FNSAVE, FRSTOR -> {
        return in.opSize == 2 && in.mode != 16 ? "s" : "";
      }
      default -> {}
    }
    return switch (size) {
      case 2 -> "s";
      case 4 -> integer ? "l" : "s";
      case 8 -> integer ? "ll" : "l";
      case 10 -> "t";
      default -> "";
    };
  }

  private static String suffix(int size) {
    return switch (size) {
      case 1 -> "b";
      case 2 -> "w";
      case 4 -> "l";
      case 8 -> "q";
      default -> "";
    };
  }

  @Override
  void operands(Insn in, StringBuilder out, Symbolizer symbols) {
    if (isString(in)) {
      string(in, out);
      return;
    }
    if (in.mnemonic == Mnemonic.NOP && in.opcode == 0x90) {
      if ((in.prefixes & Insn.PREFIX_66) != 0 && in.wide == 0) {
        String r = "%" + general(0, in.opSize);
        out.append(r).append(',').append(r);
      }
      return;
    }
    if (implicitXmm0(in)) {
      out.append("%xmm0,");
    }
    implicitRegisters(in, out);
    boolean indirect =
        (in.mnemonic == Mnemonic.CALL
                || in.mnemonic == Mnemonic.JMP
                || in.mnemonic == Mnemonic.CALLF
                || in.mnemonic == Mnemonic.JMPF)
            && in.kind[0] != Insn.REL
            && in.kind[0] != Insn.FAR;
    boolean alias = PseudoOps.name(in) != null;
    // Two immediates keep Intel's order (ENTER, EXTRQ).
    boolean keepOrder = in.mnemonic == Mnemonic.ENTER;
    boolean rounded = in.rounding < 0;
    int mark = out.length();
    for (int n = 0; n < in.operands; n++) {
      int i = keepOrder ? n : in.operands - 1 - n;
      int kind = in.kind[i];
      if (kind == Insn.IMM && (alias || isConstantOne(in, i))) {
        continue;
      }
      if (out.length() > mark) {
        out.append(',');
      }
      if (!rounded && kind != Insn.IMM && kind != Insn.GPR) {
        out.append(rounding(in.rounding)).append(',');
        rounded = true;
      }
      if (indirect) {
        out.append('*');
      }
      switch (kind) {
        case Insn.MEM -> memory(in, i, out);
        case Insn.IMM -> {
          boolean second = i > 0 && in.kind[i - 1] == Insn.IMM;
          out.append('$').append(immediate(in, i, second ? 1 : 0));
        }
        case Insn.REL -> address(in.imm, out, symbols);
        case Insn.FAR -> out.append('$').append(hex(in.imm2)).append(",$").append(hex(in.imm));
        case Insn.DR -> out.append("%db").append(in.reg[i]);
        case Insn.GPR -> {
          boolean port = in.size[i] == 2 && in.reg[i] == 2 && isPort(in);
          out.append(port ? "(%dx)" : "%" + general(in.reg[i], in.size[i]));
        }
        default -> {
          out.append('%');
          out.append(isStackTop(in, i) ? "st" : register(kind, in.reg[i], in.size[i]));
        }
      }
      if (i == 0) {
        out.append(mask(in, "%"));
      }
    }
  }

  /** Registers that AT&T syntax spells out. */
  private static void implicitRegisters(Insn in, StringBuilder out) {
    switch (in.mnemonic) {
      case MONITOR, MONITORX ->
          out.append('%').append(general(0, in.addrSize)).append(",%ecx,%edx");
      case MWAIT -> out.append("%eax,%ecx");
      case MWAITX -> out.append("%eax,%ecx,%ebx");
      default -> {}
    }
  }

  private static boolean isPort(Insn in) {
    return (in.mnemonic == Mnemonic.IN && in.opcode >= 0xec)
        || (in.mnemonic == Mnemonic.OUT && in.opcode >= 0xee);
  }

  private static void string(Insn in, StringBuilder out) {
    String source = "%" + segment(in.segment) + ":(%" + general(6, in.addrSize) + ")";
    String destination = "%es:(%" + general(7, in.addrSize) + ")";
    String accumulator = "%" + general(0, in.opSize);
    switch (in.mnemonic) {
      case MOVS -> out.append(source).append(',').append(destination);
      case CMPS -> out.append(destination).append(',').append(source);
      case STOS -> out.append(accumulator).append(',').append(destination);
      case LODS -> out.append(source).append(',').append(accumulator);
      case SCAS -> out.append(destination).append(',').append(accumulator);
      case INS -> out.append("(%dx),").append(destination);
      case OUTS -> out.append(source).append(",(%dx)");
      default -> {
        out.append('%').append(segment(in.segment)).append(":(%");
        out.append(general(3, in.addrSize)).append(')');
      }
    }
  }

  private static void memory(Insn in, int i, StringBuilder out) {
    boolean absolute = in.base < 0 && in.index < 0;
    if (in.segmentOverride) {
      out.append('%').append(segment(in.segment)).append(':');
    }
    if (absolute) {
      long v = in.addrSize == 8 ? in.disp : in.disp & (in.addrSize == 2 ? 0xffff : 0xffffffffL);
      out.append(hex(v));
      return;
    }
    if (in.dispSize != 0) {
      boolean minus = in.disp < 0;
      out.append(minus ? "-" : "").append(hex(minus ? -in.disp : in.disp));
    }
    out.append('(');
    if (in.base == Insn.RIP) {
      out.append(in.addrSize == 4 ? "%eip" : "%rip");
    } else if (in.base >= 0) {
      out.append('%').append(general(in.base, in.addrSize));
    }
    if (in.index >= 0) {
      out.append(",%");
      out.append(
          in.indexSize != 0
              ? register(Insn.XMM, in.index, in.indexSize)
              : general(in.index, in.addrSize));
      if (in.addrSize != 2) {
        out.append(',').append(in.scale);
      }
    } else if (in.sib >= 0 && (in.base < 0 || (in.sib & 7) != 4 || in.sib >> 6 != 0)) {
      out.append(in.addrSize == 8 ? ",%riz," : ",%eiz,").append(1 << (in.sib >> 6));
    }
    out.append(')');
    if (in.broadcast) {
      out.append("{1to").append(in.size[i] / in.broadcastElement).append('}');
    }
  }
}
