package org.hypergraft.vmm.hypervisor.kvm;

import org.hypergraft.vmm.hypervisor.Hypervisor;
import org.hypergraft.vmm.hypervisor.HypervisorHost;
import org.hypergraft.vmm.hypervisor.HypervisorProvider;

/** Provides {@link KvmHypervisor}. */
public final class KvmProvider implements HypervisorProvider {
  @Override
  public String id() {
    return "kvm";
  }

  @Override
  public Hypervisor create(HypervisorHost host) {
    return new KvmHypervisor(host);
  }
}
