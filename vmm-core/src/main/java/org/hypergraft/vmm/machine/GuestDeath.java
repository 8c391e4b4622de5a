package org.hypergraft.vmm.machine;

import org.hypergraft.vmm.cpu.Cpu;

/** Explains why a guest died: the one place that puts together what is known at that moment. */
final class GuestDeath {
  private GuestDeath() {}

  static String explain(
      String cause, Cpu cpu, GuestView view, KernelPlace place, FaultLog faults, ExitLog exits) {
    GuestDump dump = new GuestDump(cpu, view, place);
    return cause
        + "\n"
        + dump.state()
        + GuestDump.section("last exceptions", faults.last(place::describe))
        + GuestDump.section("page walk of cr2 0x%x".formatted(cpu.cr2), dump.walk(cpu.cr2))
        + GuestDump.section("last exits", exits.last(place::symbol))
        + GuestDump.section("stack", dump.stack());
  }
}
