package org.hypergraft.vmm.cpu.jit;

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
 * Grows a region from a hot block along the ways that tier 0 has really taken: branches, calls and
 * the returns from them. It follows one way to its end before it takes up another, so that what
 * runs in one go is in one region.
 */
final class RegionFinder {
  /** A block joins when it was entered at least this fraction of what makes a block hot. */
  private static final int COLDER = 32;

  /** A block entered less than this fraction of it has to wait for all the others. */
  private static final int WARM = 4;

  /** A return that has gone to more places is that of a function shared by many. */
  private static final int MOST_RETURNS = 3;

  /** Fewest instructions of a region without a loop. */
  private static final int MIN_STRAIGHT = 6;

  /** A block found, and how many calls within the region it lies below the entry. */
  private record Found(Block block, int depth, boolean warm, int order) {}

  private final int hot;
  private final Set<Long> known = new HashSet<>();
  private final PriorityQueue<Found> frontier =
      new PriorityQueue<>(
          Comparator.comparing(Found::warm)
              .thenComparing(Comparator.comparingInt(Found::order).reversed()));

  private RegionFinder(int hot) {
    this.hot = hot;
  }

  /**
   * The blocks that should go into a region of at most {@code maxInstructions} with {@code entry},
   * in the order of their worth; empty if nothing can be compiled. Reads the code cache: for the
   * guest's thread.
   *
   * @param threshold entries that make a block hot
   */
  static List<RegionBlock> grow(Block entry, int threshold, int maxInstructions) {
    RegionBlock first = decode(entry);
    if (first == null || !Translatable.inline(first.insns()[0]) && first.insns().length == 1) {
      return List.of();
    }
    return new RegionFinder(Math.min(entry.entries(), threshold)).grow(first, maxInstructions);
  }

  private List<RegionBlock> grow(RegionBlock first, int maxInstructions) {
    List<RegionBlock> blocks = new ArrayList<>();
    blocks.add(first);
    known.add(first.va());
    int instructions = first.insns().length;
    extend(first, 0);
    while (!frontier.isEmpty()) {
      Found found = frontier.poll();
      if (instructions + found.block().instructions() > maxInstructions) {
        continue;
      }
      RegionBlock next = decode(found.block());
      if (next == null) {
        continue;
      }
      instructions += next.insns().length;
      blocks.add(next);
      extend(next, found.depth());
    }
    return blocks;
  }

  /** Offers what may follow; what is offered last is followed first. */
  private void extend(RegionBlock from, int depth) {
    if (from.endsIn(Mnemonic.RET)) {
      if (depth == 0 && from.seen().size() <= MOST_RETURNS) {
        from.seen().forEach(b -> offer(b, 0));
      }
      return;
    }
    int below = depth;
    if (from.endsIn(Mnemonic.CALL)) {
      offer(BlockLinks.recent(from.block(), from.end()), depth);
      below++;
    }
    List<Block> next = new ArrayList<>(from.seen());
    for (long va : from.successors()) {
      Block b = BlockLinks.linked(from.block(), va);
      if (b != null) {
        next.add(b);
      }
    }
    next.sort(Comparator.comparingInt(Block::entries));
    for (Block b : next) {
      offer(b, below);
    }
  }

  private void offer(Block b, int depth) {
    if (b != null
        && b.entries() >= Math.max(1, hot / COLDER)
        && !RegionEntry.at(b)
        && known.add(b.va)) {
      frontier.add(new Found(b, depth, b.entries() < hot / WARM, known.size()));
    }
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
    RegionShape shape = RegionShape.of(chosen);
    return worthwhile(shape) ? shape : null;
  }

  /**
   * Entering and leaving a region costs as much as a few dispatches: straight code must be longer
   * than that, while a loop pays by staying inside.
   */
  private static boolean worthwhile(RegionShape shape) {
    return shape.loops() || shape.instructions() >= MIN_STRAIGHT;
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
    return insns.size() == b.instructions()
        ? new RegionBlock(b, insns.toArray(new Insn[0]), seen(b, insns))
        : null;
  }

  private static List<Block> seen(Block b, List<Insn> insns) {
    Insn last = insns.get(insns.size() - 1);
    boolean computed = Translatable.inline(last) && Translatable.branch(last);
    return computed && (last.operands == 0 || last.kind[0] != Insn.REL)
        ? BlockLinks.seen(b).stream().filter(t -> t.modeKey == b.modeKey).toList()
        : List.of();
  }
}
