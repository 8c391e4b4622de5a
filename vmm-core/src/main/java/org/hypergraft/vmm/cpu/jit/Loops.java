package org.hypergraft.vmm.cpu.jit;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The loop of a block: all blocks that it leads to and that lead back to it (Tarjan, 1972). */
final class Loops {
  private final List<RegionBlock> blocks;
  private final int[][] successors;

  /** When each block was visited, from 1 on, and the earliest one reachable from it. */
  private final int[] order;

  private final int[] low;
  private final boolean[] done;
  private final ArrayDeque<Integer> open = new ArrayDeque<>();
  private int visited;

  private Loops(List<RegionBlock> blocks, Map<Long, Collection<Long>> computed) {
    this.blocks = blocks;
    int n = blocks.size();
    Map<Long, Integer> index = new HashMap<>();
    for (int k = 0; k < n; k++) {
      index.put(blocks.get(k).va(), k);
    }
    successors = new int[n][];
    for (int k = 0; k < n; k++) {
      successors[k] =
          blocks.get(k).next(computed).stream()
              .filter(index::containsKey)
              .mapToInt(index::get)
              .toArray();
    }
    order = new int[n];
    low = new int[n];
    done = new boolean[n];
  }

  /**
   * The blocks, in their order, from which control can come back to the first one; empty if it
   * cannot come back even from that.
   *
   * @param computed see {@link RegionShape#computed}
   */
  static List<RegionBlock> ofFirst(List<RegionBlock> blocks, Map<Long, Collection<Long>> computed) {
    return new Loops(blocks, computed).ofFirst();
  }

  private List<RegionBlock> ofFirst() {
    visit(0);
    List<RegionBlock> loop = new ArrayList<>();
    for (int k = 0; k < blocks.size(); k++) {
      if (order[k] != 0 && !done[k]) {
        loop.add(blocks.get(k));
      }
    }
    boolean itself = loop.size() > 1;
    for (int to : successors[0]) {
      itself |= to == 0;
    }
    return itself ? loop : List.of();
  }

  /** Visits what can be reached; what stays open at the end is the first block's component. */
  private void visit(int block) {
    order[block] = ++visited;
    low[block] = order[block];
    open.push(block);
    for (int next : successors[block]) {
      if (order[next] == 0) {
        visit(next);
        low[block] = Math.min(low[block], low[next]);
      } else if (!done[next]) {
        low[block] = Math.min(low[block], order[next]);
      }
    }
    if (low[block] == order[block] && block != 0) {
      int member;
      do {
        member = open.pop();
        done[member] = true;
      } while (member != block);
    }
  }
}
