package org.hypergraft.annotator.isa;

/** Intel syntax. */
final class IntelSyntax extends Syntax {
  @Override
  String mnemonic(Insn in) {
    boolean code64 = in.mode == 64;
    return switch (in.mnemonic) {
      case CALLF -> "call";
      case JMPF -> "jmp";
      case SYSRET, SYSEXIT -> in.mnemonic.text() + (in.opSize == 8 ? "q" : code64 ? "d" : "");
      case IRET, RETF, LEAVE, ENTER, PUSHF, POPF, PUSH, POP, CALL, JMP, RET, PUSHA, POPA ->
          in.mnemonic.text() + stackSuffix(in);
      case LGDT, LIDT, SGDT, SIDT ->
          in.mnemonic.text() + (code64 ? "" : in.opSize == 2 ? "w" : "d");
      case FLDENV, FNSTENV, FNSAVE, FRSTOR ->
          in.mnemonic.text() + (in.opSize == 2 && in.mode != 16 ? "w" : "");
      case PCMPESTRI, PCMPESTRM, VPCMPESTRI, VPCMPESTRM ->
          in.mnemonic.text() + (in.wide != 0 ? "q" : "");
      default -> baseName(in);
    };
  }

  /** Operand size of an implicit stack access that is not the mode's default. */
  private static String stackSuffix(Insn in) {
    boolean explicit = in.operands > 0 && (in.kind[0] == Insn.GPR || in.kind[0] == Insn.MEM);
    if (explicit) {
      return "";
    }
    return switch (in.opSize) {
      case 2 -> in.mode == 16 ? "" : "w";
      case 4 -> in.mode == 16 ? "d" : "";
      default -> in.mnemonic == Mnemonic.IRET || in.mnemonic == Mnemonic.RETF ? "q" : "";
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
        String r = general(0, in.opSize);
        out.append(r).append(',').append(r);
      }
      return;
    }
    boolean alias = PseudoOps.name(in) != null;
    int immediates = 0;
    for (int i = 0; i < in.operands; i++) {
      if (alias && in.kind[i] == Insn.IMM) {
        continue;
      }
      if (i > 0) {
        out.append(',');
      }
      switch (in.kind[i]) {
        case Insn.MEM -> memory(in, i, out);
        case Insn.IMM -> out.append(isConstantOne(in, i) ? "1" : immediate(in, i, immediates++));
        case Insn.REL -> address(in.imm, out, symbols);
        case Insn.FAR -> out.append(hex(in.imm2)).append(':').append(hex(in.imm));
        case Insn.DR -> out.append("dr").append(in.reg[i]);
        default ->
            out.append(isStackTop(in, i) ? "st" : register(in.kind[i], in.reg[i], in.size[i]));
      }
      if (i == 0) {
        out.append(mask(in, ""));
      }
      boolean last = i + 1 == in.operands || in.kind[i + 1] == Insn.IMM;
      if (in.rounding >= 0 && last && in.kind[i] != Insn.IMM) {
        out.append(rounding(in.rounding));
      }
    }
    if (implicitXmm0(in)) {
      out.append(",xmm0");
    }
  }

  private static void string(Insn in, StringBuilder out) {
    String size = pointer(in.opSize);
    String source = segment(in.segment) + ":[" + general(6, in.addrSize) + "]";
    String destination = "es:[" + general(7, in.addrSize) + "]";
    String accumulator = general(0, in.opSize);
    switch (in.mnemonic) {
      case MOVS -> out.append(size).append(destination).append(',').append(size).append(source);
      case CMPS -> out.append(size).append(source).append(',').append(size).append(destination);
      case STOS -> out.append(size).append(destination).append(',').append(accumulator);
      case LODS -> out.append(accumulator).append(',').append(size).append(source);
      case SCAS -> out.append(accumulator).append(',').append(size).append(destination);
      case INS -> out.append(size).append(destination).append(",dx");
      case OUTS -> out.append("dx,").append(size).append(source);
      default ->
          out.append(size)
              .append(segment(in.segment))
              .append(":[")
              .append(general(3, in.addrSize))
              .append(']');
    }
  }

  private static void memory(Insn in, int i, StringBuilder out) {
    if (in.broadcast) {
      out.append(broadcast(in));
    } else if (isOctword(in)) {
      out.append("OWORD PTR ");
    } else if (!isPlain(in)) {
      out.append(pointer(in.size[i]));
    }
    boolean absolute = in.base < 0 && in.index < 0;
    if (in.segmentOverride) {
      out.append(segment(in.segment)).append(':');
    } else if (absolute) {
      out.append("ds:");
    }
    if (absolute) {
      long v = in.addrSize == 8 ? in.disp : in.disp & (in.addrSize == 2 ? 0xffff : 0xffffffffL);
      out.append(hex(v));
      return;
    }
    out.append('[');
    if (in.base == Insn.RIP) {
      out.append(in.addrSize == 4 ? "eip" : "rip");
    } else if (in.base >= 0) {
      out.append(general(in.base, in.addrSize));
    }
    if (in.index >= 0) {
      if (in.base >= 0) {
        out.append('+');
      }
      out.append(
          in.indexSize != 0
              ? register(Insn.XMM, in.index, in.indexSize)
              : general(in.index, in.addrSize));
      if (in.addrSize != 2) {
        out.append('*').append(in.scale);
      }
    } else if (in.sib >= 0 && (in.base < 0 || (in.sib & 7) != 4 || in.sib >> 6 != 0)) {
      out.append(in.base >= 0 ? "+" : "").append(in.addrSize == 8 ? "riz*" : "eiz*");
      out.append(1 << (in.sib >> 6));
    }
    if (in.dispSize != 0) {
      out.append(in.disp < 0 && in.base != Insn.RIP ? "-" : "+");
      long v = in.disp < 0 && in.base != Insn.RIP ? -in.disp : in.disp;
      out.append(hex(in.base == Insn.RIP && in.addrSize == 4 ? v & 0xffffffffL : v));
    }
    out.append(']');
  }

  /** Objdump gives these no size. */
  private static boolean isPlain(Insn in) {
    return switch (in.mnemonic) {
      case LGDT, LIDT, SGDT, SIDT, INVPCID, LDDQU, VLDDQU, WRSSD, WRSSQ, WRUSSD, WRUSSQ -> true;
      case BNDCL, BNDCU, BNDCN, BNDMOV -> true;
      case MOV -> in.opcode >= 0xa0 && in.opcode <= 0xa3 && in.modrm < 0;
      default -> false;
    };
  }

  private static boolean isOctword(Insn in) {
    return switch (in.mnemonic) {
      case CMPXCHG16B, INVEPT, INVVPID -> true;
      default -> false;
    };
  }

  private static String broadcast(Insn in) {
    int element = in.broadcastElement;
    return (element == 8 ? "QWORD" : element == 4 ? "DWORD" : "WORD") + " BCST ";
  }

  private static String pointer(int size) {
    return switch (size) {
      case 1 -> "BYTE PTR ";
      case 2 -> "WORD PTR ";
      case 4 -> "DWORD PTR ";
      case 6 -> "FWORD PTR ";
      case 8 -> "QWORD PTR ";
      case 10 -> "TBYTE PTR ";
      case 16 -> "XMMWORD PTR ";
      case 32 -> "YMMWORD PTR ";
      case 64 -> "ZMMWORD PTR ";
      default -> "";
    };
  }
}
