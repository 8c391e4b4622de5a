package org.hypergraft.vmm.cpu.model;

import java.util.Locale;
import java.util.Optional;

/**
 * CPUID feature bits the machine knows of, named as Linux names them in {@code /proc/cpuinfo}.
 * Positions: Intel SDM vol. 2 CPUID; AMD APM vol. 3 appendix E.
 */
public enum Feature {
  FPU(1, Register.EDX, 0),
  VME(1, Register.EDX, 1),
  DE(1, Register.EDX, 2),
  PSE(1, Register.EDX, 3),
  TSC(1, Register.EDX, 4),
  MSR(1, Register.EDX, 5),
  PAE(1, Register.EDX, 6),
  MCE(1, Register.EDX, 7),
  CX8(1, Register.EDX, 8),
  APIC(1, Register.EDX, 9),
  SEP(1, Register.EDX, 11),
  MTRR(1, Register.EDX, 12),
  PGE(1, Register.EDX, 13),
  MCA(1, Register.EDX, 14),
  CMOV(1, Register.EDX, 15),
  PAT(1, Register.EDX, 16),
  PSE36(1, Register.EDX, 17),
  CLFLUSH(1, Register.EDX, 19),
  MMX(1, Register.EDX, 23),
  FXSR(1, Register.EDX, 24),
  SSE(1, Register.EDX, 25),
  SSE2(1, Register.EDX, 26),

  SSE3(1, Register.ECX, 0),
  PCLMULQDQ(1, Register.ECX, 1),
  MONITOR(1, Register.ECX, 3),
  SSSE3(1, Register.ECX, 9),
  FMA(1, Register.ECX, 12),
  CX16(1, Register.ECX, 13),
  PCID(1, Register.ECX, 17),
  SSE4_1(1, Register.ECX, 19),
  SSE4_2(1, Register.ECX, 20),
  X2APIC(1, Register.ECX, 21),
  MOVBE(1, Register.ECX, 22),
  POPCNT(1, Register.ECX, 23),
  TSC_DEADLINE(1, Register.ECX, 24),
  AES(1, Register.ECX, 25),
  XSAVE(1, Register.ECX, 26),
  OSXSAVE(1, Register.ECX, 27),
  AVX(1, Register.ECX, 28),
  F16C(1, Register.ECX, 29),
  RDRAND(1, Register.ECX, 30),
  HYPERVISOR(1, Register.ECX, 31),

  /** Always-running APIC timer. */
  ARAT(6, Register.EAX, 2),

  FSGSBASE(7, Register.EBX, 0),
  TSC_ADJUST(7, Register.EBX, 1),
  BMI1(7, Register.EBX, 3),
  AVX2(7, Register.EBX, 5),
  SMEP(7, Register.EBX, 7),
  BMI2(7, Register.EBX, 8),
  ERMS(7, Register.EBX, 9),
  INVPCID(7, Register.EBX, 10),
  RDSEED(7, Register.EBX, 18),
  ADX(7, Register.EBX, 19),
  SMAP(7, Register.EBX, 20),
  CLFLUSHOPT(7, Register.EBX, 23),
  CLWB(7, Register.EBX, 24),
  SHA_NI(7, Register.EBX, 29),
  UMIP(7, Register.ECX, 2),
  LA57(7, Register.ECX, 16),
  RDPID(7, Register.ECX, 22),
  FSRM(7, Register.EDX, 4),
  MD_CLEAR(7, Register.EDX, 10),
  SERIALIZE(7, Register.EDX, 14),
  /** IBRS and IBPB: SPEC_CTRL and PRED_CMD exist. */
  SPEC_CTRL(7, Register.EDX, 26),
  INTEL_STIBP(7, Register.EDX, 27),
  FLUSH_L1D(7, Register.EDX, 28),
  ARCH_CAPABILITIES(7, Register.EDX, 29),
  SPEC_CTRL_SSBD(7, Register.EDX, 31),

  XSAVEOPT(0xd, 1, Register.EAX, 0),
  XSAVEC(0xd, 1, Register.EAX, 1),
  XGETBV1(0xd, 1, Register.EAX, 2),
  XSAVES(0xd, 1, Register.EAX, 3),

  LAHF_LM(0x8000_0001, Register.ECX, 0),
  CMP_LEGACY(0x8000_0001, Register.ECX, 1),
  SVM(0x8000_0001, Register.ECX, 2),
  CR8_LEGACY(0x8000_0001, Register.ECX, 4),
  LZCNT(0x8000_0001, Register.ECX, 5),
  SSE4A(0x8000_0001, Register.ECX, 6),
  PREFETCHW(0x8000_0001, Register.ECX, 8),

  /** Leaves 8000001Dh and 8000001Eh: caches and topology. */
  TOPOEXT(0x8000_0001, Register.ECX, 22),
  SYSCALL(0x8000_0001, Register.EDX, 11),
  NX(0x8000_0001, Register.EDX, 20),
  MMXEXT(0x8000_0001, Register.EDX, 22),
  FXSR_OPT(0x8000_0001, Register.EDX, 25),
  PDPE1GB(0x8000_0001, Register.EDX, 26),
  RDTSCP(0x8000_0001, Register.EDX, 27),
  LM(0x8000_0001, Register.EDX, 29),

  /** The time-stamp counter runs at a constant rate in every power state. */
  INVARIANT_TSC(0x8000_0007, Register.EDX, 8),

  CLZERO(0x8000_0008, Register.EBX, 0),
  XSAVEERPTR(0x8000_0008, Register.EBX, 2),
  WBNOINVD(0x8000_0008, Register.EBX, 9),
  AMD_IBPB(0x8000_0008, Register.EBX, 12),
  AMD_IBRS(0x8000_0008, Register.EBX, 14),
  AMD_STIBP(0x8000_0008, Register.EBX, 15),
  AMD_SSBD(0x8000_0008, Register.EBX, 24),
  VIRT_SSBD(0x8000_0008, Register.EBX, 25),

  /** LFENCE waits for all earlier instructions, without an MSR bit. */
  LFENCE_RDTSC(0x8000_0021, Register.EAX, 2),
  /** Loading a null selector clears base and limit. */
  NULL_SEL_CLR_BASE(0x8000_0021, Register.EAX, 6);

  /** The four result registers, in the order CPUID results are held in arrays. */
  public enum Register {
    EAX,
    EBX,
    ECX,
    EDX
  }

  private final int leaf;
  private final int subleaf;
  private final Register register;
  private final int bit;

  Feature(int leaf, Register register, int bit) {
    this(leaf, 0, register, bit);
  }

  Feature(int leaf, int subleaf, Register register, int bit) {
    this.leaf = leaf;
    this.subleaf = subleaf;
    this.register = register;
    this.bit = bit;
  }

  public int leaf() {
    return leaf;
  }

  public int subleaf() {
    return subleaf;
  }

  /** Index of the result register: EAX, EBX, ECX, EDX. */
  public int register() {
    return register.ordinal();
  }

  public int mask() {
    return 1 << bit;
  }

  /** Lower-case name. */
  public String id() {
    return name().toLowerCase(Locale.ROOT);
  }

  public static Optional<Feature> named(String id) {
    for (Feature f : values()) {
      if (f.id().equals(id)) {
        return Optional.of(f);
      }
    }
    return Optional.empty();
  }
}
