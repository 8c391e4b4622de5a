package org.hypergraft.vmm.mmu;

import java.lang.ref.Cleaner;
import sun.misc.Unsafe;

/** One block of zeroed off-heap memory, freed on close or when its owner becomes unreachable. */
final class NativeMemory {
  private static final Cleaner CLEANER = Cleaner.create();

  /** Distance between the words sampled to tell fresh pages from recycled ones. */
  private static final long SAMPLE_STEP = 1L << 21;

  /**
   * Allocators may hand a freed block of up to this size out again; larger ones come from the
   * system. glibc's bound is 32 MiB (mallopt(3), M_MMAP_THRESHOLD).
   */
  private static final long RECYCLED = 64L << 20;

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
    // Clearing commits every page: do without where the system has done it, evidently.
    boolean fresh = size > RECYCLED;
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
