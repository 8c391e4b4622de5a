package org.hypergraft.vmm.boot;

import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.annotator.image.Segment;
import org.hypergraft.vmm.mmu.GuestRam;

/** Copies an ELF's segments to their physical addresses. */
final class ElfLoader {
  /** Physical range that the loaded segments take. */
  record Extent(long start, long end) {}

  private ElfLoader() {}

  /**
   * @param offset bytes that the kernel is moved up by
   */
  static Extent load(GuestImage image, GuestRam ram, long offset) {
    long start = Long.MAX_VALUE;
    long end = 0;
    for (Segment s : image.elf().segments()) {
      if (!s.loaded() || s.memorySize() == 0) {
        continue;
      }
      long at = s.physicalAddress() + offset;
      if (at < MemoryMap.ONE_MIB || !ram.contains(at, s.memorySize())) {
        throw new BootException(
            ("%s: segment of 0x%x bytes at physical 0x%x does not fit into the guest's memory"
                    + " above 1 MiB (0x%x bytes)")
                .formatted(image.name(), s.memorySize(), at, ram.size()));
      }
      // Memory is zero at power-on, so only the bytes of the file are copied.
      ram.write(at, image.payload(), s.offset(), (int) s.fileSize());
      start = Math.min(start, at);
      end = Math.max(end, at + s.memorySize());
    }
    if (end == 0) {
      throw new BootException(image.name() + ": nothing to load");
    }
    return new Extent(start, end);
  }
}
