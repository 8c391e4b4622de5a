package org.hypergraft.vmm.cpu;

/**
 * Delivery of exceptions and interrupts through the IDT (or the real-mode vector table). {@link
 * Cpu#rip} is the address to return to when a method is called.
 */
public interface ExceptionDelivery {
  /**
   * Delivers an exception, double faults included.
   *
   * @param errorCode the code to push, or {@link org.hypergraft.vmm.mmu.GuestFault#NO_ERROR_CODE}
   * @param address linear address for CR2 when {@code vector} is a page fault
   * @return false on a triple fault: the processor has shut down
   */
  boolean exception(Cpu c, int vector, int errorCode, long address);

  /**
   * Delivers an external interrupt or NMI.
   *
   * @return false on a triple fault
   */
  boolean interrupt(Cpu c, int vector);
}
