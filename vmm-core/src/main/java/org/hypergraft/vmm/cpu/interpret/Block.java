package org.hypergraft.vmm.cpu.interpret;

import java.util.ArrayList;
import java.util.List;
import org.hypergraft.vmm.cpu.Cpu;

/** A straight run of translated instructions within one page (or one page-crossing instruction). */
public final class Block {
  /** {@link #epoch} of a block whose bytes have changed; never valid again. */
  static final int DEAD = Integer.MIN_VALUE;

  /** How often tier 1 is asked again: by then what surrounds a block has shown itself. */
  private static final int MOST_DOUBLINGS = 6;

  /** In {@link #modeKey}: exactly one instruction, which always leaves to the run loop. */
  static final int SINGLE = 1 << Cpu.MODE_BITS;

  /** Address of the first instruction as an instruction pointer, CS base not included. */
  public final long va;

  /** Guest-physical address of the first byte. */
  public final long pa;

  public final int modeKey;

  final CodeCache cache;

  /** Number of instructions. */
  int n;

  /** Length in bytes. */
  int length;

  /** What is executed on entry: {@link #own}, or what was compiled of it. */
  Op first;

  /** The block's own first op. */
  Op own;

  /** {@code Mmu.execEpoch} for which the mapping va -> pa was last proven, or {@link #DEAD}. */
  int epoch;

  /** Guest-physical start of the second page of a page-crossing instruction, or -1. */
  long pa2 = -1;

  /** Entries left until tier 1 is asked; see {@link Tier1#hot}. */
  int heat;

  /** What {@link #entries} will be when {@link #heat} is spent. */
  private int asked;

  /** What was compiled from this block among others. */
  final List<Compiled> dependents = new ArrayList<>(0);

  /** Next in the cache's hash chain. */
  Block chained;

  Block(CodeCache cache, long va, long pa, int modeKey) {
    this.cache = cache;
    this.va = va;
    this.pa = pa;
    this.modeKey = modeKey;
    heat = cache.threshold;
    asked = heat;
  }

  /** Has tier 1 asked again when there have been twice as many entries; not without end. */
  void askLater() {
    if (asked >> MOST_DOUBLINGS < cache.threshold && asked < 1 << 30) {
      heat = asked;
      asked += heat;
    }
  }

  /** Has tier 1 asked at the next entry if there have been as many as make a block hot. */
  void askSoon() {
    if (entries() >= cache.threshold) {
      askAfter(cache.threshold);
    }
  }

  /** Has tier 1 asked when there have been {@code count} entries, or else at the next one. */
  void askAfter(int count) {
    int entries = entries();
    asked = Math.max(count, entries + 1);
    heat = asked - entries;
  }

  /** Whether the block's bytes have changed since it was translated. */
  public boolean dead() {
    return epoch == DEAD;
  }

  /** Entries since translation, as far as counted. */
  public int entries() {
    return asked - heat;
  }

  /** Whether the block runs exactly one instruction for the run loop. */
  public boolean single() {
    return (modeKey & SINGLE) != 0;
  }

  /** Whether the last op leaves to the run loop by itself. */
  public boolean endsInLeave() {
    return last() instanceof BranchTemplates.Leave || !(last() instanceof Branch);
  }

  Op last() {
    Op op = own;
    while (op.next != null) {
      op = op.next;
    }
    return op;
  }

  /** Cuts an instruction pointer to the code size. */
  long cut(long ip) {
    int size = modeKey & Cpu.MODE_SIZE;
    return size == 2 ? ip : size == 1 ? ip & 0xffff_ffffL : ip & 0xffff;
  }

  public int instructions() {
    return n;
  }

  public int length() {
    return length;
  }
}
