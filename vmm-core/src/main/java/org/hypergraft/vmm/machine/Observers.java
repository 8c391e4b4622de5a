package org.hypergraft.vmm.machine;

import java.util.List;
import java.util.function.Predicate;

/** The observers of a run, and what they wait for. */
final class Observers {
  private final List<GuestControl> all;

  Observers(List<GuestControl> all) {
    this.all = all;
  }

  /** Shows them the guest before its first instruction; returns whether all want to go on. */
  boolean begin() {
    return ask(c -> c.observer().begin(c));
  }

  /** The nearest count at which one of them wants to be called. */
  long nextCount(int cpu) {
    long next = Long.MAX_VALUE;
    for (GuestControl c : all) {
      next = Math.min(next, c.askNext(cpu));
    }
    return next;
  }

  /**
   * Calls those whose count is reached or who asked to be called.
   *
   * @return whether all want to go on
   */
  boolean stopped(long retired) {
    return ask(c -> c.stopped(retired));
  }

  /** Tells them that the guest rests; returns whether all want to go on. */
  boolean idle() {
    return ask(c -> c.observer().idle());
  }

  /** Asks each of them, even when one before has had enough. */
  private boolean ask(Predicate<GuestControl> goesOn) {
    boolean goOn = true;
    for (GuestControl c : all) {
      goOn &= goesOn.test(c);
    }
    return goOn;
  }

  void delivered(Delivery event) {
    for (GuestControl c : all) {
      c.observer().delivered(event);
    }
  }

  void ended(Outcome outcome, String reason) {
    for (GuestControl c : all) {
      c.observer().ended(outcome, reason);
    }
  }
}
