package org.hypergraft.vmm.hypervisor;

import org.hypergraft.vmm.cpu.Cpu;

/**
 * The paravirtual interface a guest finds. Methods run with the clock exact and may throw {@link
 * org.hypergraft.vmm.mmu.GuestFault}.
 */
public interface Hypervisor {
  /** Whether CPUID leaf 1 announces a hypervisor. */
  boolean announced();

  /**
   * Answers a CPUID leaf of the range 40000000h-4000FFFFh.
   *
   * @param out EAX, EBX, ECX, EDX, zeroed
   */
  void cpuid(Cpu c, int leaf, int subleaf, int[] out);

  /** Whether an MSR belongs to this interface. */
  boolean ownsMsr(int msr);

  /** Reads an MSR for which {@link #ownsMsr} holds. */
  long readMsr(Cpu c, int msr);

  /** Writes an MSR for which {@link #ownsMsr} holds. */
  void writeMsr(Cpu c, int msr, long value);

  /** A processor's turn on the host begins; called only where there are several. */
  default void enters(Cpu c) {}

  /**
   * A processor's turn has ended and another's begins.
   *
   * @param idle whether it had nothing to execute
   */
  default void leaves(Cpu c, boolean idle) {}

  /**
   * VMCALL or VMMCALL; arguments and result are in the guest's registers, {@link Cpu#rip} is the
   * next instruction.
   *
   * @param amd whether the instruction was VMMCALL
   * @return false if the instruction is undefined here
   */
  boolean hypercall(Cpu c, boolean amd);
}
