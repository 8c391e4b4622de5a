package org.hypergraft.annotator.isa;

import java.util.Locale;

/** What both assembly syntaxes share: prefixes, names, registers and layout. */
abstract class Syntax {
  private static final String[] CONDITIONS = {
    "o", "no", "b", "ae", "e", "ne", "be", "a", "s", "ns", "p", "np", "l", "ge", "le", "g"
  };

  /** CMPccXADD keeps the manual's first spelling of each condition. */
  private static final String[] XADD_CONDITIONS = {
    "o", "no", "b", "nb", "z", "nz", "be", "nbe", "s", "ns", "p", "np", "l", "nl", "le", "nle"
  };

  private static final String[] GPR_8 = {"al", "cl", "dl", "bl", "spl", "bpl", "sil", "dil"};
  private static final String[] GPR_HIGH = {"ah", "ch", "dh", "bh"};
  private static final String[] ROUNDINGS = {"{rn-sae}", "{rd-sae}", "{ru-sae}", "{rz-sae}"};

  final String format(Insn in, Symbolizer symbols) {
    if (in.mnemonic == Mnemonic.INVALID) {
      return "(bad)";
    }
    StringBuilder out = new StringBuilder(64);
    prefixes(in, out);
    out.append(mnemonic(in));
    int mark = out.length();
    operands(in, out, symbols);
    if (out.length() > mark) {
      int pad = Math.max(1, 7 - mark);
      out.insert(mark, "       ", 0, pad);
    }
    if (in.base == Insn.RIP && in.hasMemory()) {
      long target = in.ripTarget();
      out.append("        # ");
      address(in.addrSize == 4 ? target & 0xffffffffL : target, out, symbols);
    }
    return out.toString();
  }

  abstract String mnemonic(Insn in);

  abstract void operands(Insn in, StringBuilder out, Symbolizer symbols);

  /** Prints the prefixes that neither select the opcode nor show in an operand. */
  private static void prefixes(Insn in, StringBuilder out) {
    int p = in.prefixes;
    if ((p & Insn.PREFIX_66) != 0) {
      // Compilers pad with repeated 66; all but one are redundant.
      int distinct = Integer.bitCount(p) + (in.rex != 0 ? 1 : 0);
      for (int extra = in.opcodeOffset - distinct; extra > 0; extra--) {
        out.append("data16 ");
      }
      if (in.encoding == 0 && !in.takes66 && operandSizeIsIdle(in)) {
        out.append(in.mode == 16 ? "data32 " : "data16 ");
      }
    }
    for (int s = 0; s < 6; s++) {
      if ((p & Insn.PREFIX_SEGMENT << s) != 0
          && !(in.segmentOverride && s == in.segment && usesSegment(in))) {
        boolean track = s == 3 && (in.mnemonic == Mnemonic.CALL || in.mnemonic == Mnemonic.JMP);
        out.append(track && in.kind[0] != Insn.REL ? "notrack" : RegisterNames.SEGMENTS.get(s))
            .append(' ');
      }
    }
    if ((p & Insn.PREFIX_67) != 0 && !in.hasMemory() && !isString(in) && !isCounted(in)) {
      out.append(in.mode == 32 ? "addr16 " : "addr32 ");
    }
    if (in.rep || in.repne) {
      boolean compare = in.mnemonic == Mnemonic.CMPS || in.mnemonic == Mnemonic.SCAS;
      boolean branch = isNearBranch(in);
      if (in.lock || in.mnemonic == Mnemonic.XCHG) {
        out.append(in.repne ? "xacquire " : "xrelease ");
      } else if (in.repne) {
        out.append(branch ? "bnd " : "repnz ");
      } else {
        out.append(isString(in) && !compare ? "rep " : "repz ");
      }
    }
    if (in.lock) {
      out.append("lock ");
    }
  }

  private static boolean operandSizeIsIdle(Insn in) {
    if ((in.mode == 64 && isNearBranch(in)) || (in.rex & 8) != 0) {
      return true;
    }
    switch (in.mnemonic) {
      case CBW, CWD, CWDE, CDQ, PUSHF, POPF, PUSHA, POPA, IRET, RETF, LEAVE, ENTER, PUSH, POP -> {
        return false;
      }
      case CALLF,
          JMPF,
          LGDT,
          LIDT,
          SGDT,
          SIDT,
          FLDENV,
          FNSTENV,
          FNSAVE,
          FRSTOR,
          SYSRET,
          SYSEXIT,
          NOP -> {
        return false;
      }
      default -> {}
    }
    if (isString(in)) {
      return in.opSize == 1;
    }
    for (int i = 0; i < in.operands; i++) {
      int kind = in.kind[i];
      if (kind == Insn.FAR || kind == Insn.REL) {
        return false;
      }
      if ((kind == Insn.GPR || kind == Insn.MEM) && in.size[i] == in.opSize && in.opSize != 1) {
        return false;
      }
    }
    return true;
  }

  static boolean isNearBranch(Insn in) {
    return switch (in.mnemonic) {
      case CALL, JMP, JCC, RET, LOOP, LOOPE, LOOPNE, JCXZ, JECXZ, JRCXZ -> true;
      default -> false;
    };
  }

  private static boolean isCounted(Insn in) {
    return switch (in.mnemonic) {
      case LOOP, LOOPE, LOOPNE, JCXZ, JECXZ, JRCXZ, MONITOR, UMONITOR, MONITORX, CLZERO -> true;
      default -> false;
    };
  }

  static boolean isString(Insn in) {
    return switch (in.mnemonic) {
      case MOVS, STOS, LODS, SCAS, CMPS, INS, OUTS, XLAT -> true;
      default -> false;
    };
  }

  private static boolean usesSegment(Insn in) {
    return in.hasMemory() || isString(in);
  }

  /** Name with condition, or the comparison it stands for; suffixes are the syntax's business. */
  static String baseName(Insn in) {
    switch (in.mnemonic) {
      case JCC -> {
        return "j" + CONDITIONS[in.cond];
      }
      case SETCC -> {
        return "set" + CONDITIONS[in.cond];
      }
      case CMOVCC -> {
        return "cmov" + CONDITIONS[in.cond];
      }
      case CMPCCXADD -> {
        return "cmp" + XADD_CONDITIONS[in.cond] + "xadd";
      }
      case XSTORE -> {
        return "xstore-rng";
      }
      case XCRYPTECB, XCRYPTCBC, XCRYPTCTR, XCRYPTCFB, XCRYPTOFB -> {
        return "xcrypt-" + in.mnemonic.text().substring(6);
      }
      case NOP -> {
        return in.opcode == 0x90 && (in.prefixes & Insn.PREFIX_66) != 0 && in.wide == 0
            ? "xchg"
            : (in.opcode == 0x90 && in.rex != 0 ? rexName(in.rex) + " nop" : "nop");
      }
      case MOV -> {
        boolean offset = in.opcode >= 0xa0 && in.opcode <= 0xa3 && in.operands == 2;
        boolean wide = offset ? in.dispSize == 8 && in.hasMemory() : in.immSize == 8;
        return wide ? "movabs" : "mov";
      }
      default -> {
        String alias = PseudoOps.name(in);
        return alias != null ? alias : in.mnemonic.text();
      }
    }
  }

  private static String rexName(int rex) {
    return "rex"
        + ((rex & 15) == 0 ? "" : ".")
        + ((rex & 8) != 0 ? "W" : "")
        + ((rex & 4) != 0 ? "R" : "")
        + ((rex & 2) != 0 ? "X" : "")
        + ((rex & 1) != 0 ? "B" : "");
  }

  static String segment(int s) {
    return RegisterNames.SEGMENTS.get(s);
  }

  static String rounding(int rounding) {
    return rounding == 4 ? "{sae}" : ROUNDINGS[rounding];
  }

  /** Whether an operand is the stack top by definition of the opcode, printed without a number. */
  static boolean isStackTop(Insn in, int i) {
    return in.kind[i] == Insn.ST
        && in.operands == 2
        && i == (in.opcode == 0xdc || in.opcode == 0xde ? 1 : 0);
  }

  /** The D0 and D1 forms of the shifts, whose count of 1 is no field. */
  static boolean isConstantOne(Insn in, int i) {
    return i == 1 && in.kind[1] == Insn.IMM && in.immSize == 0;
  }

  /** Immediate as printed: sign-extended to the operand size and no further. */
  static String immediate(Insn in, int i, int nth) {
    long v = nth == 0 ? in.imm : in.imm2;
    int bits = Math.min(in.size[i], 8) * 8;
    if (bits > 0 && bits < 64) {
      v &= (1L << bits) - 1;
    }
    return hex(v);
  }

  static String hex(long v) {
    return "0x" + Long.toHexString(v);
  }

  static void address(long v, StringBuilder out, Symbolizer symbols) {
    out.append(hex(v));
    String name = symbols.at(v);
    if (name != null) {
      out.append(" <").append(name).append('>');
    }
  }

  static String register(int kind, int reg, int size) {
    return switch (kind) {
      case Insn.GPR -> general(reg, size);
      case Insn.GPR_HIGH -> GPR_HIGH[reg];
      case Insn.SEG -> RegisterNames.SEGMENTS.get(reg);
      case Insn.CR -> "cr" + reg;
      case Insn.ST -> "st(" + reg + ")";
      case Insn.MM -> "mm" + reg;
      case Insn.XMM -> (size == 64 ? "zmm" : size == 32 ? "ymm" : "xmm") + reg;
      case Insn.K -> "k" + reg;
      case Insn.BND -> "bnd" + reg;
      case Insn.TMM -> "tmm" + reg;
      default -> String.format(Locale.ROOT, "reg%d.%d", kind, reg);
    };
  }

  static String general(int reg, int size) {
    String full = RegisterNames.GENERAL.get(reg);
    if (reg >= 8) {
      return full + (size == 1 ? "b" : size == 2 ? "w" : size == 4 ? "d" : "");
    }
    return switch (size) {
      case 1 -> GPR_8[reg];
      case 2 -> full.substring(1);
      case 4 -> "e" + full.substring(1);
      default -> full;
    };
  }

  /** Opmask decoration of the destination. */
  static String mask(Insn in, String percent) {
    if (in.opmask == 0) {
      return "";
    }
    return "{" + percent + "k" + in.opmask + "}" + (in.zeroing ? "{z}" : "");
  }

  /** Whether the instruction prints an implicit XMM0 operand. */
  static boolean implicitXmm0(Insn in) {
    return switch (in.mnemonic) {
      case PBLENDVB, BLENDVPS, BLENDVPD, SHA256RNDS2 -> true;
      default -> false;
    };
  }
}
