package org.hypergraft.vmm.machine;

/**
 * Somebody who watches a run from within and may stop it: a debugger, a trace, a profile. The
 * machine calls it on the thread that runs the guest, always between two instructions; what it does
 * not ask for costs nothing. Watching changes neither counts nor console, unless the observer
 * changes the guest.
 */
public interface Observer {
  /**
   * The guest stands before its first instruction.
   *
   * @param guest what the observer may do with it, now and later
   * @return whether to go on
   */
  boolean begin(GuestControl guest);

  /**
   * The machine's count of retired instructions at which {@link #stopped} is to be called next;
   * asked each time a vCPU is about to run. No more than up to there is executed.
   *
   * @param cpu index of that vCPU
   * @return a count; {@link Long#MAX_VALUE} for none
   */
  default long nextCount(int cpu) {
    return Long.MAX_VALUE;
  }

  /**
   * The guest has stopped, as the observer asked.
   *
   * @return whether to go on
   */
  default boolean stopped(Stop why) {
    return true;
  }

  /**
   * No vCPU has anything to execute; time is about to jump. Called at least once per jump.
   *
   * @return whether to go on
   */
  default boolean idle() {
    return true;
  }

  /** An exception or interrupt is about to be delivered. */
  default void delivered(Delivery event) {}

  /** The run is over; the guest's state can still be looked at. */
  default void ended(Outcome outcome, String reason) {}
}
