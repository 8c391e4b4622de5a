package org.hypergraft.vmm.boot;

import java.util.Optional;
import org.hypergraft.annotator.image.Container;
import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.vmm.mmu.GuestRam;

/** Puts a kernel, its initramfs and what its boot protocol wants into guest memory. */
public final class KernelLoader {
  /** Linux's CONFIG_PHYSICAL_ALIGN on x86-64. */
  public static final long KASLR_ALIGNMENT = 2 << 20;

  private KernelLoader() {}

  /**
   * Loads everything.
   *
   * @throws BootException when the image has no usable entry or does not fit
   */
  public static BootState load(BootRequest request, GuestRam ram) {
    BootProtocol protocol = choose(request);
    checkOffset(request, protocol);
    GuestFiles.writeCommandLine(request.commandLine(), ram);
    long rsdp = AcpiTables.write(ram, request.cpus());
    return switch (protocol) {
      case PVH, LINUX32, LINUX64 -> elf(request, protocol, ram, rsdp);
      case BZIMAGE16, BZIMAGE32, BZIMAGE64 -> BzImageLoader.load(request, protocol, ram, rsdp);
      case MULTIBOOT1, MULTIBOOT2 -> MultibootLoader.load(request, protocol, ram, rsdp);
    };
  }

  private static BootState elf(
      BootRequest request, BootProtocol protocol, GuestRam ram, long rsdp) {
    GuestImage image = request.image();
    long offset = request.kaslrOffset();
    ElfLoader.Extent extent = ElfLoader.load(image, ram, offset);
    if (offset != 0) {
      KernelRelocator.apply(image, ram, offset, extent.start(), extent.end());
    }
    byte[] initrd = request.initrd();
    long initrdAt = GuestFiles.placeInitrd(initrd, ram, extent.end(), GuestFiles.INITRD_MAX);
    long entry = image.elf().entry() + offset;
    if (protocol == BootProtocol.PVH) {
      entry = image.notes().pvhEntry().getAsLong();
      PvhBoot.write(ram, initrdAt, initrd.length, rsdp);
    } else {
      LinuxBoot.write(image, ram, extent.start(), initrdAt, initrd.length, rsdp);
    }
    return GuestFiles.enter(protocol, entry, ram);
  }

  private static BootProtocol choose(BootRequest request) {
    GuestImage image = request.image();
    boolean pvh = image.notes().pvhEntry().isPresent();
    BootProtocol linux = image.is64Bit() ? BootProtocol.LINUX64 : BootProtocol.LINUX32;
    if (request.protocol().isEmpty()) {
      if (pvh && request.kaslrOffset() == 0) {
        return BootProtocol.PVH;
      }
      return multiboot(image).orElse(linux);
    }
    BootProtocol protocol = request.protocol().get();
    if (protocol == BootProtocol.PVH && !pvh) {
      throw new BootException(image.name() + ": no PVH entry (no Xen PHYS32_ENTRY note)");
    }
    boolean elf = protocol == BootProtocol.LINUX32 || protocol == BootProtocol.LINUX64;
    if (elf && protocol != linux) {
      throw new BootException(
          "%s: the kernel is %d-bit, so it cannot be entered by protocol %s"
              .formatted(image.name(), image.elf().bits(), protocol.label()));
    }
    return protocol;
  }

  /** The Multiboot version that a kernel asks for by its header; Linux ones never do. */
  private static Optional<BootProtocol> multiboot(GuestImage image) {
    if (image.container() instanceof Container.BzImage) {
      return Optional.empty();
    }
    if (Multiboot2.headerOf(image) >= 0) {
      return Optional.of(BootProtocol.MULTIBOOT2);
    }
    return Multiboot1.headerOf(image) >= 0
        ? Optional.of(BootProtocol.MULTIBOOT1)
        : Optional.empty();
  }

  private static void checkOffset(BootRequest request, BootProtocol protocol) {
    long offset = request.kaslrOffset();
    if (offset < 0 || offset % KASLR_ALIGNMENT != 0) {
      throw new BootException(
          "KASLR offset 0x" + Long.toHexString(offset) + ": expected a multiple of 2 MiB");
    }
    boolean linux = protocol == BootProtocol.LINUX32 || protocol == BootProtocol.LINUX64;
    if (offset != 0 && !linux) {
      throw new BootException(
          "a KASLR offset needs the Linux boot protocol, not "
              + (protocol == BootProtocol.PVH ? "PVH" : protocol.label()));
    }
  }
}
