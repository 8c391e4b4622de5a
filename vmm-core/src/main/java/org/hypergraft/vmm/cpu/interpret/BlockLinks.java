package org.hypergraft.vmm.cpu.interpret;

import java.util.List;
import org.hypergraft.vmm.cpu.Cpu;

/**
 * How blocks follow each other: what compiled code needs to know of, and do with, the code cache.
 */
public final class BlockLinks {
  private BlockLinks() {}

  /** Whether the block is alive and its virtual address still maps to it. */
  public static boolean valid(Cpu c, Block b) {
    return b.epoch == c.mmu.execEpoch || b.cache.revalidate(c, b);
  }

  /**
   * Enters a block whose address is right.
   *
   * @return its first op, or null, with {@code c.rip} at the block, when the run loop must look
   *     closer: mapping changed, or the instruction budget ends inside the block
   */
  public static Op enter(Cpu c, Block b) {
    long left = c.left - b.n;
    if (left >= 0 && valid(c, b)) {
      c.left = left;
      if (--b.heat == 0) {
        b.cache.hot(b);
      }
      return b.first;
    }
    c.rip = b.va;
    return null;
  }

  /** Continues at a computed address of the code segment that {@code from} belongs to. */
  public static Op indirect(Cpu c, Block from, long target) {
    Block b = from.cache.jumpTarget(target);
    if (b != null && b.va == target && b.modeKey == from.modeKey) {
      return enter(c, b);
    }
    c.rip = target;
    return null;
  }

  /** A live block lately found at {@code va} in the mode of {@code from}, or null. */
  public static Block recent(Block from, long va) {
    Block b = from.cache.jumpTarget(va);
    return b != null && b.va == va && b.modeKey == from.modeKey && !b.dead() ? b : null;
  }

  /** Where the computed branch at the end of a block has gone: live blocks, the last one first. */
  public static List<Block> seen(Block b) {
    return b.last() instanceof Branch branch ? branch.seen() : List.of();
  }

  /** The block that has followed {@code b} at {@code va} by a direct link, or null. */
  public static Block linked(Block b, long va) {
    if (b.last() instanceof Branch branch) {
      for (Block t : new Block[] {branch.taken, branch.fall}) {
        if (t != null && t.va == va && !t.dead()) {
          return t;
        }
      }
    }
    return null;
  }

  /**
   * Ops of a block by instruction, in order; null where an instruction became several ops, which
   * compiled code cannot resume at.
   */
  public static Op[] ops(Block b) {
    Op[] ops = new Op[b.n];
    int n = 0;
    Op previous = null;
    for (Op op = b.own; op != null; previous = op, op = op.next) {
      if (previous != null && op.at == previous.at) {
        return null;
      }
      if (n < ops.length) {
        ops[n++] = op;
      }
    }
    return n == ops.length ? ops : null;
  }

  /** What is executed on entry to the block. */
  public static Op first(Block b) {
    return b.first;
  }

  /** The op that the block was translated to begin with. */
  public static Op own(Block b) {
    return b.own;
  }

  /** Has {@code compiled} executed on entry to the block, or its own ops again when null. */
  public static void replace(Block b, Op compiled) {
    b.first = compiled != null ? compiled : b.own;
  }

  /** Has tier 1 asked about the block again at its next entry if it is hot. */
  public static void askSoon(Block b) {
    b.askSoon();
  }

  /** Has {@code compiled} withdrawn when {@code b} dies. */
  public static void dependOn(Block b, Compiled compiled) {
    b.dependents.add(compiled);
  }

  /** Copies the block's code bytes, or returns null if they do not lie in one page. */
  public static byte[] code(Block b) {
    return b.cache.code(b);
  }
}
