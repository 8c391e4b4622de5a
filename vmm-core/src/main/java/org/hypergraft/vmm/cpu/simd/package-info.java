/**
 * MMX, SSE and AVX instructions. One static method per instruction serves its MMX, SSE and VEX
 * encodings; which one it is lies in {@link org.hypergraft.vmm.cpu.interpret.Op#aux} (see {@link
 * Simd}).
 */
package org.hypergraft.vmm.cpu.simd;
