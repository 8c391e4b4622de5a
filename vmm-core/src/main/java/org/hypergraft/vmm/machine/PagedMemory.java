package org.hypergraft.vmm.machine;

import java.util.Arrays;
import java.util.function.LongUnaryOperator;
import org.hypergraft.vmm.mmu.GuestRam;

/**
 * RAM by virtual addresses, page by page.
 *
 * @param physical guest-physical address of a virtual one, -1 where there is none
 */
record PagedMemory(GuestRam ram, LongUnaryOperator physical) {
  /** Does something with a stretch of one page. */
  private interface Stretch {
    void at(long gpa, int done, int length);
  }

  /** Bytes from an address on, as many of {@code length} as are in RAM. */
  byte[] read(long address, int length) {
    byte[] out = new byte[length];
    int done = each(address, length, (gpa, at, n) -> ram.read(gpa, out, at, n));
    return done == length ? out : Arrays.copyOf(out, done);
  }

  /**
   * Changes memory.
   *
   * @return false, with nothing changed, unless all of it is in RAM
   */
  boolean write(long address, byte[] bytes) {
    if (each(address, bytes.length, (gpa, at, n) -> {}) < bytes.length) {
      return false;
    }
    each(address, bytes.length, (gpa, at, n) -> ram.write(gpa, bytes, at, n));
    return true;
  }

  /** Visits stretches until one is not in RAM; returns the bytes before that. */
  private int each(long address, int length, Stretch stretch) {
    int done = 0;
    while (done < length) {
      long at = address + done;
      long gpa = physical.applyAsLong(at);
      int inPage = (int) (GuestRam.PAGE_SIZE - (at & GuestRam.PAGE_SIZE - 1));
      int n = Math.min(length - done, inPage);
      if (gpa == -1 || !ram.contains(gpa, n)) {
        return done;
      }
      stretch.at(gpa, done, n);
      done += n;
    }
    return done;
  }
}
