package org.hypergraft.vmm.machine;

import org.hypergraft.vmm.mmu.DataWatch;

/** Why a guest stands still for an {@link Observer}. */
public sealed interface Stop {
  /** {@link Observer#nextCount} is reached. */
  record Counted() implements Stop {}

  /** The instruction at a breakpoint is next. */
  record Breakpoint(long address) implements Stop {}

  /**
   * An instruction has touched a watched range.
   *
   * @param range the range, as it was given to {@link GuestControl#watch}
   * @param address linear address of the first byte accessed
   */
  record Accessed(DataWatch.Range range, long address, boolean write) implements Stop {}

  /** {@link GuestControl#requestStop} was called. */
  record Requested() implements Stop {}
}
