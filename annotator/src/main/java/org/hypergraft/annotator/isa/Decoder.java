package org.hypergraft.annotator.isa;

/**
 * The x86 decoder: 16, 32 and 64-bit code, from the 8086 to AVX-512, AMX and the confidential
 * computing extensions. Follows Intel's rules where Intel and AMD differ: near branches in 64-bit
 * code ignore the operand-size prefix.
 *
 * <p>Stateless and thread-safe; all state is in the caller's {@link Insn}. Allocates nothing.
 */
public final class Decoder {
  /** Intel SDM vol. 2 2.3.11: longer instructions raise #GP. */
  public static final int MAX_LENGTH = 15;

  private static final OpcodeTable TABLE = OpcodeTable.load();
  private static final int[] ROOTS = TABLE.roots;
  private static final int[] NODES = TABLE.nodes;
  private static final boolean[] MODRM = TABLE.modRm;
  private static final OpcodeRow[] ROWS = TABLE.rows;

  // What a byte before the opcode is.
  private static final byte OPCODE = 0;
  private static final byte SEGMENT = 1;
  private static final byte OPERAND_SIZE = 2;
  private static final byte ADDRESS_SIZE = 3;
  private static final byte LOCK = 4;
  private static final byte REPEAT = 5;
  private static final byte REX = 6;
  private static final byte[] CLASS = new byte[256];

  static {
    for (int b : new int[] {0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65}) {
      CLASS[b] = SEGMENT;
    }
    CLASS[0x66] = OPERAND_SIZE;
    CLASS[0x67] = ADDRESS_SIZE;
    CLASS[0xf0] = LOCK;
    CLASS[0xf2] = REPEAT;
    CLASS[0xf3] = REPEAT;
    for (int b = 0x40; b < 0x50; b++) {
      CLASS[b] = REX;
    }
  }

  private Decoder() {}

  /**
   * Decodes the instruction at {@code code[offset]}.
   *
   * @param limit index of the first byte that must not be read
   * @param ip address of the instruction
   * @param mode code size: 16, 32 or 64
   * @param in filled in; when 0 is returned only ip, mode and length have a meaning
   * @return length in bytes, or 0 when the bytes are no valid instruction or run past the limit;
   *     {@code in.length} is then the number of bytes looked at
   */
  public static int decode(byte[] code, int offset, int limit, long ip, int mode, Insn in) {
    clear(in);
    in.ip = ip;
    in.mode = mode;
    in.end = Math.min(limit, offset + MAX_LENGTH);
    in.at = offset;
    if (!instruction(code, offset, in)) {
      in.length = in.at - offset;
      in.mnemonic = Mnemonic.INVALID;
      in.operands = 0;
      return 0;
    }
    return in.length;
  }

  private static void clear(Insn in) {
    in.sensitivity = Sensitivity.NONE;
    in.lock = false;
    in.rep = false;
    in.repne = false;
    in.operands = 0;
    in.cond = 0;
    in.base = -1;
    in.index = -1;
    in.scale = 1;
    in.segment = 3;
    in.segmentOverride = false;
    in.disp = 0;
    in.imm = 0;
    in.imm2 = 0;
    in.dispOffset = 0;
    in.dispSize = 0;
    in.immOffset = 0;
    in.immSize = 0;
    in.opcodeOffset = 0;
    in.encoding = 0;
    in.vectorLength = 0;
    in.opmask = 0;
    in.zeroing = false;
    in.broadcast = false;
    in.rounding = -1;
    in.indexSize = 0;
    in.prefixes = 0;
    in.rex = 0;
    in.opcode = 0;
    in.modrm = -1;
    in.sib = -1;
    in.extR = 0;
    in.extX = 0;
    in.extB = 0;
    in.extR2 = 0;
    in.extV2 = 0;
    in.wide = 0;
    in.vvvv = 15;
    in.vl = 16;
  }

  private static boolean instruction(byte[] code, int start, Insn in) {
    int mode = in.mode;
    int end = in.end;
    int p = start;
    int prefixes = 0;
    int rex = 0;
    int mandatory = 0;
    int b;
    while (true) {
      if (p >= end) {
        in.at = p;
        return false;
      }
      b = code[p++] & 0xff;
      byte c = CLASS[b];
      if (c == OPCODE) {
        break;
      }
      if (c == REX) {
        if (mode != 64) {
          break;
        }
        rex = b;
        continue;
      }
      // A REX that does not directly precede the opcode is ignored (SDM vol. 2 2.2.1).
      rex = 0;
      switch (c) {
        case SEGMENT -> {
          int s = b >= 0x64 ? b - 0x60 : (b - 0x26) >> 3;
          prefixes |= Insn.PREFIX_SEGMENT << s;
          if (mode != 64 || s >= 4) {
            in.segment = s;
            in.segmentOverride = true;
          }
        }
        case OPERAND_SIZE -> prefixes |= Insn.PREFIX_66;
        case ADDRESS_SIZE -> prefixes |= Insn.PREFIX_67;
        case LOCK -> prefixes |= Insn.PREFIX_LOCK;
        default -> {
          // The last of F2 and F3 counts.
          prefixes |= b == 0xf3 ? Insn.PREFIX_F3 : Insn.PREFIX_F2;
          mandatory = b == 0xf3 ? 2 : 3;
        }
      }
    }
    in.prefixes = prefixes;
    in.opcodeOffset = p - 1 - start;
    boolean toggled = (prefixes & Insn.PREFIX_67) != 0;
    in.addrSize = mode == 64 ? (toggled ? 4 : 8) : (mode == 32) != toggled ? 4 : 2;
    if (mandatory == 0 && (prefixes & Insn.PREFIX_66) != 0) {
      mandatory = 1;
    }
    in.rex = rex;
    in.wide = rex >> 3 & 1;
    in.extR = (rex & 4) << 1;
    in.extX = (rex & 2) << 2;
    in.extB = (rex & 1) << 3;

    int map = OpcodeTable.MAP_1;
    if (b == 0x0f) {
      if (p >= end) {
        in.at = p;
        return false;
      }
      b = code[p++] & 0xff;
      map = OpcodeTable.MAP_0F;
      if (b == 0x38 || b == 0x3a) {
        if (p >= end) {
          in.at = p;
          return false;
        }
        map = b == 0x38 ? OpcodeTable.MAP_0F38 : OpcodeTable.MAP_0F3A;
        b = code[p++] & 0xff;
      } else if (b == 0x0f) {
        in.at = p;
        return threeDNow(code, start, in);
      }
    } else if ((b == 0xc4 || b == 0xc5 || b == 0x62 || b == 0x8f)
        && p < end
        && isVectorEscape(b, code[p] & 0xff, mode)) {
      // SDM vol. 2 2.3.2: #UD with LOCK, 66, F2, F3 or REX before VEX, EVEX or XOP.
      if (mandatory != 0 || rex != 0 || (prefixes & Insn.PREFIX_LOCK) != 0) {
        in.at = p;
        return false;
      }
      in.at = p;
      map = vectorPrefix(code, b, in);
      if (map < 0 || in.at >= end) {
        return false;
      }
      mandatory = in.opcode;
      p = in.at;
      b = code[p++] & 0xff;
    }
    in.opcode = b;
    int slot = map << 8 | b;
    int modrm = 0;
    if (MODRM[slot]) {
      if (p >= end) {
        in.at = p;
        return false;
      }
      modrm = code[p++] & 0xff;
      in.modrm = modrm;
    }
    in.at = p;
    int node = ROOTS[slot];
    while (node < 0) {
      node = NODES[1 - node + value(NODES[-node], in, modrm, mandatory)];
    }
    return node != 0 && finish(code, start, in, ROWS[node], modrm);
  }

  /** The value of one decision of the opcode tree. */
  private static int value(int dimension, Insn in, int modrm, int mandatory) {
    return switch (dimension) {
      case OpcodeTable.MODE_64 -> in.mode == 64 ? 1 : 0;
      case OpcodeTable.PREFIX -> mandatory;
      case OpcodeTable.REG -> modrm >> 3 & 7;
      case OpcodeTable.REGISTER_FORM -> modrm >= 0xc0 ? 1 : 0;
      case OpcodeTable.RM -> modrm & 7;
      case OpcodeTable.WIDE -> in.wide;
      case OpcodeTable.LENGTH -> in.broadcast && modrm >= 0xc0 ? 2 : in.vectorLength;
      case OpcodeTable.OPERAND_SIZE -> operandSize(in, false) >> 2;
      case OpcodeTable.ADDRESS_SIZE -> in.addrSize >> 2;
      default -> in.extB >> 3;
    };
  }

  private static int operandSize(Insn in, boolean takes66) {
    boolean toggled = (in.prefixes & Insn.PREFIX_66) != 0 && !takes66;
    if (in.mode == 64) {
      return in.wide != 0 ? 8 : toggled ? 2 : 4;
    }
    return (in.mode == 32) != toggled ? 4 : 2;
  }

  /**
   * VEX, EVEX and XOP share their first byte with LES, LDS, BOUND and POP, whose encodings they use
   * that would name a register where memory is required (SDM vol. 2 2.3.1, APM vol. 6).
   */
  private static boolean isVectorEscape(int first, int second, int mode) {
    if (first == 0x8f) {
      return (second & 0x1f) >= 8;
    }
    return mode == 64 || second >= 0xc0;
  }

  /**
   * Reads the payload that follows the escape byte; leaves pp in {@code in.opcode}.
   *
   * @return the opcode map, or -1
   */
  private static int vectorPrefix(byte[] code, int escape, Insn in) {
    int payload = escape == 0xc5 ? 1 : escape == 0x62 ? 3 : 2;
    int p = in.at;
    if (in.end - p < payload) {
      in.at = in.end;
      return -1;
    }
    in.at = p + payload;
    boolean long64 = in.mode == 64;
    int p0 = code[p] & 0xff;
    int p1 = payload == 1 ? p0 : code[p + 1] & 0xff;
    // Outside 64-bit code R and X are 1 by construction, and B and vvvv[3] are ignored.
    in.extR = long64 ? (~p0 & 0x80) >> 4 : 0;
    in.vvvv = ~p1 >> 3 & 15;
    in.opcode = p1 & 3;
    if (payload == 1) {
      in.encoding = 1;
      in.vectorLength = p1 >> 2 & 1;
      in.vl = 16 << in.vectorLength;
      return OpcodeTable.VEX_MAP + 1;
    }
    in.extX = long64 ? (~p0 & 0x40) >> 3 : 0;
    in.extB = long64 ? (~p0 & 0x20) >> 2 : 0;
    in.wide = p1 >> 7;
    if (escape != 0x62) {
      in.encoding = escape == 0x8f ? 3 : 1;
      in.vectorLength = p1 >> 2 & 1;
      in.vl = 16 << in.vectorLength;
      int m = p0 & 0x1f;
      if (escape == 0x8f) {
        return m <= 10 ? OpcodeTable.XOP_MAP + m - 8 : -1;
      }
      return m >= 1 && m <= 3 ? OpcodeTable.VEX_MAP + m : -1;
    }
    int p2 = code[p + 2] & 0xff;
    int m = p0 & 7;
    if ((p0 & 8) != 0 || (p1 & 4) == 0 || m == 0 || m == 4 || m == 7) {
      return -1;
    }
    in.encoding = 2;
    in.extR2 = long64 ? ~p0 & 0x10 : 0;
    in.extV2 = (~p2 & 8) << 1;
    in.vectorLength = p2 >> 5 & 3;
    in.vl = 16 << in.vectorLength;
    in.broadcast = (p2 & 0x10) != 0;
    in.zeroing = (p2 & 0x80) != 0;
    in.opmask = p2 & 7;
    if (!long64 && in.extV2 != 0) {
      return -1;
    }
    return OpcodeTable.EVEX_MAP + m;
  }

  /** 3DNow! has its opcode after the operands (APM vol. 3 1.2.5). */
  private static boolean threeDNow(byte[] code, int start, Insn in) {
    if (in.at >= in.end) {
      return false;
    }
    int modrm = code[in.at++] & 0xff;
    in.modrm = modrm;
    if (modrm < 0xc0 && !Addressing.read(code, start, in, modrm, 0)) {
      return false;
    }
    if (in.at >= in.end) {
      return false;
    }
    in.opcode = code[in.at++] & 0xff;
    int row = ROOTS[OpcodeTable.MAP_3DNOW << 8 | in.opcode];
    return row > 0 && complete(code, start, in, ROWS[row], modrm);
  }

  private static boolean finish(byte[] code, int start, Insn in, OpcodeRow row, int modrm) {
    int flags = row.flags;
    if (in.encoding != 0 && !vectorRules(in, row, modrm)) {
      return false;
    }
    int size = operandSize(in, (flags & OpcodeRow.TAKES_66) != 0);
    if (in.mode == 64 && (flags & (OpcodeRow.DEFAULT_64 | OpcodeRow.FORCE_64)) != 0) {
      size = size == 2 && (flags & OpcodeRow.DEFAULT_64) != 0 ? 2 : 8;
    }
    in.opSize = size;
    if (in.modrm >= 0 && modrm < 0xc0 && (flags & OpcodeRow.ANY_MOD) == 0) {
      int factor = 0;
      if (in.encoding == 2) {
        factor =
            in.broadcast
                ? row.broadcast
                : row.disp8Factor != 0 ? row.disp8Factor : Operands.size(row.memorySize, in, false);
      }
      if (!Addressing.read(code, start, in, modrm, factor)) {
        return false;
      }
      if ((flags & OpcodeRow.SIB) != 0 && in.sib < 0) {
        return false;
      }
    }
    return complete(code, start, in, row, modrm);
  }

  /** Rules of VEX and EVEX fields (SDM vol. 2 2.3 and 2.7): every breach raises #UD. */
  private static boolean vectorRules(Insn in, OpcodeRow row, int modrm) {
    int flags = row.flags;
    int mask = in.mode == 64 ? 15 : 7;
    if ((flags & OpcodeRow.USES_VVVV) == 0) {
      if ((in.vvvv & mask) != 0 || (in.extV2 != 0 && (flags & OpcodeRow.SIB) == 0)) {
        return false;
      }
    }
    in.vvvv = in.vvvv & mask;
    if (in.encoding != 2) {
      return true;
    }
    if (in.opmask != 0
        ? (flags & OpcodeRow.MASK) == 0
        : (flags & OpcodeRow.MASK_REQUIRED) != 0 || in.zeroing) {
      return false;
    }
    if (in.zeroing && (flags & OpcodeRow.ZEROING) == 0) {
      return false;
    }
    if (in.broadcast && modrm >= 0xc0) {
      if ((flags & OpcodeRow.ROUNDING) != 0) {
        in.rounding = in.vectorLength;
      } else if ((flags & OpcodeRow.SAE) != 0) {
        in.rounding = 4;
      } else {
        return false;
      }
      in.vectorLength = 2;
      in.vl = 64;
      return true;
    }
    if (in.broadcast && row.broadcast == 0) {
      return false;
    }
    return in.vectorLength != 3;
  }

  /** Operands, immediates and what depends on them. */
  private static boolean complete(byte[] code, int start, Insn in, OpcodeRow row, int modrm) {
    int flags = row.flags;
    int[] specs = row.operands;
    if ((flags & OpcodeRow.OP_BYTE) != 0) {
      in.opSize = 1;
    } else if ((flags & OpcodeRow.OP_Z) != 0) {
      in.opSize = Math.min(in.opSize, 4);
    }
    for (int i = 0; i < specs.length; i++) {
      if (!Operands.read(code, start, in, i, specs[i], modrm)) {
        return false;
      }
    }
    in.operands = specs.length;
    if (in.encoding != 0 && !destinationRules(in, flags)) {
      return false;
    }
    if ((flags & (OpcodeRow.OP_BYTE | OpcodeRow.OP_Z | OpcodeRow.OP_V)) == 0) {
      in.opSize = in.size[0];
    }
    if ((in.prefixes & (Insn.PREFIX_LOCK | Insn.PREFIX_F2 | Insn.PREFIX_F3)) != 0) {
      if ((in.prefixes & Insn.PREFIX_LOCK) != 0) {
        // SDM vol. 2 "LOCK": #UD unless a listed instruction with a memory destination.
        if ((flags & OpcodeRow.LOCK) == 0 || in.kind[0] != Insn.MEM) {
          return false;
        }
        in.lock = true;
      }
      if ((flags & OpcodeRow.TAKES_REPEAT) == 0) {
        in.rep = (in.prefixes & Insn.PREFIX_F3) != 0;
        in.repne = (in.prefixes & Insn.PREFIX_F2) != 0;
      }
    }
    in.cond = (flags & OpcodeRow.CONDITION) != 0 ? in.opcode & 15 : 0;
    in.takes66 = (flags & OpcodeRow.TAKES_66) != 0;
    in.broadcastElement = row.broadcast;
    in.mnemonic = row.mnemonic;
    in.sensitivity = row.sensitivity;
    in.length = in.at - start;
    return true;
  }

  /**
   * Zeroing a memory destination and, for gathers (SDM "VPGATHERDD"), tile products and complex
   * products of half floats, naming one register twice raise #UD.
   */
  private static boolean destinationRules(Insn in, int flags) {
    if (in.zeroing && in.kind[0] == Insn.MEM) {
      return false;
    }
    if ((flags & OpcodeRow.NEW_DESTINATION) == 0) {
      return true;
    }
    int firsts = (flags & OpcodeRow.DISTINCT) != 0 ? in.operands - 1 : 1;
    for (int i = 0; i < firsts; i++) {
      for (int j = i + 1; j < in.operands; j++) {
        if (vectorOf(in, i) == vectorOf(in, j)) {
          return false;
        }
      }
    }
    return true;
  }

  /** Register of an operand, the index for VSIB; -1 for other memory. */
  private static int vectorOf(Insn in, int i) {
    return in.kind[i] != Insn.MEM ? in.reg[i] : in.indexSize != 0 ? in.index : -1;
  }
}
