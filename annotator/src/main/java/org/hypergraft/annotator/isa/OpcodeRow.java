package org.hypergraft.annotator.isa;

/** One row of the opcode table: what an encoding is called, takes and means. */
final class OpcodeRow {
  /** Flag bits. */
  static final int LOCK = 1;

  /** 64-bit mode: operand size defaults to 8 (66 makes it 2), or is always 8. */
  static final int DEFAULT_64 = 1 << 1;

  static final int FORCE_64 = 1 << 2;

  /** Low opcode nibble is a condition. */
  static final int CONDITION = 1 << 3;

  /** ModRM.mod is ignored and taken as 3 (MOV to and from control and debug registers). */
  static final int ANY_MOD = 1 << 4;

  /** Some operand is named by vvvv; otherwise vvvv must be all ones. */
  static final int USES_VVVV = 1 << 5;

  /** EVEX: opmask allowed, zeroing allowed, opmask other than k0 required. */
  static final int MASK = 1 << 6;

  static final int ZEROING = 1 << 7;
  static final int MASK_REQUIRED = 1 << 8;

  /** EVEX: embedded rounding, or suppression of exceptions only, in the register form. */
  static final int ROUNDING = 1 << 9;

  static final int SAE = 1 << 10;

  /** Memory operand must use a SIB byte (VSIB and tile loads). */
  static final int SIB = 1 << 11;

  /** The mandatory prefix is 66, so it does not change the operand size. */
  static final int TAKES_66 = 1 << 12;

  /** The mandatory prefix is F3 or F2, so it is no repeat prefix. */
  static final int TAKES_REPEAT = 1 << 13;

  /** {@link Insn#opSize}: 1, or the operand size capped to 4, or the operand size. */
  static final int OP_BYTE = 1 << 14;

  static final int OP_Z = 1 << 15;
  static final int OP_V = 1 << 16;

  /** Register operands must all differ, or only the destination from the sources. */
  static final int DISTINCT = 1 << 17;

  static final int NEW_DESTINATION = 1 << 18;

  final Mnemonic mnemonic;
  final Sensitivity sensitivity;
  final int flags;

  /** Parsed operands, {@link Notation}. */
  final int[] operands;

  /** Size notation of the operand that may be memory, {@link Notation#NONE} if there is none. */
  final int memorySize;

  /** EVEX broadcast element size in bytes, 0 = no broadcast. */
  final int broadcast;

  /** EVEX disp8 factor where it is not the size of the memory operand, else 0. */
  final int disp8Factor;

  OpcodeRow(
      Mnemonic mnemonic,
      Sensitivity sensitivity,
      int flags,
      int[] operands,
      int memorySize,
      int broadcast,
      int disp8Factor) {
    this.mnemonic = mnemonic;
    this.sensitivity = sensitivity;
    this.flags = flags;
    this.operands = operands;
    this.memorySize = memorySize;
    this.broadcast = broadcast;
    this.disp8Factor = disp8Factor;
  }
}
