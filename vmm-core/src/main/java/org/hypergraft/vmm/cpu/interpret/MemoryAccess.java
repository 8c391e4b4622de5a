package org.hypergraft.vmm.cpu.interpret;

import java.util.EnumSet;
import java.util.Set;
import org.hypergraft.annotator.isa.Insn;
import org.hypergraft.annotator.isa.Mnemonic;

/** Which instructions write their explicit memory operand: segment types tell reads from writes. */
final class MemoryAccess {
  /** Instructions whose first operand, when it is memory, is read only. */
  private static final Set<Mnemonic> READ_FIRST =
      EnumSet.of(
          Mnemonic.CMP,
          Mnemonic.TEST,
          Mnemonic.BT,
          Mnemonic.PUSH,
          Mnemonic.CALL,
          Mnemonic.JMP,
          Mnemonic.CALLF,
          Mnemonic.JMPF,
          Mnemonic.MUL,
          Mnemonic.IMUL,
          Mnemonic.DIV,
          Mnemonic.IDIV,
          Mnemonic.CLFLUSH,
          Mnemonic.CLFLUSHOPT,
          Mnemonic.CLWB,
          Mnemonic.LGDT,
          Mnemonic.LIDT,
          Mnemonic.LLDT,
          Mnemonic.LTR,
          Mnemonic.LMSW,
          Mnemonic.VERR,
          Mnemonic.VERW,
          Mnemonic.FXRSTOR,
          Mnemonic.FXRSTOR64,
          Mnemonic.XRSTOR,
          Mnemonic.XRSTOR64,
          Mnemonic.XRSTORS,
          Mnemonic.XRSTORS64,
          Mnemonic.LDMXCSR,
          Mnemonic.VLDMXCSR,
          Mnemonic.FADD,
          Mnemonic.FBLD,
          Mnemonic.FCOM,
          Mnemonic.FCOMP,
          Mnemonic.FDIV,
          Mnemonic.FDIVR,
          Mnemonic.FIADD,
          Mnemonic.FICOM,
          Mnemonic.FICOMP,
          Mnemonic.FIDIV,
          Mnemonic.FIDIVR,
          Mnemonic.FILD,
          Mnemonic.FIMUL,
          Mnemonic.FISUB,
          Mnemonic.FISUBR,
          Mnemonic.FLD,
          Mnemonic.FLDCW,
          Mnemonic.FLDENV,
          Mnemonic.FMUL,
          Mnemonic.FRSTOR,
          Mnemonic.FSUB,
          Mnemonic.FSUBR);

  private MemoryAccess() {}

  static boolean writes(Insn in) {
    return in.operands > 0 && in.kind[0] == Insn.MEM && !READ_FIRST.contains(in.mnemonic);
  }
}
