package org.hypergraft.vmm.bus;

/**
 * The machine's only clock: nanoseconds derived from retired instructions and idle jumps, never
 * from the host. All devices share it.
 */
public interface VirtualClock {
  /** Nanoseconds in a second. */
  long NS_PER_SECOND = 1_000_000_000;

  /** Nanoseconds since power-on. */
  long now();

  /**
   * Whole periods since power-on of a counter that runs with this clock.
   *
   * @param hz its frequency, at most {@link #NS_PER_SECOND}
   */
  default long ticks(long hz) {
    long ns = now();
    return ns / NS_PER_SECOND * hz + ns % NS_PER_SECOND * hz / NS_PER_SECOND;
  }

  /** The first time, ns, at which {@link #ticks} has reached a value. */
  static long whenTicks(long ticks, long hz) {
    return ticks / hz * NS_PER_SECOND + (ticks % hz * NS_PER_SECOND + hz - 1) / hz;
  }

  /** Asks for {@code event} to run once when the clock reaches {@code deadline} (ns, absolute). */
  Timer schedule(long deadline, Runnable event);

  /** Adds virtual time, for accesses that are slow on real hardware. */
  void advance(long ns);

  /** A scheduled event. */
  interface Timer {
    void cancel();
  }
}
