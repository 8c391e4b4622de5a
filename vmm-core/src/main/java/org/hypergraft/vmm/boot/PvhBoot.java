package org.hypergraft.vmm.boot;

import java.util.List;
import org.hypergraft.vmm.mmu.GuestRam;

/**
 * hvm_start_info version 1 (Xen's public header arch-x86/hvm/start_info.h): start record, one
 * module for the initramfs, memory map.
 */
final class PvhBoot {
  private static final int MAGIC = 0x336ec578;
  private static final int VERSION = 1;
  private static final long MODULES = MemoryMap.BOOT_INFO + 0x40;
  private static final long MEMORY_MAP = MemoryMap.BOOT_INFO + 0x80;
  private static final int MEMORY_MAP_ENTRY = 24;

  private PvhBoot() {}

  static void write(GuestRam ram, long initrd, int initrdSize, long rsdp) {
    long info = MemoryMap.BOOT_INFO;
    List<MemoryMap.Range> ranges = MemoryMap.of(ram);
    ram.put32(info, MAGIC);
    ram.put32(info + 4, VERSION);
    ram.put32(info + 8, 0); // flags: not the initial domain
    ram.put32(info + 12, initrdSize == 0 ? 0 : 1);
    ram.put64(info + 16, initrdSize == 0 ? 0 : MODULES);
    ram.put64(info + 24, MemoryMap.COMMAND_LINE);
    ram.put64(info + 32, rsdp);
    ram.put64(info + 40, MEMORY_MAP);
    ram.put32(info + 48, ranges.size());
    ram.put32(info + 52, 0);
    ram.put64(MODULES, initrd);
    ram.put64(MODULES + 8, initrdSize);
    ram.put64(MODULES + 16, 0); // no command line of its own
    ram.put64(MODULES + 24, 0);
    long at = MEMORY_MAP;
    for (MemoryMap.Range range : ranges) {
      range.write(ram, at);
      ram.put32(at + MemoryMap.Range.SIZE, 0);
      at += MEMORY_MAP_ENTRY;
    }
  }
}
