/** Bare hardware. */
package org.hypergraft.vmm.hypervisor.none;
