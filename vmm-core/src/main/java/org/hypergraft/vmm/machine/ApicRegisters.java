package org.hypergraft.vmm.machine;

import org.hypergraft.vmm.device.LocalApic;
import org.hypergraft.vmm.hypervisor.ApicMsrs;

/** A local APIC's MSRs as the platform reaches them. */
record ApicRegisters(LocalApic apic) implements ApicMsrs {
  @Override
  public boolean canRead(int msr) {
    return apic.canReadMsr(msr);
  }

  @Override
  public long read(int msr) {
    return apic.readMsr(msr);
  }

  @Override
  public boolean write(int msr, long value) {
    return apic.writeMsr(msr, value);
  }
}
