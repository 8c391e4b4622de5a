package org.hypergraft.vmm.cpu.interpret;

/** A straight run of translated instructions within one page (or one page-crossing instruction). */
public final class Block {
  /** {@link #epoch} of a block whose bytes have changed; never valid again. */
  static final int DEAD = Integer.MIN_VALUE;

  /** Virtual (linear) address of the first instruction as RIP, CS base not included. */
  public final long va;

  /** Guest-physical address of the first byte. */
  public final long pa;

  public final int modeKey;

  /** Number of instructions. */
  public int n;

  /** Length in bytes. */
  public int length;

  Op first;

  /** {@code Mmu.execEpoch} for which the mapping va -> pa was last proven. */
  int epoch;

  /** Guest-physical page of the second part of a page-crossing instruction, or -1. */
  long pa2 = -1;

  Block(long va, long pa, int modeKey) {
    this.va = va;
    this.pa = pa;
    this.modeKey = modeKey;
  }

  /** Cuts an instruction pointer to the code size. */
  long cut(long ip) {
    return (modeKey & 3) == 2 ? ip : (modeKey & 3) == 1 ? ip & 0xffff_ffffL : ip & 0xffff;
  }
}
