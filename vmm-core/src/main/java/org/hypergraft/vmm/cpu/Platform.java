package org.hypergraft.vmm.cpu;

/** What a vCPU asks of the machine and of the hypervisor it is presented under. */
public interface Platform {
  /** Time-stamp counter as the guest would read it, before IA32_TSC_ADJUST. */
  long tsc(Cpu c);

  /** Fills {@code out} with EAX, EBX, ECX, EDX of a leaf. */
  void cpuid(Cpu c, int leaf, int subleaf, int[] out);

  /** The guest executed CPUID; told before {@link #cpuid} answers, which the core also asks. */
  default void executesCpuid(Cpu c, int leaf) {}

  /** Reads an MSR the core does not implement itself; throws #GP(0) for an unknown one. */
  long readMsr(Cpu c, int msr);

  /** Writes an MSR the core does not implement itself; throws #GP(0) where hardware would. */
  void writeMsr(Cpu c, int msr, long value);

  /**
   * VMCALL or VMMCALL. Arguments and result are in the guest's registers.
   *
   * @param amd whether the instruction was VMMCALL
   * @return false when no hypervisor answers, which makes the instruction #UD
   */
  boolean hypercall(Cpu c, boolean amd);
}
