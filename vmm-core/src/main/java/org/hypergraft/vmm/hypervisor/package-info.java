/**
 * The hypervisors a guest can be presented under: one folder each behind {@link
 * org.hypergraft.vmm.hypervisor.Hypervisor}. They answer the facts of {@code annotator.abi}.
 */
package org.hypergraft.vmm.hypervisor;
