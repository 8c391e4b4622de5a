package org.hypergraft.vmm.boot;

import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.annotator.image.Relocations;
import org.hypergraft.annotator.image.Relocations.Kind;
import org.hypergraft.annotator.image.Segment;
import org.hypergraft.vmm.mmu.GuestRam;

/**
 * Applies the relocation tail to a kernel that was loaded higher than it was linked, as the boot
 * stub's {@code handle_relocations} does (arch/x86/boot/compressed/misc.c). The virtual slide
 * equals the physical one.
 */
final class KernelRelocator {
  /** End of the range that Linux maps its image into (KERNEL_IMAGE_SIZE, 1 GiB), link address. */
  private static final long IMAGE_LIMIT = 0xffffffff_c0000000L;

  private KernelRelocator() {}

  /**
   * @param offset the slide in bytes
   * @param start first physical byte of the loaded kernel
   * @param end physical byte after its last
   */
  static void apply(GuestImage image, GuestRam ram, long offset, long start, long end) {
    Relocations relocations = image.relocations();
    if (relocations.layout() == Relocations.Layout.NONE) {
      throw new BootException(
          image.name() + ": no relocations are appended, so it cannot take a KASLR offset");
    }
    Segment first =
        image.elf().segments().stream().filter(Segment::loaded).findFirst().orElseThrow();
    long linkBase = first.virtualAddress() - first.physicalAddress();
    if (image.is64Bit() && Long.compareUnsigned(linkBase + end, IMAGE_LIMIT) > 0) {
      throw new BootException(
          "KASLR offset 0x%x puts the kernel's end beyond 0x%x".formatted(offset, IMAGE_LIMIT));
    }
    for (Kind kind : relocations.layout().runs()) {
      for (long link : relocations.addresses(kind)) {
        long at = link - linkBase + offset;
        if (at < start || at > end - kind.size()) {
          throw new BootException(
              "%s: relocation at 0x%x lies outside the loaded kernel"
                  .formatted(image.name(), link));
        }
        switch (kind) {
          case ABSOLUTE_64:
            ram.put64(at, ram.u64(at) + offset);
            break;
          case ABSOLUTE_32:
            ram.put32(at, ram.u32(at) + (int) offset);
            break;
          case INVERSE_32:
            ram.put32(at, ram.u32(at) - (int) offset);
            break;
        }
      }
    }
  }
}
