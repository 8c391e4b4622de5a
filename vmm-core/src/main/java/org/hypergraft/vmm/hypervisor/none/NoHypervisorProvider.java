package org.hypergraft.vmm.hypervisor.none;

import org.hypergraft.vmm.hypervisor.Hypervisor;
import org.hypergraft.vmm.hypervisor.HypervisorHost;
import org.hypergraft.vmm.hypervisor.HypervisorProvider;

/** Provides {@link NoHypervisor}. */
public final class NoHypervisorProvider implements HypervisorProvider {
  @Override
  public String id() {
    return "none";
  }

  @Override
  public Hypervisor create(HypervisorHost host) {
    return new NoHypervisor();
  }
}
