package org.hypergraft.vmm.bus;

/** The signals other than maskable interrupts that a local APIC drives into its processor. */
public interface CpuPins {
  void nmi();

  void smi();

  /** INIT: the processor resets and waits for a start-up message. */
  void init();

  /** Start-up message: a waiting processor begins in real mode at {@code vector << 12}. */
  void startUp(int vector);
}
