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
  private static final int SETUP_HEADER = 0x1f1;
  private static final int HEADER_END_OFFSET = 0x201;
  private static final int LARGEST_HEADER_END = 0x290;
  private static final int ZERO_PAGE_SIZE = 0x1000;

  private static final int RSDP = 0x70;
  private static final int EXT_RAMDISK_IMAGE = 0xc0;
  private static final int EXT_RAMDISK_SIZE = 0xc4;
  private static final int E820_ENTRIES = 0x1e8;
  private static final int BOOT_FLAG = 0x1fe;
  private static final int MAGIC = 0x202;
  private static final int VERSION = 0x206;
  private static final int TYPE_OF_LOADER = 0x210;
  private static final int LOAD_FLAGS = 0x211;
  private static final int CODE32_START = 0x214;
  private static final int RAMDISK_IMAGE = 0x218;
  private static final int RAMDISK_SIZE = 0x21c;
  private static final int COMMAND_LINE = 0x228;
  private static final int KERNEL_ALIGNMENT = 0x230;
  private static final int RELOCATABLE = 0x234;
  private static final int COMMAND_LINE_SIZE = 0x238;
  private static final int E820_TABLE = 0x2d0;
  private static final int E820_ENTRY = 20;

  private static final int LOADED_HIGH = 1;

  /** Set by the decompressor when it chose the address at random. */
  private static final int KASLR_FLAG = 1 << 1;

  /** "Undefined" boot loader. */
  private static final int LOADER_UNDEFINED = 0xff;

  private LinuxBoot() {}

  static void write(
      GuestImage image, GuestRam ram, long kernelAt, long initrd, int initrdSize, long rsdp) {
    long zeroPage = MemoryMap.BOOT_INFO;
    ram.fill(zeroPage, ZERO_PAGE_SIZE, 0);
    if (image.container() instanceof Container.BzImage) {
      copyHeader(image.original(), ram, zeroPage);
    } else {
      ram.put16(zeroPage + BOOT_FLAG, 0xaa55);
      ram.put32(zeroPage + MAGIC, 0x53726448); // "HdrS"
      ram.put16(zeroPage + VERSION, 0x020f);
      ram.put32(zeroPage + KERNEL_ALIGNMENT, (int) KernelLoader.KASLR_ALIGNMENT);
      ram.put8(zeroPage + RELOCATABLE, 1);
      ram.put32(zeroPage + COMMAND_LINE_SIZE, 2047);
    }
    int flags = ram.u8(zeroPage + LOAD_FLAGS) & ~KASLR_FLAG | LOADED_HIGH;
    ram.put8(zeroPage + TYPE_OF_LOADER, LOADER_UNDEFINED);
    ram.put8(zeroPage + LOAD_FLAGS, flags);
    ram.put32(zeroPage + CODE32_START, (int) kernelAt);
    ram.put32(zeroPage + RAMDISK_IMAGE, (int) initrd);
    ram.put32(zeroPage + RAMDISK_SIZE, initrdSize);
    ram.put32(zeroPage + EXT_RAMDISK_IMAGE, (int) (initrd >>> 32));
    ram.put32(zeroPage + EXT_RAMDISK_SIZE, 0);
    ram.put32(zeroPage + COMMAND_LINE, (int) MemoryMap.COMMAND_LINE);
    ram.put64(zeroPage + RSDP, rsdp);
    writeMemoryMap(ram, zeroPage);
  }

  /** The header ends where the byte at 0x201 says; a boot loader copies that much and no more. */
  private static void copyHeader(byte[] file, GuestRam ram, long zeroPage) {
    int end = Math.min(0x202 + (file[HEADER_END_OFFSET] & 0xff), LARGEST_HEADER_END);
    ram.write(zeroPage + SETUP_HEADER, file, SETUP_HEADER, end - SETUP_HEADER);
  }

  private static void writeMemoryMap(GuestRam ram, long zeroPage) {
    List<MemoryMap.Range> ranges = MemoryMap.of(ram);
    ram.put8(zeroPage + E820_ENTRIES, ranges.size());
    long at = zeroPage + E820_TABLE;
    for (MemoryMap.Range range : ranges) {
      ram.put64(at, range.start());
      ram.put64(at + 8, range.length());
      ram.put32(at + 16, range.type());
      at += E820_ENTRY;
    }
  }
}
