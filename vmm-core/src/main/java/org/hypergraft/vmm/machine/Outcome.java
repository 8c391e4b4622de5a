package org.hypergraft.vmm.machine;

/** How a run ended. */
public enum Outcome {
  /** The guest powered the machine off. */
  POWER_OFF,

  /** The guest asked for a reset without having panicked. */
  RESET,

  /** The guest's kernel panicked, by its own words on the console. */
  GUEST_PANIC,

  /** An exception could not be delivered, nor could the double fault. */
  TRIPLE_FAULT,

  /** The guest waits for an interrupt that cannot come. */
  NO_PROGRESS,

  /** The instruction or time budget is spent. */
  BUDGET,

  /** Whoever watches the run asked for its end at a moment of interest. */
  STOPPED
}
