package org.hypergraft.vmm.machine;

import java.util.List;

/** The observers of a run, and what they wait for. */
final class Observers {
  private final List<GuestControl> all;

  Observers(List<GuestControl> all) {
    this.all = all;
  }

  /** Shows them the guest before its first instruction; returns whether all want to go on. */
  boolean begin() {
    boolean goOn = true;
    for (GuestControl c : all) {
      goOn &= c.observer().begin(c);
    }
    return goOn;
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
    boolean goOn = true;
    for (GuestControl c : all) {
      Stop asked = c.takeRequest();
      if (asked != null) {
        goOn &= c.observer().stopped(asked);
      } else if (c.due(retired)) {
        goOn &= c.observer().stopped(new Stop.Counted());
      }
    }
    return goOn;
  }

  /** Tells them that the guest rests; returns whether all want to go on. */
  boolean idle() {
    boolean goOn = true;
    for (GuestControl c : all) {
      goOn &= c.observer().idle();
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
