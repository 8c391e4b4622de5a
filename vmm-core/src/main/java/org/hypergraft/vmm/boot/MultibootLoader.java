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

  /** Where an image lies in its file and in memory, by its header. */
  record Placement(long fileOffset, long load, long loadEnd, long bssEnd) {}

  private MultibootLoader() {}

  static BootState load(BootRequest request, BootProtocol protocol, GuestRam ram, long rsdp) {
    return protocol == BootProtocol.MULTIBOOT1 ? first(request, ram) : second(request, ram, rsdp);
  }

  private static BootState first(BootRequest request, GuestRam ram) {
    GuestImage image = request.image();
    Multiboot1 header = Multiboot1.read(image);
    long end =
        header.placement().isPresent()
            ? place(image, header.placement().get(), ram)
            : ElfLoader.load(image, ram, 0).end();
    long module = module(request, ram, end);
    header.writeInformation(ram, module, request.initrd().length);
    return GuestFiles.enter(
        BootProtocol.MULTIBOOT1, header.entry().orElse(image.elf().entry()), ram);
  }

  private static BootState second(BootRequest request, GuestRam ram, long rsdp) {
    GuestImage image = request.image();
    Multiboot2 header = Multiboot2.read(image);
    long end =
        header.placement().isPresent()
            ? place(image, header.placement().get(), ram)
            : ElfLoader.load(image, ram, 0).end();
    long module = module(request, ram, end);
    Multiboot2.writeInformation(ram, request.commandLine(), module, request.initrd().length, rsdp);
    return GuestFiles.enter(
        BootProtocol.MULTIBOOT2, header.entry().orElse(image.elf().entry()), ram);
  }

  private static long module(BootRequest request, GuestRam ram, long kernelEnd) {
    return GuestFiles.placeInitrd(request.initrd(), ram, kernelEnd, GuestFiles.INITRD_MAX);
  }

  /**
   * Copies an image by its header's addresses.
   *
   * @return first address behind it
   */
  private static long place(GuestImage image, Placement p, GuestRam ram) {
    byte[] file = image.payload();
    long fileEnd = p.loadEnd == 0 ? file.length : p.fileOffset + p.loadEnd - p.load;
    long loaded = p.load + fileEnd - p.fileOffset;
    long end = Math.max(loaded, p.bssEnd);
    boolean inFile = p.fileOffset >= 0 && fileEnd >= p.fileOffset && fileEnd <= file.length;
    if (!inFile || p.load < MemoryMap.ONE_MIB || !ram.contains(p.load, end - p.load)) {
      throw new BootException(
          ("%s: the Multiboot header loads bytes 0x%x to 0x%x of the file (0x%x bytes) to 0x%x and"
                  + " needs memory up to 0x%x; the guest has 0x%x bytes from 1 MiB on")
              .formatted(
                  image.name(), p.fileOffset, fileEnd, file.length, p.load, end, ram.size()));
    }
    ram.write(p.load, file, (int) p.fileOffset, (int) (fileEnd - p.fileOffset));
    return end;
  }
}
