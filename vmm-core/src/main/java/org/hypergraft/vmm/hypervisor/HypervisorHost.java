package org.hypergraft.vmm.hypervisor;

import org.hypergraft.annotator.abi.CpuVendor;
import org.hypergraft.vmm.bus.VirtualClock;
import org.hypergraft.vmm.mmu.GuestRam;

/**
 * What a machine offers to the hypervisor it presents.
 *
 * @param vendor decides which hypercall instruction is native
 * @param clock the machine's clock
 * @param tscHz ticks of the time-stamp counter per second of that clock
 * @param epochSeconds wall clock time at power-on, seconds since 1970: part of the machine's
 *     contract, never the host's time
 * @param signals how other processors are reached
 */
public record HypervisorHost(
    CpuVendor vendor,
    GuestRam ram,
    VirtualClock clock,
    long tscHz,
    long epochSeconds,
    CpuSignals signals) {

  /** Reaching processors by APIC id. */
  public interface CpuSignals {
    /**
     * Sends an interrupt as an APIC would.
     *
     * @param icr low half of the interrupt command register: vector and delivery mode
     * @return false if no processor has that id
     */
    boolean interrupt(int apicId, int icr);

    /**
     * Ends a processor's halt without an interrupt; if it does not halt now, the next halt ends at
     * once. Unknown ids are ignored.
     */
    void wake(int apicId);

    /** The calling processor has nothing useful to do until others have run. */
    void giveWay();
  }
}
