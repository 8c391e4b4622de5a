package org.hypergraft.annotator.isa;

/**
 * One decoded x86 instruction. Mutable and caller-owned, so that a sweep over a kernel's text
 * decodes millions of instructions without allocating. The decoder overwrites every field.
 *
 * <p>Operands are in Intel order (destination first). At most one operand is {@link #MEM}; its
 * address fields live beside the operand arrays.
 */
public final class Insn {
  /** Operand kinds, values of {@link #kind}. */
  public static final int NONE = 0;

  /** General register 0-15 (RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8-R15) of {@link #size}. */
  public static final int GPR = 1;

  /** Byte register AH, CH, DH or BH; {@link #reg} is 0-3. */
  public static final int GPR_HIGH = 2;

  /** Segment register: 0 ES, 1 CS, 2 SS, 3 DS, 4 FS, 5 GS. */
  public static final int SEG = 3;

  public static final int CR = 4;
  public static final int DR = 5;

  /** x87 stack register ST(0)-ST(7). */
  public static final int ST = 6;

  public static final int MM = 7;

  /** Vector register 0-31; {@link #size} 16, 32 or 64 tells XMM, YMM or ZMM. */
  public static final int XMM = 8;

  /** AVX-512 mask register. */
  public static final int K = 9;

  public static final int BND = 10;
  public static final int TMM = 11;
  public static final int MEM = 12;

  /** Immediate: first one in {@link #imm}, a second one (ENTER, EXTRQ) in {@link #imm2}. */
  public static final int IMM = 13;

  /** Direct branch target: the absolute address is in {@link #imm}. */
  public static final int REL = 14;

  /** Far pointer: offset in {@link #imm}, selector in {@link #imm2}. */
  public static final int FAR = 15;

  /** {@link #base} of a RIP-relative operand (EIP-relative with a 4-byte address size). */
  public static final int RIP = 16;

  /** Address of the first byte. */
  public long ip;

  /** Length in bytes, 1-15. */
  public int length;

  /** Code size it was decoded for: 16, 32 or 64. */
  public int mode;

  public Mnemonic mnemonic;

  /** What this encoding means to a hypervisor. */
  public Sensitivity sensitivity;

  /** Effective operand size in bytes (1, 2, 4, 8, 10, 16, 32, 64); 0 where it has no meaning. */
  public int opSize;

  /** Effective address size in bytes: 2, 4 or 8. */
  public int addrSize;

  /** Condition 0-15 (low opcode nibble) of JCC, SETCC, CMOVCC. */
  public int cond;

  public boolean lock;

  /** F3 prefix present and not part of the opcode. */
  public boolean rep;

  /** F2 prefix present and not part of the opcode. */
  public boolean repne;

  /** Number of operands, implicit ones left out as in Intel syntax. */
  public int operands;

  public final int[] kind = new int[5];
  public final int[] reg = new int[5];

  /** Operand size in bytes. */
  public final int[] size = new int[5];

  /** Base register 0-15, {@link #RIP}, or -1. */
  public int base;

  /** Index register 0-15 (a vector register for VSIB), or -1. */
  public int index;

  /** 1, 2, 4 or 8. */
  public int scale;

  /** Effective segment of the memory operand, default rules applied. */
  public int segment;

  /** An explicit segment prefix that takes effect in this mode. */
  public boolean segmentOverride;

  /** Displacement, sign-extended; for RIP-relative the raw displacement. */
  public long disp;

  /**
   * Immediate, sign-extended to 64 bits (bytes that are no signed quantity, such as interrupt
   * vectors, ports and shift counts, are zero-extended), or absolute branch target.
   */
  public long imm;

  public long imm2;

  /**
   * Offset within the instruction of the displacement field and its size in bytes; size 0 = none.
   */
  public int dispOffset;

  public int dispSize;

  /** Offset within the instruction of the (first) immediate or branch field and its size. */
  public int immOffset;

  public int immSize;

  /** Offset of the first opcode byte, past the prefixes (the map escape counts as opcode). */
  public int opcodeOffset;

  /** Encoding: 0 legacy, 1 VEX, 2 EVEX, 3 XOP. */
  public int encoding;

  /** VEX.L / EVEX.L'L: 0 = 128, 1 = 256, 2 = 512 bits. */
  public int vectorLength;

  /** EVEX opmask register, 0 = none. */
  public int opmask;

  /** EVEX zeroing, and broadcast / rounding bit. */
  public boolean zeroing;

  public boolean broadcast;

  /** EVEX rounding control 0-3 (nearest, down, up, zero), 4 = {sae} only, -1 = neither. */
  public int rounding;

  /** Register size of a VSIB index in bytes (16, 32 or 64), 0 when the index is a GPR. */
  public int indexSize;

  /** All prefixes seen, also ignored ones: a set of the {@code PREFIX_} bits. */
  public int prefixes;

  /** REX prefix byte in effect, 0 = none. */
  public int rex;

  /** Last opcode byte (the suffix byte of 3DNow!). */
  public int opcode;

  /** ModRM byte, -1 = none. */
  public int modrm;

  /** SIB byte, -1 = none. */
  public int sib;

  public static final int PREFIX_66 = 1;
  public static final int PREFIX_67 = 2;
  public static final int PREFIX_F3 = 4;
  public static final int PREFIX_F2 = 8;
  public static final int PREFIX_LOCK = 16;

  /** Segment prefixes: {@code PREFIX_SEGMENT << n} for segment register n. */
  public static final int PREFIX_SEGMENT = 32;

  // Decoder state while one instruction is being decoded.

  /** Buffer index of the next byte to read. */
  int at;

  /** Buffer index no byte may be read from: the limit, or the 15th byte. */
  int end;

  /** R, X, B as 0 or 8, R' and V' as 0 or 16, from REX, VEX or EVEX. */
  int extR;

  int extX;
  int extB;
  int extR2;
  int extV2;

  /** W of REX, VEX or EVEX, 0 or 1. */
  int wide;

  /** vvvv of VEX or EVEX, inverted back. */
  int vvvv;

  /** Vector length in bytes. */
  int vl;

  /** The 66 prefix is part of the opcode. */
  boolean takes66;

  /** Size in bytes of the element an EVEX broadcast repeats. */
  int broadcastElement;

  /** Whether W of the REX, VEX or EVEX prefix is set. */
  public boolean wide() {
    return wide != 0;
  }

  /** Whether an operand lies in memory. */
  public boolean hasMemory() {
    for (int i = 0; i < operands; i++) {
      if (kind[i] == MEM) {
        return true;
      }
    }
    return false;
  }

  /** Absolute address of a RIP-relative memory operand. */
  public long ripTarget() {
    return ip + length + disp;
  }

  /** Address of the next instruction in sequence. */
  public long end() {
    return ip + length;
  }
}
