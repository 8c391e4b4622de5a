package org.hypergraft.vmm.cpu.jit;

import org.hypergraft.annotator.isa.Insn;
import org.hypergraft.annotator.isa.Mnemonic;
import org.hypergraft.vmm.cpu.interpret.Block;

/** A tier-0 block with its instructions decoded again, for compilation. */
record RegionBlock(Block block, Insn[] insns) {
  long va() {
    return block.va;
  }

  /** Address after the last instruction. */
  long end() {
    return last().end();
  }

  Insn last() {
    return insns[insns.length - 1];
  }

  /** Whether the last instruction has no code here and decides by itself where control goes. */
  boolean endsRegion() {
    return block.endsInLeave();
  }

  /**
   * Addresses control may go to without being computed; return points of calls are not among them.
   */
  long[] successors() {
    Insn i = last();
    if (!Translatable.inline(i) || !Translatable.branch(i)) {
      return endsRegion() ? new long[0] : new long[] {end()};
    }
    if (i.mnemonic == Mnemonic.JCC) {
      return new long[] {i.imm, i.end()};
    }
    boolean direct = i.mnemonic != Mnemonic.RET && i.kind[0] == Insn.REL;
    return direct ? new long[] {i.imm} : new long[0];
  }
}
