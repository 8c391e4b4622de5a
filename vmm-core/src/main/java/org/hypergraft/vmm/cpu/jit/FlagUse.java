package org.hypergraft.vmm.cpu.jit;

import org.hypergraft.annotator.isa.Insn;
import org.hypergraft.annotator.isa.Mnemonic;

/**
 * What instructions do to the status flags, as far as the compiler cares: enough to know when a
 * flag result can be left uncomputed.
 */
final class FlagUse {
  private FlagUse() {}

  /** Whether the instruction leaves all six status flags newly set (or undefined). */
  static boolean writesAll(Insn i) {
    switch (i.mnemonic) {
      case ADD, SUB, CMP, AND, OR, XOR, TEST, NEG, IMUL, MUL, ADC, SBB, XADD, CMPXCHG:
      case COMISD, UCOMISD, COMISS, UCOMISS:
        return true;
      case SHL, SHR, SAR:
        // a count of zero leaves the flags alone
        return i.kind[1] == Insn.IMM && ShiftCompiler.count(i) != 0;
      default:
        return false;
    }
  }

  /**
   * Whether the instruction needs flags set before it. One that only passes some of them on, such
   * as INC, does not: they matter if what it leaves does.
   */
  static boolean reads(Insn i) {
    switch (i.mnemonic) {
      case JCC, SETCC, CMOVCC, ADC, SBB:
        return true;
      default:
        return !Translatable.inline(i);
    }
  }

  /**
   * Whether control may leave the region at the instruction, so that the flags set before it must
   * be in their place: memory operands may fault, and whatever runs through its tier-0 op may do
   * anything.
   */
  static boolean mayLeave(Insn i) {
    return i.hasMemory() && i.mnemonic != Mnemonic.LEA && i.mnemonic != Mnemonic.NOP
        || !Translatable.plain(i);
  }

  /** Whether the flags that instruction {@code at} of a block sets can be seen by anybody. */
  static boolean live(Insn[] insns, int at) {
    for (int k = at + 1; k < insns.length; k++) {
      Insn i = insns[k];
      if (reads(i) || mayLeave(i)) {
        return true;
      }
      if (writesAll(i)) {
        return false;
      }
    }
    return true;
  }
}
