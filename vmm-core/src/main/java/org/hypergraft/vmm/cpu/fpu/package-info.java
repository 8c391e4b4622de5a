/**
 * Floating-point arithmetic as x86 defines it, in integers: exact for every format, precision and
 * rounding mode, with the exception flags. Pure: knows nothing of the processor's other state.
 */
package org.hypergraft.vmm.cpu.fpu;
