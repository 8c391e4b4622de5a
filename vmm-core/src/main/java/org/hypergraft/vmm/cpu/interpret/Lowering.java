package org.hypergraft.vmm.cpu.interpret;

import org.hypergraft.annotator.isa.Insn;

/** Turns decoded instructions of one family into ops. Stateless. */
@FunctionalInterface
public interface Lowering {
  /**
   * Emits the ops of {@code insn}, normally one.
   *
   * @return false, with nothing emitted, when the instruction is not of this family
   */
  boolean lower(Insn insn, Emitter out);
}
