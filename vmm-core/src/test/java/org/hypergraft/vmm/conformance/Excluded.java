package org.hypergraft.vmm.conformance;

import java.util.EnumSet;
import java.util.Set;
import org.hypergraft.annotator.isa.Insn;
import org.hypergraft.annotator.isa.Mnemonic;
import org.hypergraft.annotator.isa.Sensitivity;

/** Instructions that a host process cannot be asked about. */
final class Excluded {
  private Excluded() {}

  /** What depends on the host's system state, time or identity, or would leave the process. */
  private static final Set<Mnemonic> ENVIRONMENT =
      EnumSet.of(
          Mnemonic.CPUID,
          Mnemonic.RDTSC,
          Mnemonic.RDTSCP,
          Mnemonic.RDPMC,
          Mnemonic.RDPID,
          Mnemonic.RDRAND,
          Mnemonic.RDSEED,
          Mnemonic.SYSCALL,
          Mnemonic.SYSENTER,
          Mnemonic.INT,
          Mnemonic.INT1,
          Mnemonic.INT3,
          Mnemonic.INTO,
          Mnemonic.IRET,
          Mnemonic.CALLF,
          Mnemonic.JMPF,
          Mnemonic.RETF,
          Mnemonic.LSS,
          Mnemonic.LDS,
          Mnemonic.LES,
          Mnemonic.LFS,
          Mnemonic.LGS,
          Mnemonic.LAR,
          Mnemonic.LSL,
          Mnemonic.VERR,
          Mnemonic.VERW,
          Mnemonic.XGETBV,
          Mnemonic.RDPKRU,
          Mnemonic.WRPKRU,
          Mnemonic.RDFSBASE,
          Mnemonic.RDGSBASE,
          Mnemonic.WRFSBASE,
          Mnemonic.WRGSBASE,
          // an undocumented alias of FSTP that Intel's and AMD's processors treat differently
          Mnemonic.FSTPNCE,
          // areas larger than the memory window, with fields that processors fill differently
          Mnemonic.FXSAVE,
          Mnemonic.FXSAVE64,
          Mnemonic.FXRSTOR,
          Mnemonic.FXRSTOR64,
          Mnemonic.FNSAVE,
          Mnemonic.FRSTOR,
          Mnemonic.FNSTENV,
          Mnemonic.FLDENV);

  /** Extensions that no CPU model offers. */
  private static final String[] NOT_OFFERED = {
    "GF2P8",
    "VGF2P8",
    "XBEGIN",
    "XABORT",
    "XEND",
    "XTEST",
    "MOVDIR",
    "ENQCMD",
    "ENCL",
    "XRESLDTRK",
    "XSUSLDTRK",
    "TPAUSE",
    "UMWAIT",
    "UMONITOR",
    "SERIALIZE",
    "TILE",
    "LDTILE",
    "STTILE",
    "TDP",
    "K",
    "AESENC1",
    "AESENC2",
    "AESDEC1",
    "AESDEC2",
    "AESENCW",
    "AESDECW",
    "ENCODEKEY",
    "BND",
    "RDSSP",
    "INCSSP",
    "PTWRITE",
    "CLUI",
    "STUI",
    "TESTUI",
    "UIRET",
    "SENDUIPI",
    "XSAVE",
    "XRSTOR",
    "RDPRU",
    "CLDEMOTE",
    "AADD",
    "AAND",
    "AOR",
    "AXOR",
    "CMPCC",
    "HRESET",
    "SAVEPREVSSP",
    "RSTORSSP",
    "WRSS",
    "WRUSS",
    "SETSSBSY",
    "CLRSSBSY",
    "PF",
    "PI2F",
    "FEMMS",
    "PAVGUSB",
    "PMULHRW",
    "PSWAPD",
    "EXTRQ",
    "INSERTQ",
    "MOVNTSD",
    "MOVNTSS",
    "VPDP",
    "VCVTNE",
    "VBCST",
    "VSHA",
    "VSM",
    "VPMADD52",
    "MONTMUL",
    "XCRYPT",
    "XSHA",
    "XSTORE",
    "CLZERO",
    "MONITORX",
    "MWAITX",
    "MCOMMIT",
    "WBNOINVD",
    "PREFETCHIT",
    "LLWPCB",
    "SLWPCB",
    "LWP",
    "TCMM",
    "T2RPN",
    "VMOVRS",
    "MOVRS",
  };

  static Set<Mnemonic> set() {
    Set<Mnemonic> set = EnumSet.copyOf(ENVIRONMENT);
    for (Mnemonic m : Mnemonic.values()) {
      if (m == Mnemonic.INVALID || notOffered(m.name())) {
        set.add(m);
      }
    }
    return set;
  }

  /**
   * Whether an instruction reads or changes system state; PUSHF and POPF are tested all the same.
   */
  static boolean system(Insn insn) {
    for (int i = 0; i < insn.operands; i++) {
      if (insn.kind[i] == Insn.SEG && (i == 0 && insn.mnemonic != Mnemonic.PUSH)) {
        return true; // loads of segment registers depend on the host's tables
      }
    }
    if (insn.mnemonic == Mnemonic.MOVBE && insn.rep) {
      return true; // undefined; the decoder, like others, passes over the prefix
    }
    String name = insn.mnemonic.name();
    if (insn.vectorLength != 0 && (name.startsWith("VAES") || name.equals("VPCLMULQDQ"))) {
      return true; // extensions of their own, which no CPU model offers
    }
    return insn.sensitivity != Sensitivity.NONE
        && insn.mnemonic != Mnemonic.PUSHF
        && insn.mnemonic != Mnemonic.POPF;
  }

  private static boolean notOffered(String name) {
    for (String prefix : NOT_OFFERED) {
      if (name.startsWith(prefix)) {
        return true;
      }
    }
    return false;
  }
}
