package org.hypergraft.vmm.cpu.jit;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import org.hypergraft.annotator.isa.Insn;
import org.hypergraft.annotator.isa.Mnemonic;
import org.hypergraft.vmm.cpu.interpret.Block;

/**
 * A tier-0 block with its instructions decoded again, for compilation.
 *
 * @param seen where the computed branch at its end has gone, the last target first
 */
record RegionBlock(Block block, Insn[] insns, List<Block> seen) {
  long va() {
    return block.va;
  }

  /** Address after the last instruction. */
  long end() {
    return cut(last(), last().end());
  }

  /** Where a direct branch at the end goes. */
  long target() {
    return cut(last(), last().imm);
  }

  private static long cut(Insn i, long address) {
    return i.mode == 64 ? address : address & 0xffff_ffffL;
  }

  /** Whether the block ends in a branch with code here, by the name given. */
  boolean endsIn(Mnemonic m) {
    return last().mnemonic == m && Translatable.inline(last());
  }

  /** Whether the branch at the end has its target in the instruction. */
  boolean direct() {
    Insn i = last();
    return i.operands > 0 && i.kind[0] == Insn.REL;
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
      return new long[] {target(), end()};
    }
    return direct() ? new long[] {target()} : new long[0];
  }

  /**
   * Addresses control may go to, computed ones included.
   *
   * @param computed see {@link RegionShape#computed}
   */
  List<Long> next(Map<Long, Collection<Long>> computed) {
    List<Long> next = new ArrayList<>(computed.getOrDefault(va(), List.of()));
    for (long va : successors()) {
      next.add(va);
    }
    return next;
  }
}
