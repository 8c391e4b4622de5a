/**
 * System semantics: segments, descriptor tables, exceptions and interrupts, control registers,
 * MSRs, port I/O, and the lowering of the instructions that reach them.
 */
package org.hypergraft.vmm.cpu.system;
