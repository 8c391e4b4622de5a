package org.hypergraft.annotator.isa;

/** Fills operands from their notation. */
final class Operands {
  private Operands() {}

  /** Size in bytes of a size notation; the ModRM form matters to those that differ by it. */
  static int size(int notation, Insn in, boolean register) {
    return switch (notation) {
      case Notation.BYTE -> 1;
      case Notation.WORD -> 2;
      case Notation.DWORD -> 4;
      case Notation.QWORD -> 8;
      case Notation.TBYTE -> 10;
      case Notation.XMMWORD -> 16;
      case Notation.YMMWORD -> 32;
      case Notation.ZMMWORD -> 64;
      case Notation.VARIABLE -> in.opSize;
      case Notation.Z_SIZE -> Math.min(in.opSize, 4);
      case Notation.Y_SIZE -> in.wide != 0 && in.mode == 64 ? 8 : 4;
      case Notation.NATIVE -> in.mode == 64 ? 8 : 4;
      case Notation.VARIABLE_OR_WORD -> register ? in.opSize : 2;
      case Notation.DWORD_OR_WORD -> register ? 4 : 2;
      case Notation.DWORD_OR_BYTE -> register ? 4 : 1;
      case Notation.TABLE -> in.mode == 64 ? 10 : 6;
      case Notation.POINTER -> in.opSize + 2;
      case Notation.PAIR -> 2 * in.opSize;
      case Notation.VECTOR -> in.vl;
      case Notation.HALF -> in.vl >> 1;
      case Notation.QUARTER -> in.vl >> 2;
      case Notation.EIGHTH -> in.vl >> 3;
      case Notation.DUPLICATE -> in.vl == 16 ? 8 : in.vl;
      case Notation.ADDRESS -> in.addrSize;
      default -> 0;
    };
  }

  /** Fills operand {@code i}; false when the bytes run out or name a register that is none. */
  static boolean read(byte[] code, int start, Insn in, int i, int spec, int modrm) {
    int notation = spec >> 8;
    int reg = modrm >> 3 & 7;
    int rm = modrm & 7;
    switch (spec & 0xff) {
      case Notation.E -> {
        if (modrm < 0xc0) {
          memory(in, i, size(notation, in, false));
        } else {
          general(in, i, rm | in.extB, size(notation, in, true));
        }
        return true;
      }
      case Notation.G -> {
        general(in, i, reg | in.extR, size(notation, in, true));
        return in.extR2 == 0;
      }
      case Notation.R -> {
        general(in, i, rm | in.extB, size(notation, in, true));
        return true;
      }
      case Notation.M -> {
        memory(in, i, size(notation, in, false));
        return true;
      }
      case Notation.Z -> {
        general(in, i, (in.opcode & 7) | in.extB, size(notation, in, true));
        return true;
      }
      case Notation.B -> {
        general(in, i, in.vvvv, size(notation, in, true));
        return in.extV2 == 0;
      }
      case Notation.C -> {
        return control(in, i, reg | in.extR);
      }
      case Notation.D -> {
        // DR8-DR15 do not exist (SDM vol. 2 "MOV - Move to/from Debug Registers": REX.R is #UD).
        register(in, i, Insn.DR, reg | in.extR, in.mode == 64 ? 8 : 4);
        return in.extR == 0;
      }
      case Notation.S -> {
        register(in, i, Insn.SEG, reg, 2);
        return true;
      }
      case Notation.V -> {
        vector(in, i, reg | in.extR | in.extR2, size(notation, in, true));
        return true;
      }
      case Notation.W -> {
        if (modrm < 0xc0) {
          memory(in, i, size(notation, in, false));
          return true;
        }
        vector(in, i, vectorRm(in, rm), size(notation, in, true));
        return true;
      }
      case Notation.U -> {
        vector(in, i, vectorRm(in, rm), size(notation, in, true));
        return true;
      }
      case Notation.H -> {
        vector(in, i, in.vvvv | in.extV2, size(notation, in, true));
        return true;
      }
      case Notation.L -> {
        return selected(code, in, i, size(notation, in, true));
      }
      case Notation.P -> {
        register(in, i, Insn.MM, reg, 8);
        return true;
      }
      case Notation.Q -> {
        if (modrm < 0xc0) {
          memory(in, i, size(notation, in, false));
        } else {
          register(in, i, Insn.MM, rm, 8);
        }
        return true;
      }
      case Notation.N -> {
        register(in, i, Insn.MM, rm, 8);
        return true;
      }
      case Notation.KG -> {
        register(in, i, Insn.K, reg, size(notation, in, true));
        return (in.extR | in.extR2) == 0;
      }
      case Notation.KE -> {
        if (modrm < 0xc0) {
          memory(in, i, size(notation, in, false));
        } else {
          register(in, i, Insn.K, rm, size(notation, in, true));
        }
        return true;
      }
      case Notation.KR -> {
        register(in, i, Insn.K, rm, size(notation, in, true));
        return true;
      }
      case Notation.KB -> {
        register(in, i, Insn.K, in.vvvv & 7, size(notation, in, true));
        return in.vvvv < 8;
      }
      case Notation.TG -> {
        register(in, i, Insn.TMM, reg, 0);
        return in.extR == 0;
      }
      case Notation.TR -> {
        register(in, i, Insn.TMM, rm, 0);
        return in.extB == 0;
      }
      case Notation.TB -> {
        register(in, i, Insn.TMM, in.vvvv & 7, 0);
        return in.vvvv < 8;
      }
      case Notation.BG -> {
        return bound(in, i, reg | in.extR);
      }
      case Notation.BE -> {
        if (modrm < 0xc0) {
          memory(in, i, 2 * size(Notation.NATIVE, in, false));
          return true;
        }
        return bound(in, i, rm | in.extB);
      }
      case Notation.I -> {
        return immediate(code, start, in, i, notation);
      }
      case Notation.J -> {
        return branch(code, start, in, i, notation);
      }
      case Notation.A -> {
        return far(code, start, in, i);
      }
      case Notation.O -> {
        return offset(code, start, in, i, size(notation, in, false));
      }
      case Notation.XM -> {
        in.indexSize = in.vl;
        return indexed(in, i, notation);
      }
      case Notation.YM -> {
        in.indexSize = Math.max(16, in.vl >> 1);
        return indexed(in, i, notation);
      }
      case Notation.ACC -> {
        register(in, i, Insn.GPR, 0, size(notation, in, true));
        return true;
      }
      case Notation.CL -> {
        register(in, i, Insn.GPR, 1, 1);
        return true;
      }
      case Notation.DX -> {
        register(in, i, Insn.GPR, 2, 2);
        return true;
      }
      case Notation.SEGMENT -> {
        register(in, i, Insn.SEG, notation, 2);
        return true;
      }
      case Notation.ST0 -> {
        register(in, i, Insn.ST, 0, 10);
        return true;
      }
      case Notation.STI -> {
        register(in, i, Insn.ST, rm, 10);
        return true;
      }
      case Notation.ONE -> {
        register(in, i, Insn.IMM, 0, 1);
        in.imm = 1;
        return true;
      }
      default -> throw new AssertionError("operand method " + (spec & 0xff));
    }
  }

  private static void register(Insn in, int i, int kind, int reg, int size) {
    in.kind[i] = kind;
    in.reg[i] = reg;
    in.size[i] = size;
  }

  private static void memory(Insn in, int i, int size) {
    in.kind[i] = Insn.MEM;
    in.reg[i] = 0;
    in.size[i] = size;
  }

  private static void general(Insn in, int i, int reg, int size) {
    in.size[i] = size;
    // Without REX, byte registers 4-7 are AH, CH, DH, BH (SDM vol. 2 table 2-4).
    if (size == 1 && in.rex == 0 && reg >= 4 && in.encoding == 0) {
      in.kind[i] = Insn.GPR_HIGH;
      in.reg[i] = reg - 4;
    } else {
      in.kind[i] = Insn.GPR;
      in.reg[i] = reg;
    }
  }

  private static void vector(Insn in, int i, int reg, int size) {
    in.kind[i] = Insn.XMM;
    in.reg[i] = reg;
    in.size[i] = Math.max(16, size);
  }

  /** EVEX uses X as the fifth bit of a vector register in ModRM.rm. */
  private static int vectorRm(Insn in, int rm) {
    return rm | in.extB | (in.encoding == 2 ? in.extX << 1 : 0);
  }

  private static boolean control(Insn in, int i, int reg) {
    register(in, i, Insn.CR, reg, in.mode == 64 ? 8 : 4);
    return reg == 0 || (reg >= 2 && reg <= 4) || reg == 8;
  }

  private static boolean bound(Insn in, int i, int reg) {
    register(in, i, Insn.BND, reg, 16);
    return reg < 4;
  }

  private static boolean indexed(Insn in, int i, int notation) {
    // Unlike a GPR, vector register 4 can be an index.
    in.index = (in.sib >> 3 & 7) | in.extX | in.extV2;
    in.scale = 1 << (in.sib >> 6);
    memory(in, i, size(notation, in, false));
    return true;
  }

  private static boolean immediate(byte[] code, int start, Insn in, int i, int notation) {
    int size;
    int width = 1;
    boolean zeroExtend = false;
    switch (notation) {
      case Notation.BYTE -> {
        size = 1;
        zeroExtend = true;
      }
      case Notation.WORD -> {
        size = 2;
        width = 2;
        zeroExtend = true;
      }
      case Notation.DWORD -> {
        size = 4;
        width = 4;
      }
      case Notation.SIGNED_BYTE -> size = i > 0 ? in.size[0] : in.opSize;
      case Notation.Z_SIZE -> {
        size = in.opSize;
        width = Math.min(size, 4);
      }
      case Notation.NIBBLE -> {
        register(in, i, Insn.IMM, 0, 1);
        in.imm = code[in.at - 1] & 15;
        return true;
      }
      default -> {
        size = in.opSize;
        width = size;
      }
    }
    int p = in.at;
    if (in.end - p < width) {
      in.at = in.end;
      return false;
    }
    in.at = p + width;
    long v = Addressing.signed(code, p, width);
    if (zeroExtend) {
      v &= width == 1 ? 0xff : 0xffff;
    }
    if (in.immSize == 0) {
      in.imm = v;
      in.immOffset = p - start;
      in.immSize = width;
    } else {
      in.imm2 = v;
    }
    register(in, i, Insn.IMM, 0, size);
    return true;
  }

  private static boolean branch(byte[] code, int start, Insn in, int i, int notation) {
    int width = notation == Notation.BYTE ? 1 : Math.min(in.opSize, 4);
    int p = in.at;
    if (in.end - p < width) {
      in.at = in.end;
      return false;
    }
    in.at = p + width;
    in.immOffset = p - start;
    in.immSize = width;
    long target = in.ip + (in.at - start) + Addressing.signed(code, p, width);
    if (in.mode != 64) {
      target &= in.opSize == 2 ? 0xffff : 0xffffffffL;
    }
    in.imm = target;
    register(in, i, Insn.REL, 0, width);
    return true;
  }

  private static boolean far(byte[] code, int start, Insn in, int i) {
    int width = in.opSize;
    int p = in.at;
    if (in.end - p < width + 2) {
      in.at = in.end;
      return false;
    }
    in.at = p + width + 2;
    in.immOffset = p - start;
    in.immSize = width;
    in.imm = Addressing.signed(code, p, width) & (width == 2 ? 0xffff : 0xffffffffL);
    in.imm2 = Addressing.signed(code, p + width, 2) & 0xffff;
    register(in, i, Insn.FAR, 0, width + 2);
    return true;
  }

  private static boolean offset(byte[] code, int start, Insn in, int i, int size) {
    int width = in.addrSize;
    int p = in.at;
    if (in.end - p < width) {
      in.at = in.end;
      return false;
    }
    in.at = p + width;
    in.dispOffset = p - start;
    in.dispSize = width;
    in.disp = Addressing.signed(code, p, width);
    memory(in, i, size);
    return true;
  }

  /** A register in the high half of an immediate byte (VBLENDV, FMA4). */
  private static boolean selected(byte[] code, Insn in, int i, int size) {
    if (in.at >= in.end) {
      return false;
    }
    int b = code[in.at++] & 0xff;
    vector(in, i, in.mode == 64 ? b >> 4 : b >> 4 & 7, size);
    return true;
  }
}
