package org.hypergraft.vmm.bus;

import java.util.ArrayList;
import java.util.List;

/** The device regions of the physical address space. Few of them, so a list is searched. */
public final class MmioSpace implements MmioBus {
  private record Region(String name, long base, long length, MmioDevice device) {
    boolean contains(long gpa) {
      return Long.compareUnsigned(gpa - base, length) < 0;
    }
  }

  private final List<Region> regions = new ArrayList<>();
  private BusObserver observer = BusObserver.NONE;

  public void observe(BusObserver newObserver) {
    observer = newObserver;
  }

  /**
   * Gives {@code length} bytes from {@code base} to a device.
   *
   * @throws IllegalArgumentException when the range overlaps a claimed one
   */
  public void claim(String name, long base, long length, MmioDevice device) {
    for (Region region : regions) {
      if (base < region.base + region.length && region.base < base + length) {
        throw new IllegalArgumentException(name + " overlaps " + region.name);
      }
    }
    regions.add(new Region(name, base, length, device));
  }

  @Override
  public long read(long gpa, int size) {
    observer.mmio(gpa, size, false);
    for (Region region : regions) {
      if (region.contains(gpa)) {
        return region.device.read(gpa - region.base, size);
      }
    }
    return size == 8 ? -1L : (1L << (8 * size)) - 1;
  }

  @Override
  public void write(long gpa, int size, long value) {
    observer.mmio(gpa, size, true);
    for (Region region : regions) {
      if (region.contains(gpa)) {
        region.device.write(gpa - region.base, size, value);
        return;
      }
    }
  }
}
