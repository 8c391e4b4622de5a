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

  private CpuFeature() {}

  /** Name of one of the constants above, or {@code word*32+bit}. */
  public static String name(int number) {
    String known = NAMES.get(number);
    return known != null ? known : (number >> 5) + "*32+" + (number & 31);
  }
}
