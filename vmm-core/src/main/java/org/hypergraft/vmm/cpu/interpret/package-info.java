/** Tier 0: linked op objects made from templates, the code cache and the run loop. */
package org.hypergraft.vmm.cpu.interpret;
