package org.hypergraft.vmm.machine;

/** Something to do when a run reaches a point of interest. */
@FunctionalInterface
public interface Moment {
  /**
   * The guest is stopped there.
   *
   * @return whether to go on
   */
  boolean reached(GuestView view);
}
