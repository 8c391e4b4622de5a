package org.hypergraft.vmm.mmu;

import java.lang.ref.Cleaner;
import sun.misc.Unsafe;

/** One block of zeroed off-heap memory, freed on close or when its owner becomes unreachable. */
final class NativeMemory {
  private static final Cleaner CLEANER = Cleaner.create();

  /** Distance between the words sampled to tell fresh pages from recycled ones. */
  private static final long SAMPLE_STEP = 1L << 21;

  /** Page-aligned start. */
  final long address;

  private final Cleaner.Cleanable cleanable;

  /**
   * @param owner object whose lifetime bounds the memory's
   * @param size bytes; a large block is committed by the operating system only as it is touched
   */
  NativeMemory(Object owner, long size, long alignment) {
    Unsafe u = GuestRam.U;
    long raw = u.allocateMemory(size + alignment);
    address = (raw + alignment - 1) & -alignment;
    cleanable = CLEANER.register(owner, () -> u.freeMemory(raw));
    // Large blocks come straight from the system, zeroed. Clear only if they evidently do not,
    // because clearing commits every page.
    boolean fresh = size >= 2 * SAMPLE_STEP;
    for (long at = 0; fresh && at <= size - Long.BYTES; at += SAMPLE_STEP) {
      fresh = u.getLong(address + at) == 0;
    }
    if (!fresh) {
      u.setMemory(address, size, (byte) 0);
    }
  }

  void free() {
    cleanable.clean();
  }
}
