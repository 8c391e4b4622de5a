package org.hypergraft.vmm.cpu.model;

import java.util.Collections;
import java.util.EnumSet;
import java.util.Set;

/**
 * Features the machine can execute. CPUID never offers another one, whatever a model's row says: a
 * guest must not choose a code path that then faults.
 */
final class Implemented {
  static final Set<Feature> FEATURES =
      Collections.unmodifiableSet(
          EnumSet.of(
              Feature.FPU,
              Feature.DE,
              Feature.PSE,
              Feature.TSC,
              Feature.MSR,
              Feature.PAE,
              Feature.MCE,
              Feature.CX8,
              Feature.APIC,
              Feature.SEP,
              Feature.MTRR,
              Feature.PGE,
              Feature.MCA,
              Feature.CMOV,
              Feature.PAT,
              Feature.PSE36,
              Feature.CLFLUSH,
              Feature.MMX,
              Feature.FXSR,
              Feature.SSE,
              Feature.SSE2,
              Feature.CX16,
              Feature.X2APIC,
              Feature.TSC_DEADLINE,
              Feature.HYPERVISOR,
              Feature.ARAT,
              Feature.POPCNT,
              Feature.MOVBE,
              Feature.BMI1,
              Feature.BMI2,
              Feature.ADX,
              Feature.CLFLUSHOPT,
              Feature.CLWB,
              Feature.LZCNT,
              Feature.PREFETCHW,
              Feature.FSGSBASE,
              Feature.TSC_ADJUST,
              Feature.SMEP,
              Feature.ERMS,
              Feature.INVPCID,
              Feature.PCID,
              Feature.SMAP,
              Feature.UMIP,
              Feature.RDPID,
              Feature.FSRM,
              Feature.MD_CLEAR,
              Feature.SPEC_CTRL,
              Feature.INTEL_STIBP,
              Feature.FLUSH_L1D,
              Feature.ARCH_CAPABILITIES,
              Feature.SPEC_CTRL_SSBD,
              Feature.LAHF_LM,
              Feature.CMP_LEGACY,
              Feature.CR8_LEGACY,
              Feature.TOPOEXT,
              Feature.SYSCALL,
              Feature.NX,
              Feature.PDPE1GB,
              Feature.RDTSCP,
              Feature.LM,
              Feature.INVARIANT_TSC,
              Feature.WBNOINVD,
              Feature.AMD_IBPB,
              Feature.AMD_IBRS,
              Feature.AMD_STIBP,
              Feature.AMD_SSBD,
              Feature.VIRT_SSBD,
              Feature.LFENCE_RDTSC,
              Feature.NULL_SEL_CLR_BASE));

  private Implemented() {}
}
