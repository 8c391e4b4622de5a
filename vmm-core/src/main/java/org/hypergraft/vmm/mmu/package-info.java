/**
 * Guest memory: RAM, the page walker and the software TLB in front of it. Knows nothing of the
 * processor beyond the control bits that decide a translation.
 */
package org.hypergraft.vmm.mmu;
