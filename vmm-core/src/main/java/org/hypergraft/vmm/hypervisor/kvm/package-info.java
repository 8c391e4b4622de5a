/** KVM's paravirtual interface, see {@link org.hypergraft.annotator.abi.KvmAbi}. */
package org.hypergraft.vmm.hypervisor.kvm;
