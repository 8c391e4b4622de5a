package org.hypergraft.vmm.cpu.jit;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.PriorityQueue;
import java.util.Set;
import org.hypergraft.annotator.isa.Decoder;
import org.hypergraft.annotator.isa.Insn;
import org.hypergraft.annotator.isa.Mnemonic;
import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.cpu.interpret.Block;
import org.hypergraft.vmm.cpu.interpret.BlockLinks;

/**
 * Grows a region from a hot block along the links that tier 0 has really taken, hottest first:
 * branches, calls and the returns from them.
 */
final class RegionFinder {
  /** A successor joins when entered at least this fraction of the entry block's count. */
  private static final int COLDER = 32;

  /** Fewest instructions of a region without a loop. */
  private static final int MIN_STRAIGHT = 16;

  private RegionFinder() {}

  /**
   * The blocks that should go into a region of at most {@code maxInstructions} with {@code entry},
   * in the order of their worth; empty if nothing can be compiled. Reads the code cache: for the
   * guest's thread.
   */
  static List<RegionBlock> grow(Block entry, int maxInstructions) {
    RegionBlock first = decode(entry);
    if (first == null || !Translatable.inline(first.insns()[0]) && first.insns().length == 1) {
      return List.of();
    }
    int floor = Math.max(1, entry.entries() / COLDER);
    List<RegionBlock> blocks = new ArrayList<>();
    Set<Long> known = new HashSet<>();
    PriorityQueue<Block> frontier =
        new PriorityQueue<>(
            Comparator.comparingInt(Block::entries).reversed().thenComparingLong(b -> b.va));
    blocks.add(first);
    known.add(entry.va);
    int instructions = first.insns().length;
    extend(first, frontier, known, floor);
    while (!frontier.isEmpty()) {
      Block b = frontier.poll();
      if (instructions + b.instructions() > maxInstructions) {
        continue;
      }
      RegionBlock next = decode(b);
      if (next == null) {
        continue;
      }
      instructions += next.insns().length;
      blocks.add(next);
      extend(next, frontier, known, floor);
    }
    return blocks;
  }

  /** The region of the most worthy blocks that fit; null if it is not worth compiling. */
  static RegionShape shape(List<RegionBlock> blocks, int maxInstructions) {
    List<RegionBlock> chosen = new ArrayList<>();
    int instructions = 0;
    for (RegionBlock b : blocks) {
      if (instructions + b.insns().length <= maxInstructions) {
        chosen.add(b);
        instructions += b.insns().length;
      } else if (chosen.isEmpty()) {
        return null; // nothing goes in without the entry
      }
    }
    if (chosen.isEmpty()) {
      return null;
    }
    RegionShape shape = RegionShape.of(inFlowOrder(chosen));
    return worthwhile(shape) ? shape : null;
  }

  /**
   * Entering and leaving a region costs as much as a dozen dispatches: straight code must be longer
   * than that, while a loop pays by staying inside.
   */
  private static boolean worthwhile(RegionShape shape) {
    return shape.instructions() >= MIN_STRAIGHT || shape.loops();
  }

  private static void extend(
      RegionBlock from, PriorityQueue<Block> frontier, Set<Long> known, int floor) {
    for (long va : from.successors()) {
      offer(BlockLinks.linked(from.block(), va), frontier, known, floor);
    }
    Insn last = from.last();
    if (last.mnemonic == Mnemonic.CALL) {
      offer(BlockLinks.recent(from.block(), from.end()), frontier, known, floor);
    }
  }

  private static void offer(Block b, PriorityQueue<Block> frontier, Set<Long> known, int floor) {
    if (b != null && b.entries() >= floor && known.add(b.va)) {
      frontier.add(b);
    }
  }

  /** Places each block after one that falls into it where possible: fewer jumps. */
  private static List<RegionBlock> inFlowOrder(List<RegionBlock> blocks) {
    List<RegionBlock> order = new ArrayList<>();
    List<RegionBlock> rest = new ArrayList<>(blocks);
    ArrayDeque<RegionBlock> work = new ArrayDeque<>();
    work.add(rest.remove(0));
    while (!work.isEmpty()) {
      RegionBlock b = work.poll();
      order.add(b);
      RegionBlock follower = take(rest, fallThrough(b));
      if (follower == null && !rest.isEmpty()) {
        follower = rest.remove(0);
      }
      if (follower != null) {
        work.add(follower);
      }
    }
    return order;
  }

  private static long fallThrough(RegionBlock b) {
    Mnemonic m = b.last().mnemonic;
    return (m == Mnemonic.JMP || m == Mnemonic.CALL) && b.direct() ? b.target() : b.end();
  }

  private static RegionBlock take(List<RegionBlock> from, long va) {
    for (int k = 0; k < from.size(); k++) {
      if (from.get(k).va() == va) {
        return from.remove(k);
      }
    }
    return null;
  }

  /** Decodes a block's bytes again; null if it cannot be part of a region. */
  private static RegionBlock decode(Block b) {
    if (b.dead() || BlockLinks.ops(b) == null) {
      return null;
    }
    byte[] code = BlockLinks.code(b);
    if (code == null) {
      return null;
    }
    int mode = (b.modeKey & Cpu.MODE_SIZE) == 2 ? 64 : 32;
    List<Insn> insns = new ArrayList<>();
    for (int at = 0; at < code.length; ) {
      Insn i = new Insn();
      int n = Decoder.decode(code, at, code.length, b.va + at, mode, i);
      if (n == 0) {
        return null;
      }
      insns.add(i);
      at += n;
    }
    return insns.size() == b.instructions() ? new RegionBlock(b, insns.toArray(new Insn[0])) : null;
  }
}
