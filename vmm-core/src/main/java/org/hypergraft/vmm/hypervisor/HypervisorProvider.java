package org.hypergraft.vmm.hypervisor;

/** Makes one kind of hypervisor. Implementations are found as services, see {@link Hypervisors}. */
public interface HypervisorProvider {
  /** Name on the command line. */
  String id();

  Hypervisor create(HypervisorHost host);
}
