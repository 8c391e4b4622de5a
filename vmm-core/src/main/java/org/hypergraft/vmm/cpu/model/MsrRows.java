package org.hypergraft.vmm.cpu.model;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * The registers that processor models are made of. Numbers and meanings: Intel SDM vol. 4 chapter
 * 2; AMD APM vol. 2 appendix A and the BKDG of family 0Fh; reset values are those firmware leaves.
 */
final class MsrRows {
  /**
   * Fixed-range memory types as a BIOS sets them: write-back below 640 KiB, ROM write-protected.
   */
  private static final long WRITE_BACK = 0x0606_0606_0606_0606L;

  private static final long WRITE_PROTECT = 0x0505_0505_0505_0505L;
  private static final int VARIABLE_RANGES = 8;

  /** Memory type bits 7:0, and the same with the enable bits 10 and 11. */
  private static final long DEFAULT_TYPE = 0xcff;

  private MsrRows() {}

  /** MTRRs: write-back by default, the device window below 4 GiB uncached (SDM vol. 3 12.11). */
  static List<MsrRow> mtrrs(int physicalBits) {
    List<MsrRow> rows = new ArrayList<>();
    rows.add(MsrRow.readOnly(0xfe, "IA32_MTRRCAP", 1 << 10 | 1 << 8 | VARIABLE_RANGES));
    rows.add(MsrRow.strict(0x2ff, "IA32_MTRR_DEF_TYPE", 0xc06, DEFAULT_TYPE));
    long frames = (1L << physicalBits) - 4096;
    for (int i = 0; i < VARIABLE_RANGES; i++) {
      long base = i == 0 ? 0xc000_0000L : 0;
      long mask = i == 0 ? frames & -0x4000_0000L | 1 << 11 : 0;
      rows.add(MsrRow.strict(0x200 + 2 * i, "IA32_MTRR_PHYSBASE" + i, base, frames | 0xff));
      rows.add(MsrRow.strict(0x201 + 2 * i, "IA32_MTRR_PHYSMASK" + i, mask, frames | 1 << 11));
    }
    rows.add(MsrRow.stored(0x250, "IA32_MTRR_FIX64K_00000", WRITE_BACK));
    rows.add(MsrRow.stored(0x258, "IA32_MTRR_FIX16K_80000", WRITE_BACK));
    rows.add(MsrRow.stored(0x259, "IA32_MTRR_FIX16K_A0000", 0));
    for (int i = 0; i < 8; i++) {
      rows.add(MsrRow.stored(0x268 + i, "IA32_MTRR_FIX4K_" + i, WRITE_PROTECT));
    }
    return rows;
  }

  /** Machine check with no banks. */
  static List<MsrRow> machineCheck() {
    return List.of(
        MsrRow.stored(0x00, "IA32_P5_MC_ADDR", 0),
        MsrRow.stored(0x01, "IA32_P5_MC_TYPE", 0),
        MsrRow.readOnly(0x179, "IA32_MCG_CAP", 0),
        MsrRow.strict(0x17a, "IA32_MCG_STATUS", 0, 7));
  }

  /** No supervisor state component exists, CPUID.(0Dh,1):EDX:ECX being zero. */
  static MsrRow supervisorState() {
    return MsrRow.strict(0xda0, "IA32_XSS", 0, 0);
  }

  static List<MsrRow> common(int microcodeRevision) {
    return List.of(
        MsrRow.constant(0x8b, "IA32_BIOS_SIGN_ID", (long) microcodeRevision << 32),
        MsrRow.strict(0x1d9, "IA32_DEBUGCTL", 0, 3));
  }

  /** AMD: performance counters, system configuration, DRAM map, errata switches. */
  static List<MsrRow> amd(int microcodeRevision) {
    List<MsrRow> rows = new ArrayList<>();
    rows.add(MsrRow.readOnly(0x8b, "PATCH_LEVEL", microcodeRevision & 0xffff_ffffL));
    rows.add(MsrRow.strict(0x1d9, "DBG_CTL", 0, 3));
    rows.add(MsrRow.command(0xc001_0020, "PATCH_LOADER", -1));
    for (int i = 0; i < 4; i++) {
      // Nothing counts: writes are dropped, by which kernels notice that there is no PMU.
      rows.add(MsrRow.constant(0xc001_0000 + i, "PERF_CTL" + i, 0));
      rows.add(MsrRow.constant(0xc001_0004 + i, "PERF_CTR" + i, 0));
    }
    rows.add(MsrRow.stored(0xc001_0010, "SYSCFG", 0));
    // Bit 24, TscFreqSel: the counter runs at the rate of the base performance state.
    rows.add(MsrRow.stored(0xc001_0015, "HWCR", 1 << 24));
    rows.add(MsrRow.stored(0xc001_001a, "TOP_MEM", 0xc000_0000L));
    rows.add(MsrRow.stored(0xc001_001d, "TOP_MEM2", 0));
    rows.add(MsrRow.stored(0xc001_001f, "NB_CFG", 0));
    rows.add(MsrRow.stored(0xc001_0055, "INT_PENDING", 0));
    rows.add(MsrRow.stored(0xc001_0058, "MMIO_CFG_BASE", 0));
    rows.add(MsrRow.readOnly(0xc001_0061, "PSTATE_LIMIT", 0));
    rows.add(MsrRow.strict(0xc001_0114, "VM_CR", 1 << 4 | 1 << 3, 0x1f));
    rows.add(MsrRow.constant(0xc001_0140, "OSVW_ID_LENGTH", 0));
    rows.add(MsrRow.constant(0xc001_0141, "OSVW_STATUS", 0));
    rows.add(MsrRow.stored(0xc001_1020, "LS_CFG", 0));
    rows.add(MsrRow.stored(0xc001_1021, "IC_CFG", 0));
    rows.add(MsrRow.stored(0xc001_1022, "DC_CFG", 0));
    rows.add(MsrRow.stored(0xc001_1023, "BU_CFG", 0));
    // Bit 1: LFENCE is dispatch serializing.
    rows.add(MsrRow.stored(0xc001_1029, "DE_CFG", 0));
    rows.add(MsrRow.stored(0xc001_102a, "BU_CFG2", 0));
    return rows;
  }

  static List<MsrRow> intel(int microcodeRevision) {
    List<MsrRow> rows = new ArrayList<>(common(microcodeRevision));
    rows.add(MsrRow.readOnly(0x17, "IA32_PLATFORM_ID", 0));
    // Locked, VMX off.
    rows.add(MsrRow.readOnly(0x3a, "IA32_FEATURE_CONTROL", 1));
    rows.add(MsrRow.command(0x79, "IA32_BIOS_UPDT_TRIG", -1));
    rows.add(MsrRow.readOnly(0xce, "MSR_PLATFORM_INFO", 10 << 8));
    rows.add(MsrRow.stored(0x140, "MISC_FEATURES_ENABLES", 0));
    // Fast strings; branch trace and PEBS unavailable.
    rows.add(MsrRow.strict(0x1a0, "IA32_MISC_ENABLE", 0x1801, 0x4_00d5_1889L));
    rows.add(MsrRow.stored(0x1fc, "MSR_POWER_CTL", 0));
    return rows;
  }

  /**
   * Registers that come with speculation-control features: Intel, "Speculative Execution Side
   * Channel Mitigations" 336996; AMD, "Indirect Branch Control Extension" 111006.
   */
  static List<MsrRow> speculation(Set<Feature> has, long archCapabilities) {
    List<MsrRow> rows = new ArrayList<>();
    boolean ibrs = has.contains(Feature.SPEC_CTRL) || has.contains(Feature.AMD_IBRS);
    boolean stibp = has.contains(Feature.INTEL_STIBP) || has.contains(Feature.AMD_STIBP);
    boolean ssbd = has.contains(Feature.SPEC_CTRL_SSBD) || has.contains(Feature.AMD_SSBD);
    boolean ibpb = has.contains(Feature.SPEC_CTRL) || has.contains(Feature.AMD_IBPB);
    if (ibrs || stibp || ssbd) {
      long bits = (ibrs ? 1 : 0) | (stibp ? 2 : 0) | (ssbd ? 4 : 0);
      rows.add(MsrRow.strict(0x48, "IA32_SPEC_CTRL", 0, bits));
    }
    if (ibpb) {
      rows.add(MsrRow.command(0x49, "IA32_PRED_CMD", 1));
    }
    if (has.contains(Feature.FLUSH_L1D)) {
      rows.add(MsrRow.command(0x10b, "IA32_FLUSH_CMD", 1));
    }
    if (has.contains(Feature.ARCH_CAPABILITIES)) {
      rows.add(MsrRow.readOnly(0x10a, "IA32_ARCH_CAPABILITIES", archCapabilities));
    }
    if (has.contains(Feature.VIRT_SSBD)) {
      rows.add(MsrRow.strict(0xc001_011f, "VIRT_SPEC_CTRL", 0, 4));
    }
    return rows;
  }
}
