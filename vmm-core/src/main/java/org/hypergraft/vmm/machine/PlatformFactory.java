package org.hypergraft.vmm.machine;

import org.hypergraft.vmm.bus.VirtualClock;
import org.hypergraft.vmm.cpu.Platform;
import org.hypergraft.vmm.device.LocalApic;
import org.hypergraft.vmm.mmu.GuestRam;

/** Makes what a vCPU asks of its CPU model and hypervisor. */
@FunctionalInterface
public interface PlatformFactory {
  /**
   * @param ram guest memory, for structures shared with the hypervisor
   * @param apic the vCPU's local APIC, whose MSRs the platform forwards
   */
  Platform create(GuestRam ram, VirtualClock clock, LocalApic apic);
}
