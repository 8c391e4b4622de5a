package org.hypergraft.vmm.cpu.jit;

import java.util.EnumSet;
import java.util.Set;
import org.hypergraft.annotator.isa.Insn;
import org.hypergraft.annotator.isa.Mnemonic;

/** Which vector instructions compiled code knows, and how. */
final class VectorForms {
  private static final Set<Mnemonic> MOVES =
      EnumSet.of(
          Mnemonic.MOVAPS,
          Mnemonic.MOVAPD,
          Mnemonic.MOVDQA,
          Mnemonic.MOVUPS,
          Mnemonic.MOVUPD,
          Mnemonic.MOVDQU,
          Mnemonic.MOVSD,
          Mnemonic.MOVSS,
          Mnemonic.MOVQ,
          Mnemonic.MOVD,
          Mnemonic.MOVHPS,
          Mnemonic.MOVHPD,
          Mnemonic.MOVLPS,
          Mnemonic.MOVLPD,
          Mnemonic.MOVHLPS,
          Mnemonic.MOVLHPS,
          Mnemonic.UNPCKLPD,
          Mnemonic.UNPCKHPD);

  private static final Set<Mnemonic> LANES =
      EnumSet.of(
          Mnemonic.PXOR,
          Mnemonic.XORPS,
          Mnemonic.XORPD,
          Mnemonic.PAND,
          Mnemonic.ANDPS,
          Mnemonic.ANDPD,
          Mnemonic.POR,
          Mnemonic.ORPS,
          Mnemonic.ORPD,
          Mnemonic.PANDN,
          Mnemonic.ANDNPS,
          Mnemonic.ANDNPD,
          Mnemonic.PADDQ,
          Mnemonic.PSUBQ);

  private static final Set<Mnemonic> SCALAR =
      EnumSet.of(
          Mnemonic.ADDSD,
          Mnemonic.SUBSD,
          Mnemonic.MULSD,
          Mnemonic.DIVSD,
          Mnemonic.SQRTSD,
          Mnemonic.MINSD,
          Mnemonic.MAXSD,
          Mnemonic.UCOMISD,
          Mnemonic.COMISD,
          Mnemonic.CVTSI2SD,
          Mnemonic.CVTTSD2SI);

  private static final Set<Mnemonic> PACKED =
      EnumSet.of(
          Mnemonic.ADDPD,
          Mnemonic.SUBPD,
          Mnemonic.MULPD,
          Mnemonic.DIVPD,
          Mnemonic.SQRTPD,
          Mnemonic.MINPD,
          Mnemonic.MAXPD);

  /**
   * Instructions on vector registers and memory that also touch flags (comparisons, tests), general
   * registers (string comparisons, RDI of MASKMOVDQU), or memory in pieces.
   */
  private static final Set<Mnemonic> BEYOND =
      EnumSet.of(
          Mnemonic.COMISD,
          Mnemonic.COMISS,
          Mnemonic.UCOMISD,
          Mnemonic.UCOMISS,
          Mnemonic.VCOMISD,
          Mnemonic.VCOMISS,
          Mnemonic.VCOMISH,
          Mnemonic.VUCOMISD,
          Mnemonic.VUCOMISS,
          Mnemonic.VUCOMISH,
          Mnemonic.PTEST,
          Mnemonic.VPTEST,
          Mnemonic.VTESTPD,
          Mnemonic.VTESTPS,
          Mnemonic.PCMPESTRI,
          Mnemonic.PCMPESTRM,
          Mnemonic.PCMPISTRI,
          Mnemonic.PCMPISTRM,
          Mnemonic.VPCMPESTRI,
          Mnemonic.VPCMPESTRM,
          Mnemonic.VPCMPISTRI,
          Mnemonic.VPCMPISTRM,
          Mnemonic.MASKMOVDQU,
          Mnemonic.VMASKMOVDQU,
          Mnemonic.VMASKMOVPD,
          Mnemonic.VMASKMOVPS,
          Mnemonic.VPMASKMOVD,
          Mnemonic.VPMASKMOVQ,
          Mnemonic.VGATHERDPD,
          Mnemonic.VGATHERDPS,
          Mnemonic.VGATHERQPD,
          Mnemonic.VGATHERQPS,
          Mnemonic.VPGATHERDD,
          Mnemonic.VPGATHERDQ,
          Mnemonic.VPGATHERQD,
          Mnemonic.VPGATHERQQ);

  private VectorForms() {}

  /** Whether the instruction has code of its own in {@link VectorCompiler}: legacy encodings. */
  static boolean inline(Insn i) {
    if (i.encoding != 0 || i.lock || i.addrSize == 2 && i.hasMemory()) {
      return false;
    }
    boolean vector = false;
    for (int k = 0; k < i.operands; k++) {
      switch (i.kind[k]) {
        case Insn.XMM -> vector = true;
        case Insn.GPR, Insn.MEM -> {}
        default -> {
          return false;
        }
      }
    }
    return vector && (MOVES.contains(i.mnemonic) || lanes(i) || doubles(i));
  }

  /** Operations on 64-bit lanes that raise nothing. */
  static boolean lanes(Insn i) {
    return LANES.contains(i.mnemonic);
  }

  /** Arithmetic, comparison and conversion of the low double alone. */
  static boolean scalarArithmetic(Insn i) {
    return SCALAR.contains(i.mnemonic);
  }

  static boolean doubles(Insn i) {
    return SCALAR.contains(i.mnemonic) || PACKED.contains(i.mnemonic);
  }

  /**
   * Whether the tier-0 op of the instruction can be called with general registers and flags left in
   * locals: it uses vector registers only, and general ones for its address.
   */
  static boolean callable(Insn i) {
    boolean vector = false;
    for (int k = 0; k < i.operands; k++) {
      switch (i.kind[k]) {
        case Insn.XMM -> vector = true;
        case Insn.IMM, Insn.MEM -> {}
        default -> {
          return false;
        }
      }
    }
    return vector && !i.lock && !BEYOND.contains(i.mnemonic);
  }
}
