package org.hypergraft.vmm.cpu.jit;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.hypergraft.annotator.isa.Insn;
import org.hypergraft.annotator.isa.Mnemonic;

/**
 * What goes into a region, entry block first.
 *
 * @param blocks distinct blocks
 * @param returnPoints addresses after calls of the region at which a block of the region starts
 * @param usedRegisters general registers read or written, bit per number
 * @param writtenRegisters general registers written
 */
record RegionShape(
    List<RegionBlock> blocks, List<Long> returnPoints, long usedRegisters, long writtenRegisters) {

  static RegionShape of(List<RegionBlock> blocks) {
    Set<Long> starts = new HashSet<>();
    for (RegionBlock b : blocks) {
      starts.add(b.va());
    }
    List<Long> points = new ArrayList<>();
    long used = 0;
    long written = 0;
    for (RegionBlock b : blocks) {
      for (Insn i : b.insns()) {
        if (!Translatable.inline(i)) {
          // its tier-0 op may read and write any register
          used = 0xffff;
          written = 0xffff;
          continue;
        }
        long w = RegisterUse.written(i);
        used |= w | RegisterUse.read(i);
        written |= w;
      }
      Insn last = b.last();
      if (last.mnemonic == Mnemonic.CALL && starts.contains(last.end())) {
        points.add(last.end());
      }
    }
    return new RegionShape(List.copyOf(blocks), List.copyOf(points), used, written);
  }

  /** Whether control can come back to the entry block without leaving the region. */
  boolean loops() {
    long entry = blocks.get(0).va();
    for (RegionBlock b : blocks) {
      for (long va : b.successors()) {
        if (va == entry) {
          return true;
        }
      }
    }
    return returnPoints.contains(entry);
  }

  int instructions() {
    int n = 0;
    for (RegionBlock b : blocks) {
      n += b.insns().length;
    }
    return n;
  }
}
