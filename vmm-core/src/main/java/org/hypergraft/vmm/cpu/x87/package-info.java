/**
 * x87 instructions and the instructions that save and restore the floating-point state. Arithmetic
 * itself is in {@link org.hypergraft.vmm.cpu.fpu}.
 */
package org.hypergraft.vmm.cpu.x87;
