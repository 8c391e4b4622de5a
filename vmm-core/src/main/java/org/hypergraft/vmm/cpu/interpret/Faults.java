package org.hypergraft.vmm.cpu.interpret;

import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.mmu.GuestFault;

/** Ops that only raise an exception. */
public final class Faults {
  private Faults() {}

  public static void undefined(Cpu c, Op op) {
    throw GuestFault.of(GuestFault.UD);
  }

  public static void generalProtection(Cpu c, Op op) {
    throw GuestFault.of(GuestFault.GP, 0);
  }
}
