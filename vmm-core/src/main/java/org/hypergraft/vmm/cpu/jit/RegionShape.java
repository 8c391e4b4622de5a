package org.hypergraft.vmm.cpu.jit;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.hypergraft.annotator.isa.Insn;
import org.hypergraft.annotator.isa.Mnemonic;
import org.hypergraft.vmm.cpu.interpret.Block;

/**
 * What goes into a region, entry block first.
 *
 * @param blocks distinct blocks, in the order of their code
 * @param computed by address of a block that ends in RET or in a jump or call through an operand,
 *     where it is known to lead to within the region; blocks of the region start there
 * @param loops whether control can come back to the first block without leaving
 * @param resident whether guest registers stay in JVM locals from block to block. That is best for
 *     a loop, and for little else: where many ways meet, HotSpot's compilers spend their time on
 *     moving locals about. Otherwise the Cpu has all registers at the start of a block, and after
 *     each instruction that writes one.
 * @param chained addresses of blocks that only an earlier one leads to, which takes over what that
 *     one has in locals
 * @param entries the blocks at which the region may be entered, the first one among them
 * @param usedRegisters general registers read or written, bit per number
 * @param writtenRegisters general registers written
 */
record RegionShape(
    List<RegionBlock> blocks,
    Map<Long, Collection<Long>> computed,
    boolean loops,
    boolean resident,
    Set<Long> chained,
    List<RegionBlock> entries,
    long usedRegisters,
    long writtenRegisters) {
  /** Most instructions of a loop with resident registers. */
  private static final int MAX_RESIDENT = 160;

  /**
   * The shape for some of the blocks: the loop of the first one if it is small, else all.
   *
   * @param blocks distinct blocks, entry block first
   */
  static RegionShape of(List<RegionBlock> blocks) {
    Map<Long, Collection<Long>> computed = computed(blocks);
    List<RegionBlock> loop = Loops.ofFirst(blocks, computed);
    return !loop.isEmpty() && count(loop) <= MAX_RESIDENT && ownCode(loop)
        ? resident(FlowOrder.of(loop), computed(loop))
        : passing(FlowOrder.of(blocks), computed, !loop.isEmpty());
  }

  /** Whether nothing is executed through tier-0 ops that may touch any register. */
  private static boolean ownCode(List<RegionBlock> blocks) {
    return blocks.stream()
        .flatMap(b -> Arrays.stream(b.insns()))
        .allMatch(i -> Translatable.inline(i) || VectorForms.callable(i));
  }

  private static RegionShape resident(
      List<RegionBlock> blocks, Map<Long, Collection<Long>> computed) {
    long used = 0;
    long written = 0;
    for (RegionBlock b : blocks) {
      for (Insn i : b.insns()) {
        used |= RegisterUse.read(i);
        if (Translatable.inline(i)) {
          written |= RegisterUse.written(i);
        }
      }
    }
    List<RegionBlock> entries = blocks.subList(0, 1);
    return new RegionShape(
        blocks, computed, true, true, Set.of(), entries, used | written, written);
  }

  private static RegionShape passing(
      List<RegionBlock> blocks, Map<Long, Collection<Long>> computed, boolean loops) {
    Map<Long, List<RegionBlock>> before = predecessors(blocks);
    Set<Long> chained = new HashSet<>();
    Set<Long> written = new HashSet<>();
    for (RegionBlock b : blocks) {
      List<RegionBlock> from = before.getOrDefault(b.va(), List.of());
      if (!written.isEmpty() // the first one is entered from outside
          && from.size() == 1
          && written.contains(from.get(0).va())
          && !isTarget(computed, b.va())) {
        chained.add(b.va());
      }
      written.add(b.va());
    }
    List<RegionBlock> entries = blocks.stream().filter(b -> !chained.contains(b.va())).toList();
    return new RegionShape(blocks, computed, loops, false, chained, entries, 0, 0);
  }

  // ---- computed branches -----------------------------------------------------------------------

  private static Map<Long, Collection<Long>> computed(List<RegionBlock> blocks) {
    Map<Long, RegionBlock> byAddress = new HashMap<>();
    for (RegionBlock b : blocks) {
      byAddress.put(b.va(), b);
    }
    Map<Long, Collection<Long>> computed = new HashMap<>();
    for (RegionBlock b : blocks) {
      for (Block target : b.seen()) {
        if (byAddress.containsKey(target.va)) {
          computed.computeIfAbsent(b.va(), k -> new TreeSet<>()).add(target.va);
        }
      }
    }
    matchReturns(byAddress, computed);
    return computed;
  }

  /** Follows each call through the function called to the returns from it. */
  private static void matchReturns(
      Map<Long, RegionBlock> blocks, Map<Long, Collection<Long>> computed) {
    for (RegionBlock caller : blocks.values()) {
      if (!caller.endsIn(Mnemonic.CALL) || !blocks.containsKey(caller.end())) {
        continue;
      }
      Set<Long> seen = new HashSet<>();
      ArrayDeque<Long> work = new ArrayDeque<>(caller.next(computed));
      while (!work.isEmpty()) {
        long va = work.poll();
        RegionBlock b = blocks.get(va);
        if (b == null || !seen.add(va)) {
          continue;
        }
        if (b.endsIn(Mnemonic.RET)) {
          computed.computeIfAbsent(va, k -> new TreeSet<>()).add(caller.end());
        } else if (b.endsIn(Mnemonic.CALL)) {
          work.add(b.end());
        } else {
          work.addAll(b.next(computed));
        }
      }
    }
  }

  private static boolean isTarget(Map<Long, Collection<Long>> computed, long va) {
    return computed.values().stream().anyMatch(targets -> targets.contains(va));
  }

  /** Whether a computed branch of the region may lead to {@code va}. */
  boolean computedTarget(long va) {
    return isTarget(computed, va);
  }

  // ---- size and flow ---------------------------------------------------------------------------

  int instructions() {
    return count(blocks);
  }

  private static int count(List<RegionBlock> blocks) {
    return blocks.stream().mapToInt(b -> b.insns().length).sum();
  }

  /** The blocks of the region that lead to each address, one of them twice if it does so twice. */
  Map<Long, List<RegionBlock>> predecessors() {
    return predecessors(blocks);
  }

  private static Map<Long, List<RegionBlock>> predecessors(List<RegionBlock> blocks) {
    Map<Long, List<RegionBlock>> found = new HashMap<>();
    for (RegionBlock b : blocks) {
      for (long va : b.successors()) {
        found.computeIfAbsent(va, k -> new ArrayList<>()).add(b);
      }
    }
    return found;
  }
}
