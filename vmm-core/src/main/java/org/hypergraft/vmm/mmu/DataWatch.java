package org.hypergraft.vmm.mmu;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Ranges of linear addresses whose accesses somebody wants to see. Pages with such a range never
 * get into a TLB for data, so accesses elsewhere cost nothing.
 *
 * <p>An access is seen twice: first it restarts its instruction like one of a device, then, with
 * the clock exact, it is reported. The listener can so have the run loop return right after the
 * instruction.
 */
public final class DataWatch {
  /**
   * A watched range.
   *
   * @param start linear address of the first byte
   * @param length bytes, at least 1; the range does not wrap around the address space
   */
  public record Range(long start, long length, boolean reads, boolean writes) {
    private boolean touches(long address, int size) {
      return Long.compareUnsigned(address, start + length - 1) <= 0
          && Long.compareUnsigned(start, address + size - 1) <= 0;
    }
  }

  /** Told of each access, before it is done. */
  @FunctionalInterface
  public interface Listener {
    void accessed(Range range, long address, boolean write);
  }

  private record Watched(Range range, Listener listener) {}

  private final List<Watched> ranges = new ArrayList<>();
  private final Set<Long> pages = new HashSet<>();

  void add(Range range, Listener listener) {
    ranges.add(new Watched(range, listener));
    collectPages();
  }

  boolean remove(Range range, Listener listener) {
    boolean removed = ranges.remove(new Watched(range, listener));
    collectPages();
    return removed;
  }

  private void collectPages() {
    pages.clear();
    for (Watched w : ranges) {
      long last = w.range.start + w.range.length - 1 >> 12;
      for (long page = w.range.start >> 12; page <= last; page++) {
        pages.add(page);
      }
    }
  }

  boolean isEmpty() {
    return ranges.isEmpty();
  }

  /** Whether a range lies in the page of an address. */
  boolean inPage(long la) {
    return pages.contains(la >> 12);
  }

  /** Whether an access, wholly within one page or not, is to be seen. */
  boolean watches(long la, int size, boolean write) {
    for (Watched w : ranges) {
      if ((write ? w.range.writes : w.range.reads) && w.range.touches(la, size)) {
        return true;
      }
    }
    return false;
  }

  void report(long la, int size, boolean write) {
    for (Watched w : List.copyOf(ranges)) {
      if ((write ? w.range.writes : w.range.reads) && w.range.touches(la, size)) {
        w.listener.accessed(w.range, la, write);
      }
    }
  }
}
