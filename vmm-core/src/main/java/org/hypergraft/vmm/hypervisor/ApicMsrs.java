package org.hypergraft.vmm.hypervisor;

/** The model-specific registers of a vCPU's local APIC. */
public interface ApicMsrs {
  /** Whether an MSR number belongs to an APIC at all, whatever its mode. */
  static boolean owns(int msr) {
    return msr == 0x1b || msr == 0x6e0 || msr >>> 8 == 8;
  }

  /** Whether reading succeeds in the present mode. */
  boolean canRead(int msr);

  /** Reads an MSR for which {@link #canRead} holds. */
  long read(int msr);

  /** Writes; false where the processor raises #GP(0). */
  boolean write(int msr, long value);
}
