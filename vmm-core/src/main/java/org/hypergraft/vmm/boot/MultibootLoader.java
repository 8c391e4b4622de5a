package org.hypergraft.vmm.boot;

import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.vmm.mmu.GuestRam;

/**
 * Loads Multiboot images: as ELF, or by the addresses in their headers where they say so. Both
 * versions of the specification enter alike and differ in what they hand over.
 */
final class MultibootLoader {
  /** The name that both versions let a loader give itself. */
  static final String LOADER_NAME = "hypergraft";

  private MultibootLoader() {}

  static BootState load(BootRequest request, BootProtocol protocol, GuestRam ram, long rsdp) {
    GuestImage image = request.image();
    boolean first = protocol == BootProtocol.MULTIBOOT1;
    MultibootHeader header = first ? Multiboot1.read(image) : Multiboot2.read(image);
    long end =
        header.placement().isPresent()
            ? place(image, header.placement().get(), ram)
            : ElfLoader.load(image, ram, 0).end();
    byte[] initrd = request.initrd();
    long module = GuestFiles.placeInitrd(initrd, ram, end, GuestFiles.INITRD_MAX);
    if (first) {
      Multiboot1.writeInformation(ram, module, initrd.length);
    } else {
      Multiboot2.writeInformation(ram, request.commandLine(), module, initrd.length, rsdp);
    }
    return GuestFiles.enter(protocol, header.entry().orElse(image.elf().entry()), ram);
  }

  /**
   * Copies an image by its header's addresses.
   *
   * @return first address behind it
   */
  private static long place(GuestImage image, MultibootHeader.Placement p, GuestRam ram) {
    byte[] file = image.payload();
    long fileEnd = p.loadEnd() == 0 ? file.length : p.fileOffset() + p.loadEnd() - p.load();
    long loaded = p.load() + fileEnd - p.fileOffset();
    long end = Math.max(loaded, p.bssEnd());
    boolean inFile = p.fileOffset() >= 0 && fileEnd >= p.fileOffset() && fileEnd <= file.length;
    if (!inFile || p.load() < MemoryMap.ONE_MIB || !ram.contains(p.load(), end - p.load())) {
      throw new BootException(
          ("%s: the Multiboot header loads bytes 0x%x to 0x%x of the file (0x%x bytes) to 0x%x and"
                  + " needs memory up to 0x%x; the guest has 0x%x bytes from 1 MiB on")
              .formatted(
                  image.name(), p.fileOffset(), fileEnd, file.length, p.load(), end, ram.size()));
    }
    ram.write(p.load(), file, (int) p.fileOffset(), (int) (fileEnd - p.fileOffset()));
    return end;
  }
}
