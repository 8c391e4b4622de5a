package org.hypergraft.vmm.cpu.interpret;

import org.hypergraft.vmm.cpu.Cpu;

/** A straight run of translated instructions within one page (or one page-crossing instruction). */
public final class Block {
  /** {@link #epoch} of a block whose bytes have changed; never valid again. */
  static final int DEAD = Integer.MIN_VALUE;

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

  Op first;

  /** {@code Mmu.execEpoch} for which the mapping va -> pa was last proven, or {@link #DEAD}. */
  int epoch;

  /** Guest-physical start of the second page of a page-crossing instruction, or -1. */
  long pa2 = -1;

  /** Next in the cache's hash chain. */
  Block chained;

  Block(CodeCache cache, long va, long pa, int modeKey) {
    this.cache = cache;
    this.va = va;
    this.pa = pa;
    this.modeKey = modeKey;
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
