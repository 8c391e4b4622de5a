package org.hypergraft.vmm.boot;

import org.hypergraft.vmm.mmu.GuestRam;

/** Page tables that map the first 4 GiB to themselves with 2 MiB pages (Intel SDM vol. 3, 4.5). */
final class IdentityMap {
  /** PML4, one page-directory-pointer table, four page directories. */
  static final int SIZE = 6 * 4096;

  private static final long PRESENT_WRITABLE = 3;
  private static final long LARGE = 1 << 7;

  private IdentityMap() {}

  static void write(GuestRam ram, long at) {
    long pointers = at + 4096;
    long directories = at + 2 * 4096;
    ram.put64(at, pointers | PRESENT_WRITABLE);
    for (int i = 0; i < 4; i++) {
      ram.put64(pointers + 8 * i, directories + i * 4096L | PRESENT_WRITABLE);
    }
    for (int i = 0; i < 4 * 512; i++) {
      ram.put64(directories + 8L * i, (long) i << 21 | LARGE | PRESENT_WRITABLE);
    }
  }
}
