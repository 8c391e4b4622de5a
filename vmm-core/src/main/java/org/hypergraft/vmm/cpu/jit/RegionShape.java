package org.hypergraft.vmm.cpu.jit;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.hypergraft.annotator.isa.Insn;
import org.hypergraft.annotator.isa.Mnemonic;

/**
 * What goes into a region, entry block first.
 *
 * @param blocks distinct blocks
 * @param returns by address of a block that ends in RET, where calls of the region that reach it
 *     want it to return to; blocks of the region start there
 * @param usedRegisters general registers read or written, bit per number
 * @param writtenRegisters general registers written
 */
record RegionShape(
    List<RegionBlock> blocks,
    Map<Long, Collection<Long>> returns,
    long usedRegisters,
    long writtenRegisters) {

  static RegionShape of(List<RegionBlock> blocks) {
    Map<Long, RegionBlock> byAddress = new HashMap<>();
    long used = 0;
    long written = 0;
    for (RegionBlock b : blocks) {
      byAddress.put(b.va(), b);
      for (Insn i : b.insns()) {
        if (Translatable.inline(i)) {
          long w = RegisterUse.written(i);
          used |= w | RegisterUse.read(i);
          written |= w;
        } else if (VectorForms.callable(i)) {
          used |= RegisterUse.read(i);
        } else {
          // its tier-0 op may read and write any register
          used = 0xffff;
          written = 0xffff;
        }
      }
    }
    return new RegionShape(List.copyOf(blocks), matchReturns(byAddress), used, written);
  }

  /** Follows each call through the function called to the returns from it. */
  private static Map<Long, Collection<Long>> matchReturns(Map<Long, RegionBlock> blocks) {
    Map<Long, Collection<Long>> returns = new HashMap<>();
    for (RegionBlock caller : blocks.values()) {
      if (!caller.endsIn(Mnemonic.CALL) || !caller.direct() || !blocks.containsKey(caller.end())) {
        continue;
      }
      Set<Long> seen = new HashSet<>();
      ArrayDeque<Long> work = new ArrayDeque<>(List.of(caller.target()));
      while (!work.isEmpty()) {
        long va = work.poll();
        RegionBlock b = blocks.get(va);
        if (b == null || !seen.add(va)) {
          continue;
        }
        if (b.endsIn(Mnemonic.RET)) {
          returns.computeIfAbsent(va, k -> new TreeSet<>()).add(caller.end());
        } else if (b.endsIn(Mnemonic.CALL)) {
          work.add(b.end());
        } else {
          for (long next : b.successors()) {
            work.add(next);
          }
        }
      }
    }
    return returns;
  }

  /** Whether a call of the region may return to {@code va}. */
  boolean returnPoint(long va) {
    return returns.values().stream().anyMatch(points -> points.contains(va));
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
    return returnPoint(entry);
  }

  int instructions() {
    int n = 0;
    for (RegionBlock b : blocks) {
      n += b.insns().length;
    }
    return n;
  }

  /** How many blocks of the region lead to each of its addresses. */
  Map<Long, List<RegionBlock>> predecessors() {
    Map<Long, List<RegionBlock>> found = new HashMap<>();
    for (RegionBlock b : blocks) {
      for (long va : b.successors()) {
        found.computeIfAbsent(va, k -> new ArrayList<>()).add(b);
      }
    }
    return found;
  }
}
