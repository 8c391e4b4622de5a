package org.hypergraft.vmm.cpu.interpret;

import java.util.ArrayList;
import java.util.List;
import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.mmu.GuestFault;

/** An op that ends its block and knows, or learns, the blocks that may follow. */
abstract class Branch extends Op {
  /** Linked successors, null until first used. */
  Block taken;

  Block fall;

  /** Most targets remembered of a computed branch. */
  private static final int MOST_SEEN = 8;

  /** Targets before {@link #taken} of a computed branch, in the order of their first use. */
  private List<Block> earlier = List.of();

  /** Whether successors may be reached without the run loop (never from single-step blocks). */
  boolean linkable;

  /**
   * Enters a block whose address is right.
   *
   * @return its first op, or null when the run loop must look closer: mapping changed, or the
   *     instruction budget ends inside the block
   */
  final Op enter(Cpu c, Block b) {
    long left = c.left - b.n;
    if (left >= 0 && b.epoch == c.mmu.execEpoch) {
      c.left = left;
      if (--b.heat == 0) {
        b.cache.hot(b);
      }
      return b.first;
    }
    return enterSlowly(c, b);
  }

  private Op enterSlowly(Cpu c, Block b) {
    if (b.epoch != c.mmu.execEpoch && !b.cache.revalidate(c, b)) {
      if (taken == b) {
        taken = null;
      }
      if (fall == b) {
        fall = null;
      }
    } else if (c.left >= b.n) {
      c.left -= b.n;
      return b.first;
    }
    c.rip = b.va;
    return null;
  }

  /** Leaves to the run loop for the taken target, asking it to fill in the link. */
  final Op linkTaken(Cpu c) {
    c.rip = imm;
    if (linkable) {
      block.cache.request(this, true, imm);
    }
    return null;
  }

  final Op linkFall(Cpu c) {
    c.rip = nextIp();
    if (linkable) {
      block.cache.request(this, false, c.rip);
    }
    return null;
  }

  /** A register as near branch target: cut to the operand size and the code size. */
  final long near(long v) {
    return size == 2 ? v & 0xffff : block.cut(v);
  }

  /** A computed target, refused by #GP before anything changes when it is not canonical. */
  static long checked(Cpu c, long target) {
    if (!c.mmu.canonical(target)) {
      throw GuestFault.of(GuestFault.GP, 0);
    }
    return target;
  }

  /**
   * As {@link #checked(Cpu, long)} after a push or pop, which is undone: RSP gets back its value
   * {@code sp}. What CALL has pushed stays below it, as on processors.
   */
  static long checked(Cpu c, long target, long sp) {
    if (!c.mmu.canonical(target)) {
      c.r[Cpu.RSP] = sp;
      throw GuestFault.of(GuestFault.GP, 0);
    }
    return target;
  }

  /** Continues at a computed address of the current code segment. */
  final Op indirect(Cpu c, long target) {
    if (linkable) {
      Block b = block.cache.jumpTarget(target);
      if (b != null && b.va == target && b.modeKey == block.modeKey) {
        if (b != taken) {
          remember(b);
        }
        return enter(c, b);
      }
    }
    c.rip = target;
    return null;
  }

  private void remember(Block b) {
    if (taken != null && earlier.size() < MOST_SEEN - 1 && !earlier.contains(taken)) {
      if (earlier.isEmpty()) {
        earlier = new ArrayList<>(2);
      }
      earlier.add(taken);
    }
    taken = b;
  }

  /** Live blocks that a computed branch has gone to, the last one first. */
  final List<Block> seen() {
    List<Block> live = new ArrayList<>();
    if (taken != null && !taken.dead()) {
      live.add(taken);
    }
    for (Block b : earlier) {
      if (b != taken && !b.dead()) {
        live.add(b);
      }
    }
    return live;
  }
}
