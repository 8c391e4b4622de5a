/**
 * What integer instructions do, as static methods shared by every execution tier.
 *
 * <p>Operands arrive as 64-bit values whose bits above the operand size are undefined; results are
 * zero-extended from the operand size. Write-back is the caller's.
 */
package org.hypergraft.vmm.cpu.semantics;
