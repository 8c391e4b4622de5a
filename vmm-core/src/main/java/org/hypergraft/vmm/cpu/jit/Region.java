package org.hypergraft.vmm.cpu.jit;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.hypergraft.vmm.cpu.Cpu;
import org.hypergraft.vmm.cpu.interpret.Block;
import org.hypergraft.vmm.cpu.interpret.BlockLinks;
import org.hypergraft.vmm.cpu.interpret.Compiled;
import org.hypergraft.vmm.cpu.interpret.Op;
import org.hypergraft.vmm.mmu.GuestFault;
import org.hypergraft.vmm.mmu.MmioRestart;

/**
 * A compiled region. Subclasses are generated; their {@code run} keeps guest registers in JVM
 * locals and returns the op to go on with.
 *
 * <p>Nothing irregular is handled in compiled code: an instruction that faults, touches a device or
 * follows a store into translated code is given back to its tier-0 op, with the state as it was
 * before (or after) that instruction. Accounting is that of tier 0, block by block, so both tiers
 * retire the same instructions at the same counts. Tier 0 comes back at the next block that has a
 * {@link RegionEntry}.
 */
public abstract class Region implements Compiled {
  private static final long PAGE = -4096;

  /** Number of an entry that does nothing. */
  static final int NOWHERE = -1;

  /** Tier-0 op of every instruction, in region order. */
  private Op[] ops;

  /** Blocks outside, or inside when the budget ends, to which the region may leave. */
  private Block[] exits;

  private long[] exitAddresses;

  /** Every block compiled into the region. */
  private Block[] members;

  /** Blocks that the region may be entered at, by number. */
  private Block[] entries;

  /** One member in each mapped page of its code. */
  private Block[] pages;

  /** {@code Mmu.execEpoch} for which the mapping of all members was last proven. */
  private int epoch;

  /** The op to continue with after {@link #step} returned false. */
  protected Op pending;

  /**
   * Runs from a block on that has just been entered, its instructions already charged.
   *
   * @param entry which one, or {@link #NOWHERE} to do nothing
   * @return the op to go on with
   */
  protected abstract Op run(Cpu c, int entry);

  /**
   * Puts the region in place: in front of all its entries where no other is yet.
   *
   * @param members its blocks, alive
   */
  final void install(Block[] members, Block[] entries, Op[] ops, long[] exitAddresses) {
    this.members = members;
    this.entries = entries;
    this.ops = ops;
    this.exitAddresses = exitAddresses;
    exits = new Block[exitAddresses.length];
    Map<List<Long>, Block> inPage = new LinkedHashMap<>();
    for (Block b : members) {
      inPage.putIfAbsent(List.of(b.va & PAGE, b.pa & PAGE), b);
      BlockLinks.dependOn(b, this);
    }
    pages = inPage.values().toArray(new Block[0]);
    for (int k = 0; k < entries.length; k++) {
      if (!RegionEntry.at(entries[k])) {
        BlockLinks.replace(entries[k], new RegionEntry(this, k, BlockLinks.own(entries[k])));
      }
    }
  }

  @Override
  public final void withdraw() {
    for (Block b : entries) {
      if (BlockLinks.first(b) instanceof RegionEntry e && e.of(this)) {
        BlockLinks.replace(b, null);
      }
    }
  }

  /** Whether a data segment outside 64-bit mode reaches everywhere and may be read and written. */
  protected static boolean unlimited(Cpu c, int segment) {
    // present, writable, data that does not expand down: type bits 3-1 = 001 (SDM vol. 3, 3.4.5.1)
    int wanted = Cpu.ATTR_P | Cpu.ATTR_S | 2;
    int asked = wanted | Cpu.ATTR_UNUSABLE | 8 | 4;
    return c.segLimit[segment] == -1 && (c.segAttr[segment] & asked) == wanted;
  }

  /**
   * Whether the budget lasts for every instruction once and all members are still mapped where they
   * were compiled.
   */
  protected final boolean enterable(Cpu c) {
    return c.left >= ops.length && (epoch == c.mmu.execEpoch || revalidate(c));
  }

  /** What a region may spend of {@code left} instructions before it has to look again. */
  protected static int budget(long left) {
    return left < 0 ? -1 : (int) Math.min(left, 1 << 30);
  }

  private boolean revalidate(Cpu c) {
    for (Block b : pages) {
      if (!BlockLinks.valid(c, b)) {
        return false;
      }
    }
    epoch = c.mmu.execEpoch;
    return true;
  }

  /** The tier-0 op that runs in place of the region when it is not {@link #enterable}. */
  protected final Op fallback(int entry) {
    return BlockLinks.own(entries[entry]);
  }

  /** Continues outside at a computed address. All state is in {@code c}. */
  protected final Op leave(Cpu c, long target) {
    return BlockLinks.indirect(c, members[0], target);
  }

  /**
   * Continues outside. All state is in {@code c}.
   *
   * @param exit counted on: an exit, an instruction to be executed by tier 0, or an instruction
   *     after which tier 0 goes on
   */
  protected final Op leave(Cpu c, int exit) {
    int k = exit - exits.length;
    if (k < 0) {
      return leaveTo(c, exit);
    }
    if (k < ops.length) {
      return ops[k];
    }
    c.mmu.codeWritten = false;
    return ops[k - ops.length].next;
  }

  private Op leaveTo(Cpu c, int exit) {
    Block b = exits[exit];
    if (b == null || b.dead()) {
      b = BlockLinks.recent(members[0], exitAddresses[exit]);
      exits[exit] = b;
      if (b == null) {
        c.rip = exitAddresses[exit];
        return null;
      }
    }
    return BlockLinks.enter(c, b);
  }

  /**
   * Executes an instruction that neither branches nor touches registers kept in locals.
   *
   * @return false if it faults or touches a device, and so is to be executed by tier 0
   */
  protected final boolean call(Cpu c, int k) {
    Op op = ops[k];
    Op following;
    try {
      following = op.exec(c);
    } catch (GuestFault | MmioRestart e) {
      return false;
    }
    if (following != op.next) {
      throw new IllegalStateException("an instruction that always goes on did not");
    }
    return true;
  }

  /**
   * Executes instruction {@code k} through its tier-0 op.
   *
   * @return whether the next instruction in sequence follows, as it was compiled; if not, {@link
   *     #pending} is to be returned from the region
   */
  protected final boolean step(Cpu c, int k) {
    Op op = ops[k];
    Op following;
    try {
      following = op.exec(c);
    } catch (GuestFault | MmioRestart e) {
      // let the run loop see it happen: partial progress (REP) is in the state
      pending = op;
      return false;
    }
    if (following == op.next && following != null && !c.mmu.codeWritten) {
      return true;
    }
    c.mmu.codeWritten = false;
    pending = following;
    return false;
  }
}
