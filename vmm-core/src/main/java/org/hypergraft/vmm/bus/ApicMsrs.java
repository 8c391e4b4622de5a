package org.hypergraft.vmm.bus;

/** The model-specific registers of a vCPU's local APIC (Intel SDM vol. 3, chapter 11). */
public interface ApicMsrs {
  /** IA32_APIC_BASE. */
  int MSR_BASE = 0x1b;

  /** IA32_TSC_DEADLINE. */
  int MSR_TSC_DEADLINE = 0x6e0;

  /** First of the 256 registers of x2APIC mode. */
  int MSR_X2APIC = 0x800;

  /** Whether an MSR number belongs to an APIC at all, whatever its mode. */
  static boolean owns(int msr) {
    return msr == MSR_BASE || msr == MSR_TSC_DEADLINE || msr >>> 8 == MSR_X2APIC >>> 8;
  }

  /** Whether RDMSR succeeds in the present mode; else it is #GP(0). */
  boolean canReadMsr(int msr);

  /** Reads an MSR for which {@link #canReadMsr} holds. */
  long readMsr(int msr);

  /**
   * Writes an MSR that {@link #owns} names.
   *
   * @return false where the processor raises #GP(0)
   */
  boolean writeMsr(int msr, long value);
}
