package org.hypergraft.annotator.abi;

import java.util.Map;

/**
 * Numbers of the CPU features that decide code patching: 32 * word + bit of {@code
 * boot_cpu_data.x86_capability}. Source: Linux {@code arch/x86/include/asm/cpufeatures.h}; the
 * constants below have the same value in every kernel from 5.10 to 7.2.
 */
public final class CpuFeature {
  /** Always set. */
  public static final int ALWAYS = 3 * 32 + 21;

  /** CPUID.1:ECX bit 31. */
  public static final int HYPERVISOR = 4 * 32 + 31;

  public static final int RETPOLINE = 11 * 32 + 12;
  public static final int RETPOLINE_LFENCE = 11 * 32 + 13;

  /** The hypercall instruction is VMMCALL. */
  public static final int VMMCALL = 8 * 32 + 15;

  /** Runs as a Xen PV guest. */
  public static final int XENPV = 8 * 32 + 16;

  /** VMware accepts VMCALL in place of the I/O port. */
  public static final int VMCALL = 8 * 32 + 18;

  /** VMware accepts VMMCALL in place of the I/O port. */
  public static final int VMW_VMMCALL = 8 * 32 + 19;

  /** queued_spin_unlock is not the native one. */
  public static final int PVUNLOCK = 8 * 32 + 20;

  /** vcpu_is_preempted is not the native one. */
  public static final int VCPUPREEMPT = 8 * 32 + 21;

  /** Runs as an Intel TDX guest. */
  public static final int TDX_GUEST = 8 * 32 + 22;

  /** Returns go through the return thunk. */
  public static final int RETHUNK = 11 * 32 + 14;

  /** Call depth tracking. */
  public static final int CALL_DEPTH = 11 * 32 + 19;

  private static final Map<Integer, String> NAMES =
      Map.ofEntries(
          Map.entry(ALWAYS, "ALWAYS"),
          Map.entry(HYPERVISOR, "HYPERVISOR"),
          Map.entry(RETPOLINE, "RETPOLINE"),
          Map.entry(RETPOLINE_LFENCE, "RETPOLINE_LFENCE"),
          Map.entry(VMMCALL, "VMMCALL"),
          Map.entry(XENPV, "XENPV"),
          Map.entry(VMCALL, "VMCALL"),
          Map.entry(VMW_VMMCALL, "VMW_VMMCALL"),
          Map.entry(PVUNLOCK, "PVUNLOCK"),
          Map.entry(VCPUPREEMPT, "VCPUPREEMPT"),
          Map.entry(TDX_GUEST, "TDX_GUEST"),
          Map.entry(RETHUNK, "RETHUNK"),
          Map.entry(CALL_DEPTH, "CALL_DEPTH"));

  /**
   * Words that copy a register of CPUID, bit by bit (Intel SDM vol. 2, AMD APM vol. 3 appendix E),
   * so that no kernel numbers them otherwise. Names from bit 0 up as in /proc/cpuinfo, {@code -}
   * where that shows none.
   */
  private static final Map<Integer, String> CPUID_WORDS =
      Map.ofEntries(
          // CPUID.1:EDX
          Map.entry(
              0,
              "FPU VME DE PSE TSC MSR PAE MCE CX8 APIC - SEP MTRR PGE MCA CMOV PAT PSE36 "
                  + "PN CLFLUSH - DTS ACPI MMX FXSR SSE SSE2 SS HT TM IA64 PBE"),
          // CPUID.80000001h:EDX
          Map.entry(
              1,
              "- - - - - - - - - - - SYSCALL - - - - - - - MP NX - MMXEXT - - FXSR_OPT "
                  + "PDPE1GB RDTSCP - LM 3DNOWEXT 3DNOW"),
          // CPUID.1:ECX
          Map.entry(
              4,
              "PNI PCLMULQDQ DTES64 MONITOR DS_CPL VMX SMX EST TM2 SSSE3 CID SDBG FMA CX16 "
                  + "XTPR PDCM - PCID DCA SSE4_1 SSE4_2 X2APIC MOVBE POPCNT TSC_DEADLINE_TIMER "
                  + "AES XSAVE - AVX F16C RDRAND HYPERVISOR"),
          // CPUID.80000001h:ECX
          Map.entry(
              6,
              "LAHF_LM CMP_LEGACY SVM EXTAPIC CR8_LEGACY ABM SSE4A MISALIGNSSE "
                  + "3DNOWPREFETCH OSVW IBS XOP SKINIT WDT - LWP FMA4 TCE - NODEID_MSR - TBM "
                  + "TOPOEXT PERFCTR_CORE PERFCTR_NB - BPEXT PTSC PERFCTR_LLC MWAITX - -"),
          // CPUID.(7,0):EBX
          Map.entry(
              9,
              "FSGSBASE TSC_ADJUST SGX BMI1 HLE AVX2 - SMEP BMI2 ERMS INVPCID RTM CQM - "
                  + "MPX RDT_A AVX512F AVX512DQ RDSEED ADX SMAP AVX512IFMA - CLFLUSHOPT CLWB "
                  + "INTEL_PT AVX512PF AVX512ER AVX512CD SHA_NI AVX512BW AVX512VL"),
          // CPUID.(7,0):ECX
          Map.entry(
              16,
              "- AVX512VBMI UMIP PKU OSPKE WAITPKG AVX512_VBMI2 - GFNI VAES VPCLMULQDQ "
                  + "AVX512_VNNI AVX512_BITALG TME AVX512_VPOPCNTDQ - LA57 - - - - - RDPID - "
                  + "BUS_LOCK_DETECT CLDEMOTE - MOVDIRI MOVDIR64B ENQCMD SGX_LC -"),
          // CPUID.(7,0):EDX
          Map.entry(
              18,
              "- - AVX512_4VNNIW AVX512_4FMAPS FSRM - - - AVX512_VP2INTERSECT - MD_CLEAR - "
                  + "- - SERIALIZE - TSXLDTRK - PCONFIG ARCH_LBR IBT - AMX_BF16 AVX512_FP16 "
                  + "AMX_TILE AMX_INT8 - - FLUSH_L1D ARCH_CAPABILITIES - -"));

  private CpuFeature() {}

  /** Name of a feature whose number never changed, or {@code word*32+bit}. */
  public static String name(int number) {
    String known = NAMES.get(number);
    if (known == null && CPUID_WORDS.containsKey(number >> 5)) {
      known = CPUID_WORDS.get(number >> 5).split(" ")[number & 31];
    }
    return known != null && !known.equals("-") ? known : (number >> 5) + "*32+" + (number & 31);
  }
}
