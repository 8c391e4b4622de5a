package org.hypergraft.vmm.observe;

import org.hypergraft.vmm.machine.GuestControl;
import org.hypergraft.vmm.machine.Observer;
import org.hypergraft.vmm.machine.Stop;

/** Ends a run at a {@link Waypoint} and keeps what the vCPU looked like there. */
public final class StopAt implements Observer {
  private final Waypoint where;
  private GuestControl guest;
  private long seen;
  private String state = "";

  public StopAt(Waypoint where) {
    this.where = where;
  }

  @Override
  public boolean begin(GuestControl control) {
    guest = control;
    where.address(guest).ifPresent(guest::addBreakpoint);
    return true;
  }

  @Override
  public boolean stopped(Stop why) {
    if (++seen < where.arrival()) {
      return true;
    }
    state = "stopped at %s\n".formatted(where) + guest.dump(guest.current());
    return false;
  }

  /** How often it was reached. */
  public long seen() {
    return seen;
  }

  /** Instruction, registers and stack there; empty if the run did not come to it. */
  public String state() {
    return state;
  }
}
