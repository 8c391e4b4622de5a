/** Tier 1: hot guest regions compiled to JVM bytecode on a background thread. */
package org.hypergraft.vmm.cpu.jit;
