package org.hypergraft.vmm.machine;

/**
 * Whoever sits at the other end of the serial line. The machine calls it from the thread that runs
 * the guest.
 */
public interface SerialPeer {
  /** Listens to nothing and never types. */
  SerialPeer NOBODY = b -> {};

  /** The guest sent a byte. */
  void received(int b);

  /**
   * Takes what is to be typed now; asked after each byte received, and by {@link #live} peers from
   * time to time.
   *
   * @return empty for nothing
   */
  default byte[] type() {
    return new byte[0];
  }

  /** Whether the session is over: the run then stops. */
  default boolean hungUp() {
    return false;
  }

  /**
   * Whether it may type at any moment, so that the run depends on more than its configuration. The
   * others only answer to what they received, and runs stay deterministic.
   */
  default boolean live() {
    return false;
  }

  /**
   * The guest idles. A live peer returns when it has something to type, hangs up, or {@code ns} of
   * real time have passed, so that the guest's time keeps pace with the person's.
   */
  default void await(long ns) {}
}
