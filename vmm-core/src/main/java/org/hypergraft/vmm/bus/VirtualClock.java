package org.hypergraft.vmm.bus;

/**
 * The machine's only clock: nanoseconds derived from retired instructions and idle jumps, never
 * from the host. All devices share it.
 */
public interface VirtualClock {
  /** Nanoseconds since power-on. */
  long now();

  /** Asks for {@code event} to run once when the clock reaches {@code deadline} (ns, absolute). */
  Timer schedule(long deadline, Runnable event);

  /** Adds virtual time, for accesses that are slow on real hardware. */
  void advance(long ns);

  /** A scheduled event. */
  interface Timer {
    void cancel();
  }
}
