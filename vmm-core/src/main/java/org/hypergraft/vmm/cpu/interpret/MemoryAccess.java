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
          Mnemonic.VLDMXCSR);

  private MemoryAccess() {}

  static boolean writes(Insn in) {
    if (in.operands == 0 || in.kind[0] != Insn.MEM || READ_FIRST.contains(in.mnemonic)) {
      return false;
    }
    String name = in.mnemonic.name();
    if (name.startsWith("F") && !name.startsWith("FX")) {
      // x87: stores have ST, FNSAVE has not; FRSTOR has and is none
      return name.contains("ST") && !name.equals("FRSTOR") || name.contains("SAVE");
    }
    return true;
  }
}
