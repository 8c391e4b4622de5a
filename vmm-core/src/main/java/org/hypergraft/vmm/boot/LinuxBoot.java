package org.hypergraft.vmm.boot;

import java.util.List;
import org.hypergraft.annotator.image.Container;
import org.hypergraft.annotator.image.GuestImage;
import org.hypergraft.vmm.mmu.GuestRam;

/**
 * Linux's boot_params, the "zero page" (Documentation/arch/x86/boot.rst and zero-page.rst). The
 * setup header is the bzImage's when there is one, else it is filled in as one of protocol 2.15.
 */
final class LinuxBoot {
  private static final int LARGEST_HEADER_END = 0x290;
  private static final int ZERO_PAGE_SIZE = 0x1000;

  private LinuxBoot() {}

  static void write(
      GuestImage image, GuestRam ram, long kernelAt, long initrd, int initrdSize, long rsdp) {
    long zeroPage = MemoryMap.BOOT_INFO;
    ram.fill(zeroPage, ZERO_PAGE_SIZE, 0);
    if (image.container() instanceof Container.BzImage) {
      copyHeader(image.original(), ram, zeroPage);
    } else {
      ram.put16(zeroPage + LinuxSetup.BOOT_FLAG, 0xaa55);
      ram.put32(zeroPage + LinuxSetup.MAGIC, 0x53726448); // "HdrS"
      ram.put16(zeroPage + LinuxSetup.VERSION, 0x020f);
      ram.put32(zeroPage + LinuxSetup.KERNEL_ALIGNMENT, (int) KernelLoader.KASLR_ALIGNMENT);
      ram.put8(zeroPage + LinuxSetup.RELOCATABLE, 1);
      ram.put32(zeroPage + LinuxSetup.COMMAND_LINE_SIZE, 2047);
    }
    int flags =
        ram.u8(zeroPage + LinuxSetup.LOAD_FLAGS) & ~LinuxSetup.KASLR_FLAG | LinuxSetup.LOADED_HIGH;
    LinuxSetup.fill(ram, zeroPage, flags, initrd, initrdSize);
    ram.put32(zeroPage + LinuxSetup.CODE32_START, (int) kernelAt);
    ram.put32(zeroPage + LinuxSetup.EXT_RAMDISK_IMAGE, (int) (initrd >>> 32));
    ram.put32(zeroPage + LinuxSetup.EXT_RAMDISK_SIZE, 0);
    ram.put64(zeroPage + LinuxSetup.RSDP, rsdp);
    writeMemoryMap(ram, zeroPage);
  }

  /** The header ends where the byte at 0x201 says; a boot loader copies that much and no more. */
  private static void copyHeader(byte[] file, GuestRam ram, long zeroPage) {
    int end = Math.min(0x202 + (file[LinuxSetup.HEADER_END] & 0xff), LARGEST_HEADER_END);
    ram.write(zeroPage + LinuxSetup.HEADER, file, LinuxSetup.HEADER, end - LinuxSetup.HEADER);
  }

  private static void writeMemoryMap(GuestRam ram, long zeroPage) {
    List<MemoryMap.Range> ranges = MemoryMap.of(ram);
    ram.put8(zeroPage + LinuxSetup.E820_ENTRIES, ranges.size());
    long at = zeroPage + LinuxSetup.E820_TABLE;
    for (MemoryMap.Range range : ranges) {
      range.write(ram, at);
      at += MemoryMap.Range.SIZE;
    }
  }
}
