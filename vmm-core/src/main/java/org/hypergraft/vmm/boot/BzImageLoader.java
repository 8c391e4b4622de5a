package org.hypergraft.vmm.boot;

import org.hypergraft.annotator.image.Container;
import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.annotator.image.SetupHeader;
import org.hypergraft.vmm.mmu.GuestRam;

/**
 * Loads a bzImage as a boot loader does, packed, and enters it at one of its three entry points
 * (Documentation/arch/x86/boot.rst): the boot stub unpacks, places and relocates the kernel.
 */
final class BzImageLoader {
  /** The 64-bit entry's distance from the 32-bit one. */
  private static final int ENTRY_64 = 0x200;

  private static final int SECTOR = 512;

  /** Setup code starts after the boot sector, which is its data. */
  private static final int SETUP_ENTRY = 0x200;

  /** The largest setup area boot.rst grants. */
  private static final int MAX_SETUP = 0x8000;

  private BzImageLoader() {}

  static BootState load(BootRequest request, BootProtocol protocol, GuestRam ram, long rsdp) {
    GuestImage image = request.image();
    if (!(image.container() instanceof Container.BzImage bzImage)) {
      throw new BootException(
          "%s is a %s: protocol %s needs a bzImage"
              .formatted(image.name(), image.container().label(), protocol.label()));
    }
    SetupHeader header = bzImage.header();
    check(image, header, protocol);
    byte[] file = image.original();
    int from = header.protectedModeOffset();
    long at = header.code32Start();
    // A stub unpacks within init_size bytes of the preferred address or of its own.
    long end = Math.max(at, header.preferredAddress()) + header.initSize();
    if (at < MemoryMap.ONE_MIB || !ram.contains(at, end - at) || file.length - from > end - at) {
      throw new BootException(
          "%s: the boot stub at 0x%x needs memory up to 0x%x, the guest has 0x%x bytes"
              .formatted(image.name(), at, end, ram.size()));
    }
    ram.write(at, file, from, file.length - from);
    byte[] initrd = request.initrd();
    long highest = Math.min(header.initrdAddressMax(), GuestFiles.INITRD_MAX);
    long initrdAt = GuestFiles.placeInitrd(initrd, ram, end, highest);
    if (protocol == BootProtocol.BZIMAGE16) {
      writeSetup(file, from, ram, initrdAt, initrd.length);
      return new BootState(protocol, MemoryMap.SETUP + SETUP_ENTRY, MemoryMap.SETUP, 0, 0, 0);
    }
    LinuxBoot.write(image, ram, at, initrdAt, initrd.length, rsdp);
    return GuestFiles.enter(protocol, protocol == BootProtocol.BZIMAGE64 ? at + ENTRY_64 : at, ram);
  }

  private static void check(GuestImage image, SetupHeader header, BootProtocol protocol) {
    if ((header.loadFlags() & LinuxSetup.LOADED_HIGH) == 0) {
      throw new BootException(
          image.name() + ": a zImage, whose code belongs below 1 MiB, is not supported");
    }
    if (protocol == BootProtocol.BZIMAGE64 && !header.has64BitEntry()) {
      throw new BootException(
          "%s: no 64-bit entry (bit 0 of xloadflags at 0x236 is clear)".formatted(image.name()));
    }
    if (protocol == BootProtocol.BZIMAGE16 && header.protectedModeOffset() > MAX_SETUP) {
      throw new BootException(
          "%s: %d setup sectors do not fit into 32 KiB"
              .formatted(image.name(), header.protectedModeOffset() / SECTOR - 1));
    }
  }

  private static void writeSetup(
      byte[] file, int length, GuestRam ram, long initrd, int initrdSize) {
    long setup = MemoryMap.SETUP;
    ram.write(setup, file, 0, length);
    int flags = ram.u8(setup + LinuxSetup.LOAD_FLAGS) | LinuxSetup.CAN_USE_HEAP;
    LinuxSetup.fill(ram, setup, flags, initrd, initrdSize);
    ram.put16(setup + LinuxSetup.VIDEO_MODE, LinuxSetup.VIDEO_NORMAL);
    ram.put16(setup + LinuxSetup.HEAP_END_POINTER, LinuxSetup.HEAP_END - LinuxSetup.STACK_SIZE);
  }
}
