package org.hypergraft.vmm.bus;

/** What a vCPU asks its interrupt controllers (local APIC, or the 8259 through it). */
public interface InterruptSource {
  /** Whether a maskable interrupt of sufficient priority is waiting. */
  boolean pending();

  /** Acknowledges the highest waiting interrupt and returns its vector (0-255). */
  int acknowledge();

  /** Task priority class 0-15, as CR8 reads it. */
  default int taskPriorityClass() {
    return 0;
  }

  /** Sets the task priority class through CR8. */
  default void setTaskPriorityClass(int cr8) {}
}
