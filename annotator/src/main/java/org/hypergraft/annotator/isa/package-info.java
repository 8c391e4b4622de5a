/**
 * The one x86 decoder: bytes to {@link org.hypergraft.annotator.isa.Insn} by way of the opcode
 * table in {@code opcodes.txt}, and back to text. Knows nothing of images or guests.
 */
package org.hypergraft.annotator.isa;
