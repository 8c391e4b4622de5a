package org.hypergraft.vmm.cpu.model;

import static org.hypergraft.vmm.cpu.model.Feature.*;

import java.util.Collection;
import java.util.Collections;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.hypergraft.annotator.abi.CpuVendor;

/** The processor models that can be chosen. */
public final class CpuModels {
  /** The model used when none is named. */
  public static final String DEFAULT = "baseline";

  /** x86-64 psABI baseline, with what any 64-bit machine has around it. */
  private static final Set<Feature> BASELINE =
      EnumSet.of(
          FPU,
          DE,
          PSE,
          TSC,
          MSR,
          PAE,
          MCE,
          CX8,
          APIC,
          SEP,
          MTRR,
          PGE,
          MCA,
          CMOV,
          PAT,
          PSE36,
          CLFLUSH,
          MMX,
          FXSR,
          SSE,
          SSE2,
          CX16,
          SYSCALL,
          NX,
          LM,
          LAHF_LM,
          X2APIC,
          TSC_DEADLINE,
          INVARIANT_TSC,
          ARAT,
          SMEP,
          SMAP,
          UMIP,
          FSGSBASE,
          TSC_ADJUST,
          ERMS,
          FSRM,
          RDTSCP,
          PDPE1GB);

  /** psABI level 2. */
  private static final Set<Feature> V2 = with(BASELINE, SSE3, SSSE3, SSE4_1, SSE4_2, POPCNT);

  /** psABI level 3. */
  private static final Set<Feature> V3 =
      with(V2, AVX, AVX2, BMI1, BMI2, F16C, FMA, LZCNT, MOVBE, XSAVE);

  private static final Set<Feature> ZEN =
      with(
          V3,
          AES,
          PCLMULQDQ,
          RDRAND,
          RDSEED,
          ADX,
          SHA_NI,
          CLFLUSHOPT,
          XSAVEOPT,
          XSAVEC,
          XSAVES,
          XGETBV1,
          MMXEXT,
          FXSR_OPT,
          CR8_LEGACY,
          TOPOEXT,
          SSE4A,
          PREFETCHW,
          AMD_IBPB,
          VIRT_SSBD,
          NULL_SEL_CLR_BASE,
          LFENCE_RDTSC);

  /** Skylake: Meltdown and Spectre mitigations by page-table isolation, retpolines and IBRS. */
  private static final Set<Feature> SKYLAKE =
      with(
          V3,
          AES,
          PCLMULQDQ,
          RDRAND,
          RDSEED,
          ADX,
          CLFLUSHOPT,
          XSAVEOPT,
          XSAVEC,
          XSAVES,
          XGETBV1,
          PREFETCHW,
          PCID,
          INVPCID,
          SPEC_CTRL,
          INTEL_STIBP,
          SPEC_CTRL_SSBD,
          FLUSH_L1D,
          MD_CLEAR,
          ARCH_CAPABILITIES);

  /**
   * IA32_ARCH_CAPABILITIES of a processor with nothing to mitigate but Spectre: RDCL_NO,
   * SKIP_L1DFL_VMENTRY, SSB_NO, MDS_NO, PSCHANGE_MC_NO, TAA_NO (bits 0, 3-6, 8), SBDR_SSDP_NO,
   * FBSDP_NO, PSDP_NO (13-15), BHI_NO, GDS_NO, RFDS_NO (20, 26, 27), ITS_NO (62).
   */
  private static final long NOT_VULNERABLE = 0x4000_0000_0c10_e179L;

  private static final Map<String, CpuModel> ALL = new LinkedHashMap<>();

  static {
    for (CpuVendor vendor : List.of(CpuVendor.AMD, CpuVendor.INTEL)) {
      add(generic("baseline", vendor, BASELINE));
      add(generic("x86-64-v2", vendor, V2));
      add(generic("x86-64-v3", vendor, V3));
    }
    add(
        new CpuModel(
            "zen", CpuVendor.AMD, 0x0080_0f12, "AMD EPYC (Hypergraft)", ZEN, 43, 0x0800_1250, 0));
    add(
        new CpuModel(
            "skylake",
            CpuVendor.INTEL,
            0x0005_0654,
            "Intel Xeon (Skylake, Hypergraft)",
            SKYLAKE,
            43,
            0x0200_0065,
            0));
  }

  private CpuModels() {}

  private static Set<Feature> with(Set<Feature> base, Feature... more) {
    EnumSet<Feature> set = EnumSet.copyOf(base);
    set.addAll(List.of(more));
    return set;
  }

  /**
   * A model without the bugs for which kernels choose mitigations by model number: AMD family 0Fh,
   * which is exempt from most, and for Intel a Nehalem that states its immunity.
   */
  private static CpuModel generic(String name, CpuVendor vendor, Set<Feature> features) {
    String brand = "Hypergraft virtual CPU (" + name + ")";
    return vendor == CpuVendor.AMD
        ? new CpuModel(name, vendor, 0x0006_0fb1, brand, features, 40, 0x0100_0065, 0)
        : new CpuModel(
            name,
            vendor,
            0x0001_06a5,
            brand,
            with(features, ARCH_CAPABILITIES),
            40,
            0x1d,
            NOT_VULNERABLE);
  }

  private static void add(CpuModel m) {
    ALL.put(m.vendor().id() + '/' + m.name(), m);
  }

  /** All models, one entry per vendor. */
  public static Collection<CpuModel> all() {
    return Collections.unmodifiableCollection(ALL.values());
  }

  /**
   * Finds a model.
   *
   * @param name a model's name, or one and what it lacks: {@code baseline,-fsrm,-x2apic}
   * @param vendor null = the vendor the name implies, AMD for generic models
   * @return empty when there is no such model, or no such feature to leave out
   */
  public static Optional<CpuModel> find(String name, CpuVendor vendor) {
    String[] parts = name.split(",", -1);
    EnumSet<Feature> missing = EnumSet.noneOf(Feature.class);
    for (String part : List.of(parts).subList(1, parts.length)) {
      Optional<Feature> feature =
          part.startsWith("-") ? Feature.named(part.substring(1)) : Optional.empty();
      if (feature.isEmpty()) {
        return Optional.empty();
      }
      missing.add(feature.get());
    }
    return ALL.values().stream()
        .filter(m -> m.name().equals(parts[0]) && (vendor == null || m.vendor() == vendor))
        .findFirst()
        .map(m -> missing.isEmpty() ? m : m.without(missing, name));
  }
}
