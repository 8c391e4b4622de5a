package org.hypergraft.annotator.isa;

/**
 * What an instruction means to a hypervisor that runs the guest's kernel outside ring 0. A property
 * of the encoding, so that MOV to CR3 and MOV between general registers differ.
 */
public enum Sensitivity {
  /** Innocuous: same effect at every privilege level. */
  NONE,

  /** Traps outside ring 0 (Intel SDM vol. 3A 5.9, AMD APM vol. 3 chapter 4). */
  PRIVILEGED,

  /**
   * Reads or changes machine state without trapping: the instructions that break classic
   * virtualization (Popek and Goldberg 1974; the x86 list of Robin and Irvine 2000), together with
   * those that trap only when the system says so (CPUID, RDTSC, XGETBV and the like).
   */
  SENSITIVE_UNPRIVILEGED,

  /** Port access, allowed by IOPL or the I/O permission bitmap (SDM vol. 1 chapter 19). */
  IO,

  /** CLI and STI, allowed by IOPL. */
  IOPL,

  /** Calls the hypervisor or trusted module: VMCALL, VMMCALL, VMGEXIT, TDCALL, VMFUNC. */
  HYPERCALL
}
